"""Colour removed: strength 1 is a grey picture.

Paper: ITU-R BT.601 (luma). Why it works as a test: colour signatures vanish. Fails when: the
picture is grey already.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("greyscale", "remove colour", ms=17, paper="ITU-R BT.601-7 (2011)"))
class Greyscale(Edit):
    """Mix every pixel with its luma."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The share of luma in the mix is the strength."""
        luma = pixels @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
        out = pixels * np.float32(1 - strength) + luma[..., None] * np.float32(strength)
        return same_frame(clipped(out), removed=strength)
