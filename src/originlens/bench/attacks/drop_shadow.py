"""A card with a soft shadow on a plain page.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: a margin with a smooth gradient at the picture's rim. Fails when: never.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, clipped, mapped
from originlens.bench.attacks._warp import translation
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("drop-shadow", "put on a page with a shadow", ms=160, paper=ANYPATTERN))
class DropShadow(Edit):
    """Light margin, blurred dark shadow below and beside the picture."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Margins 5 % to 25 % of the short side with strength."""
        import cv2

        h, w = pixels.shape[:2]
        margin = max(2, round((0.05 + 0.2 * strength) * min(h, w)))
        size = (h + 2 * margin, w + 2 * margin)
        shade = np.zeros(size, np.float32)
        offset = round(0.3 * margin)
        shade[margin + offset : margin + h + offset, margin + offset : margin + w + offset] = 1
        soft = np.asarray(cv2.GaussianBlur(shade, (0, 0), 0.3 * margin))[..., None]
        page = rng.uniform(215, 255, 3)
        out = clipped(page * (1 - 0.6 * soft))
        out[margin : margin + h, margin : margin + w] = pixels
        mask = np.ones(size, bool)
        mask[margin : margin + h, margin : margin + w] = False
        return mapped(out, translation(margin, margin), mask, margin=margin)
