"""Paper scraps of all colours strewn over the picture.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: many small opaque patches hide local structure. Fails when: never.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.bench.attacks._drawing import canvas, laid
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("confetti", "strew confetti", ms=16, paper=ANYPATTERN))
class Confetti(Edit):
    """Small turned rectangles, opaque."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Up to 250 scraps x strength, 2 % to 5 % of the short side long."""
        h, w = pixels.shape[:2]
        layer, pen = canvas((h, w))
        count = max(1, round(250 * strength))
        for _ in range(count):
            cx, cy = (float(v) for v in rng.uniform(0, 1, 2) * [w, h])
            half = 0.5 * min(h, w) * rng.uniform([0.02, 0.008], [0.05, 0.02])
            angle = float(rng.uniform(0, math.pi))
            ux, uy = math.cos(angle), math.sin(angle)
            points = [
                (cx + a * half[0] * ux - b * half[1] * uy, cy + a * half[0] * uy + b * half[1] * ux)
                for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
            ]
            colour = tuple(int(c) for c in rng.integers(0, 256, 3))
            pen.polygon(points, fill=(*colour, 255))
        out, mask = laid(pixels, layer)
        return same_frame(out, mask, scraps=count)
