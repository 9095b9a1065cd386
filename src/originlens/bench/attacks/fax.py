"""Black and white only, thresholded against the surroundings, like a fax.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: one bit per pixel is left. Fails when: the picture is flat.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, mixed_in, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("fax", "turn into black and white", ms=6.5, paper=ANYPATTERN))
class Fax(Edit):
    """OpenCV's adaptive threshold, mixed in."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Share of the fax in the mix = strength."""
        import cv2

        window = 2 * max(1, round(0.04 * min(pixels.shape[:2]))) + 1
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        bits = cv2.adaptiveThreshold(
            grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, window, 5
        )
        bits = np.asarray(bits).reshape(pixels.shape[:2])
        return same_frame(mixed_in(pixels, bits, strength), window=window)
