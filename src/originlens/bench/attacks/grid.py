"""A grid of thin lines over the picture.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: adds long straight edges everywhere. Fails when: never.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, clipped, same_frame
from originlens.bench.attacks._warp import fill_colour
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("grid", "draw a grid", ms=8, paper=ANYPATTERN))
class Grid(Edit):
    """Opaque or nearly opaque lines at equal distances."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """4 to 12 cells on the short side; lines up to 1.5 % x strength of it wide."""
        h, w = pixels.shape[:2]
        side = min(h, w)
        period = max(3, round(side / rng.uniform(4, 12)))
        line = max(1, round(0.015 * strength * side))
        start = rng.integers(0, period, 2)
        y, x = np.ogrid[:h, :w]
        mask = np.asarray(((x + start[0]) % period < line) | ((y + start[1]) % period < line))
        opacity = float(rng.uniform(0.6, 1))
        out = pixels.copy()
        out[mask] = clipped(out[mask] * (1 - opacity) + np.array(fill_colour(rng)) * opacity)
        return same_frame(out, mask, period=period, line=line, opacity=opacity)
