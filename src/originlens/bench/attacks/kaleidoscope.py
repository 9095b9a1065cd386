"""One wedge of the picture mirrored all around the centre.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: all but one wedge repeats mirrored content. Fails when: the picture is rotationally symmetric.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.bench.attacks._displace import displaced, places
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(
    attack_card("kaleidoscope", "repeat a wedge as a kaleidoscope does", ms=47, paper=ANYPATTERN)
)
class Kaleidoscope(Edit):
    """Fold the angle into one wedge; that wedge stays in place."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Two to six pairs of mirrored wedges, more with strength."""
        h, w = pixels.shape[:2]
        x, y = places((h, w))
        cx, cy = (w - 1) / 2, (h - 1) / 2
        pairs = 2 + round(4 * strength * rng.random())
        wedge = math.pi / pairs
        start = float(rng.uniform(0, 2 * math.pi))
        angle = (np.arctan2(y - cy, x - cx) - start) % (2 * wedge)
        folded = np.where(angle > wedge, 2 * wedge - angle, angle) + start
        radius = np.sqrt((x - cx) ** 2 + (y - cy) ** 2)
        out, mask = displaced(pixels, cx + radius * np.cos(folded), cy + radius * np.sin(folded))
        return same_frame(out, mask, pairs=pairs, start=start)
