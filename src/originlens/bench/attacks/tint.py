"""A colour filter: sepia or a duotone from a dark to a light colour.

Paper: the edit list of AugLy; own colours. Why it works as a test: colour carries nothing of the
original. Fails when: never.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("tint", "sepia or duotone filter", ms=43))
class Tint(Edit):
    """Map luma to a ramp between two colours and mix with the picture."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The share of the filtered picture in the mix is the strength."""
        dark, light = np.array([30.0, 15.0, 5.0]), np.array([255.0, 235.0, 195.0])
        if rng.random() < 0.5:
            dark, light = rng.uniform(0, 90, 3), rng.uniform(150, 255, 3)
        luma = pixels @ np.array([0.299, 0.587, 0.114], dtype=np.float32) / np.float32(255)
        filtered = dark + luma[..., None] * (light - dark)
        out = pixels * (1 - strength) + filtered * strength
        return same_frame(clipped(out), dark=dark.round().tolist(), light=light.round().tolist())
