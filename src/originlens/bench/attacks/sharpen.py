"""Unsharp masking with overshoot.

Paper: the edit list of AugLy. Why it works as a test: halos and noise grow. Fails when: the picture
is flat.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("sharpen", "sharpen the whole picture", ms=9.5))
class Sharpen(Edit):
    """Add the difference to a blurred version."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Amount 3 x strength, sigma drawn in 0.8-2 pixels."""
        import cv2

        sigma, amount = float(rng.uniform(0.8, 2.0)), 3 * strength
        soft = np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma)).reshape(pixels.shape)
        out = pixels * np.float32(1 + amount) - soft * np.float32(amount)
        return same_frame(clipped(out), sigma=sigma, amount=amount)
