"""A relief lit from one side.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: tone is gone, edges become light and dark pairs. Fails when: the picture is smooth.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, mixed_in, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("emboss", "turn into a relief", ms=5.2, paper=ANYPATTERN))
class Emboss(Edit):
    """Directional difference around grey, mixed in."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Share of the relief in the mix = strength."""
        import cv2

        angle = float(rng.uniform(0, 2 * math.pi))
        y, x = np.mgrid[-1:2, -1:2]
        kernel = (x * math.cos(angle) + y * math.sin(angle)).astype(np.float32)
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        relief = np.asarray(cv2.filter2D(grey, -1, kernel, delta=128)).reshape(pixels.shape[:2])
        return same_frame(mixed_in(pixels, relief, strength), degrees=math.degrees(angle))
