"""Interference fringes of two fine gratings, tinted.

Paper: Amidror 2009, The Theory of the Moire Phenomenon (superposed gratings); own code. Why it
works as a test: adds a slow strong pattern that follows no content. Fails when: never.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, same_frame
from originlens.bench.attacks._displace import places
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "Amidror 2009, The Theory of the Moire Phenomenon (superposed gratings); own code"


@register(attack_card("moire", "add moire fringes", ms=41, paper=PAPER))
class Moire(Edit):
    """Multiply by the beat of two gratings, a little out of phase in each channel."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Brightness changes by up to 35 % x strength."""
        h, w = pixels.shape[:2]
        x, y = places((h, w))
        angles = rng.uniform(0, math.pi) + np.array([0, rng.uniform(0.02, 0.12)])
        period = float(rng.uniform(3, 6))
        phases = [
            2 * math.pi / period * (x * float(np.cos(a)) + y * float(np.sin(a))) for a in angles
        ]
        gain = np.empty((h, w, 3), np.float32)
        for channel in range(3):
            gain[..., channel] = np.cos(phases[0]) * np.cos(phases[1] + 0.7 * channel)
        return same_frame(clipped(pixels * (1 + 0.35 * strength * 2 * gain)), period=period)
