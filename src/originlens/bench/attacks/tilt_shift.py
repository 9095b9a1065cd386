"""Sharp in one band, blurred more and more above and below it, like a miniature.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: sharpness depends on the place. Fails when: the picture is smooth outside the band.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, clipped, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("tilt-shift", "blur above and below a band", ms=55, paper=ANYPATTERN))
class TiltShift(Edit):
    """Blend with a blur by the distance from a horizontal band."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Sigma 3 % x strength of the short side beyond the band."""
        import cv2

        h, w = pixels.shape[:2]
        sigma = max(0.3, 0.03 * strength * min(h, w))
        soft = np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma)).reshape(pixels.shape)
        middle = float(rng.uniform(0.3, 0.7))
        distance = np.abs((np.arange(h) + 0.5) / h - middle)
        share = np.clip((distance - 0.08) / 0.2, 0, 1).astype(np.float32)[:, None, None]
        return same_frame(clipped(pixels * (1 - share) + soft * share), sigma=sigma, middle=middle)
