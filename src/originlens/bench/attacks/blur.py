"""Gaussian blur, sigma up to 2 % of the short side.

Paper: the edit list of AugLy. Why it works as a test: fine keypoints vanish. Fails when: the
picture is smooth already.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("blur", "blur the whole picture", ms=18))
class Blur(Edit):
    """Blur with one sigma everywhere."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Sigma 0.02 x short side x strength pixels."""
        import cv2

        sigma = max(0.05, 0.02 * min(pixels.shape[:2]) * strength)
        out = np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma), dtype=np.uint8)
        return same_frame(out.reshape(pixels.shape), sigma=sigma)
