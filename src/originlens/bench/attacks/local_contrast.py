"""Local contrast raised, the 'HDR look' of photo apps.

Paper: Zuiderveld 1994, Graphics Gems IV (contrast limited adaptive histogram equalization). Why it
works as a test: tone order between distant places is lost. Fails when: the picture is flat.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, mixed_in, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "Zuiderveld 1994, Graphics Gems IV (contrast limited adaptive histogram equalization)"


@register(attack_card("local-contrast", "raise local contrast", ms=19, paper=PAPER))
class LocalContrast(Edit):
    """OpenCV's contrast-limited adaptive histogram equalisation of the lightness."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Clip limit 1 to 9; share in the mix = strength."""
        import cv2

        limit = 1 + 8 * strength
        lab = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)).reshape(pixels.shape).copy()
        tiles = (min(8, pixels.shape[1]), min(8, pixels.shape[0]))
        lightness = np.ascontiguousarray(lab[..., 0])
        lab[..., 0] = np.asarray(cv2.createCLAHE(limit, tiles).apply(lightness)).reshape(
            lab.shape[:2]
        )
        out = np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)).reshape(pixels.shape)
        return same_frame(mixed_in(pixels, out, strength), clip_limit=limit)
