"""Gaussian blur of DeeperForensics-1.0: a kernel of six standard deviations.

Paper: Jiang et al. 2020, arXiv:2001.03024; strengths 0.2, 0.4 ... 1.0 are its levels 1 to 5. Why it
works as a test: fine detail vanishes, by pixels whatever the size. Fails when: smooth already.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._deeper import BLUR, PAPER, chosen
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("df-blur", "blur by a fixed kernel (DeeperForensics)", ms=3.9, paper=PAPER))
class DeeperBlur(Edit):
    """Gaussian of fixed kernel size."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Kernel 7, 9, 13, 17 or 21 pixels; sigma is a sixth of it."""
        import cv2

        level, kernel = chosen(BLUR, strength)
        size = (int(kernel), int(kernel))
        out = np.asarray(cv2.GaussianBlur(pixels, size, kernel / 6), dtype=np.uint8)
        return same_frame(out.reshape(pixels.shape), level=level, kernel=int(kernel))
