"""Scrawled over with a thick pen.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: a long curved edge crosses all regions. Fails when: never.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.bench.attacks._drawing import canvas, laid
from originlens.bench.attacks._warp import fill_colour
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("scribble", "scribble over the picture", ms=15, paper=ANYPATTERN))
class Scribble(Edit):
    """A few smooth random curves, opaque."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """One to four curves, pen up to 4 % x strength of the short side."""
        h, w = pixels.shape[:2]
        layer, pen = canvas((h, w))
        width = max(2, round(0.04 * strength * min(h, w)))
        curves = 1 + round(3 * strength * rng.random())
        for _ in range(curves):
            corners = rng.uniform(0, 1, (int(rng.integers(4, 9)), 2)) * [w, h]
            points = [(float(x), float(y)) for x, y in _smooth(corners)]
            pen.line(points, fill=(*fill_colour(rng), 255), width=width, joint="curve")
        out, mask = laid(pixels, layer)
        return same_frame(out, mask, curves=curves, width=width)


def _smooth(corners: np.ndarray) -> np.ndarray:
    """A closed (n, 2) polygon with its corners cut four times (Chaikin), about 16 n points."""
    for _ in range(4):
        following = np.roll(corners, -1, axis=0)
        pair = [0.75 * corners + 0.25 * following, 0.25 * corners + 0.75 * following]
        corners = np.stack(pair, axis=1).reshape(-1, 2)
    return corners
