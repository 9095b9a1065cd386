"""Streaks of rain, all slanted alike.

Paper: Garg, Nayar 2007, Vision and rain, IJCV 75(1) (the idea of streaks); own code. Why it works
as a test: hundreds of short parallel edges. Fails when: never.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._drawing import canvas, laid
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "Garg, Nayar 2007, Vision and rain, IJCV 75(1) (the idea of streaks); own code"


@register(attack_card("rain", "draw rain", ms=19, paper=PAPER))
class Rain(Edit):
    """Translucent light streaks at random places."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Up to 900 streaks x strength per 512 x 512 pixels, at most 6000."""
        h, w = pixels.shape[:2]
        layer, pen = canvas((h, w))
        count = int(min(6000, max(1, 900 * strength * h * w / 512**2)))
        slant = float(rng.uniform(-0.35, 0.35))
        long = max(3.0, 0.06 * min(h, w))
        for x, y, size in zip(*rng.uniform(0, 1, (3, count)), strict=True):
            length = long * (0.5 + size)
            start = (float(x) * w, float(y) * (h + long) - long)
            end = (start[0] + slant * length, start[1] + length)
            pen.line([start, end], fill=(225, 228, 235, round(90 + 90 * size)), width=1)
        out, mask = laid(pixels, layer)
        return same_frame(out, mask, streaks=count, slant=slant)
