"""Median filter: flat patches with hard edges.

Paper: Tukey 1977, Exploratory Data Analysis (running medians). Why it works as a test: fine texture
vanishes while edges stay sharp. Fails when: the picture is made of large flat patches.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "Tukey 1977, Exploratory Data Analysis (running medians)"


@register(attack_card("median", "filter by the median", ms=120, paper=PAPER))
class Median(Edit):
    """OpenCV's medianBlur."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Window up to 3 % x strength of the short side, at least 3 pixels."""
        import cv2

        size = 2 * max(1, round(0.015 * strength * min(pixels.shape[:2]))) + 1
        out = np.asarray(cv2.medianBlur(pixels, size), dtype=np.uint8)
        return same_frame(out.reshape(pixels.shape), window=size)
