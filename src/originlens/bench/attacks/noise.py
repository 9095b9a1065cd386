"""Gaussian or salt-and-pepper noise, drawn which.

Paper: the edit list of AugLy. Why it works as a test: adds keypoints that the original lacks. Fails
when: never; strong noise on a flat picture leaves no structure at all.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("noise", "add noise", ms=31))
class Noise(Edit):
    """Independent noise in every pixel."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Sigma 50 x strength levels, or 15 % x strength of the pixels black or white."""
        if rng.random() < 0.7:
            noise = rng.standard_normal(pixels.shape, dtype=np.float32) * np.float32(50 * strength)
            return same_frame(clipped(pixels + noise), sigma=50 * strength)
        share = 0.15 * strength
        hit = rng.random(pixels.shape[:2]) < share
        out = pixels.copy()
        out[hit] = 255 * rng.integers(0, 2, (int(hit.sum()), 1), dtype=np.uint8)
        return same_frame(out, salt_and_pepper=share)
