"""Redrawn in pencil strokes of the edges, on white.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: tone is gone, edges stay. Fails when: the picture is smooth.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, mixed_in, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("pencil-sketch", "turn into a pencil drawing", ms=17, paper=ANYPATTERN))
class PencilSketch(Edit):
    """Divide the brightness by its blur (colour dodge)."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Share of the drawing in the mix = strength."""
        import cv2

        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        sigma = max(1.0, 0.012 * min(pixels.shape[:2]))
        soft = cv2.GaussianBlur(grey, (0, 0), sigma)
        drawing = np.asarray(cv2.divide(grey, soft, scale=250)).reshape(pixels.shape[:2])
        return same_frame(mixed_in(pixels, drawing, strength), sigma=sigma)
