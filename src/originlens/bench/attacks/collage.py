"""A collage of two, three or four pictures, this one among them.

Paper: Douze et al. 2021, DISC21, arXiv:2106.09672 (composed queries). Why it works as a test: the
picture is one of several equals. Fails when: the cell is only a few pixels wide.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, mapped
from originlens.bench.attacks._drawing import other_picture
from originlens.bench.attacks._warp import resized, translation
from originlens.core.image import Image, Pixels
from originlens.core.registry import register

PAPER = "Douze et al. 2021, DISC21, arXiv:2106.09672 (composed queries)"


@register(attack_card("collage", "set the picture beside others", ms=14, paper=PAPER))
class Collage(Edit):
    """A grid of equal cells with a gap; ``others`` (or drawn scenes) fill the other cells."""

    def __init__(self, *, others: Sequence[Image] = ()) -> None:
        self.others = others

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """1 x 2 or 2 x 1 cells up to strength 0.5, 2 x 2 above; the picture is scaled by 0.5-1."""
        rows, columns = ((1, 2), (2, 1))[int(rng.integers(2))] if strength <= 0.5 else (2, 2)
        factor = float(rng.uniform(0.5, 1.0))
        h0, w0 = pixels.shape[:2]
        cell = (max(1, round(h0 * factor)), max(1, round(w0 * factor)))
        gap = int(rng.integers(0, 2 + min(cell) // 20))
        height, width = rows * (cell[0] + gap) + gap, columns * (cell[1] + gap) + gap
        out = np.full((height, width, 3), 255 * int(rng.integers(2)), np.uint8)
        mask = np.ones((height, width), bool)
        own = int(rng.integers(rows * columns))
        transform = np.eye(3)
        names = []
        for place in range(rows * columns):
            y = gap + (place // columns) * (cell[0] + gap)
            x = gap + (place % columns) * (cell[1] + gap)
            here = np.s_[y : y + cell[0], x : x + cell[1]]
            if place == own:
                out[here], scale = resized(pixels, cell)
                mask[here] = False
                transform = translation(x, y) @ scale
            else:
                other, name = other_picture(self.others, cell, rng)
                out[here], _ = resized(other, cell)
                names.append(name)
        return mapped(out, transform, mask, grid=[rows, columns], cell=own, others=names)
