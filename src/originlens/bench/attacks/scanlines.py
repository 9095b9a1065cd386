"""Dark lines between the rows, as on a tube screen.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: adds a strong horizontal period. Fails when: the picture is lower than a line.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, clipped, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("scanlines", "draw scan lines", ms=5.3, paper=ANYPATTERN))
class Scanlines(Edit):
    """Darken rows periodically."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Lines lose 80 % x strength of their light; period 2 to 6 rows."""
        h = pixels.shape[0]
        period = int(rng.integers(2, 4 + round(3 * strength)))
        wave = 0.5 - 0.5 * np.cos(2 * math.pi * np.arange(h) / period)
        gain = (1 - 0.8 * strength * wave).astype(np.float32)[:, None, None]
        return same_frame(clipped(pixels * gain), period=period)
