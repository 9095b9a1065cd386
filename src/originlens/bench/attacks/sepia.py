"""Browned like an old photograph.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: colour is replaced by one hue. Fails when: the picture is grey already.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("sepia", "tone brown", ms=1, paper=ANYPATTERN))
class Sepia(Edit):
    """Mix with a brown of the same brightness."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Share of the sepia tone = strength."""
        import cv2

        luma = np.array([0.299, 0.587, 0.114])
        brown = np.array([1.16, 0.98, 0.72])[:, None] * luma
        matrix = (1 - strength) * np.eye(3) + strength * brown
        out = np.asarray(cv2.transform(pixels, matrix), dtype=np.uint8)
        return same_frame(out.reshape(pixels.shape), share=strength)
