"""Smeared along rays from the centre, as by zooming during exposure.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: detail vanishes towards the border. Fails when: only the middle is textured.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, clipped, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("zoom-blur", "blur along rays", ms=77, paper=ANYPATTERN))
class ZoomBlur(Edit):
    """Average of the picture at scales around 1."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Scales 1 - 7 % x strength to 1 + 7 % x strength."""
        import cv2

        h, w = pixels.shape[:2]
        total = np.zeros(pixels.shape, np.float32)
        spread = 0.07 * strength
        count = 9
        for step in np.linspace(-spread, spread, count):
            factor = 1 + float(step)
            matrix = np.array(
                [[factor, 0, (1 - factor) * (w - 1) / 2], [0, factor, (1 - factor) * (h - 1) / 2]]
            )
            moved = cv2.warpAffine(pixels, matrix, (w, h), borderMode=cv2.BORDER_REPLICATE)
            total += np.asarray(moved).reshape(pixels.shape)
        return same_frame(clipped(total / count), spread=spread)
