"""A frame around the picture: plain, two-coloured or uneven; or bars on two sides.

Paper: the edit list of AugLy. Why it works as a test: moves and shrinks the picture inside its
frame. Fails when: never.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, mapped
from originlens.bench.attacks._warp import fill_colour, translation
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("border", "add a frame", ms=13))
class Border(Edit):
    """Add margins of one colour, in half of the cases with an inner line of another."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Margins up to 25 % x strength of each side, at least one pixel."""
        h, w = pixels.shape[:2]
        shares = (
            0.25
            * strength
            * np.array(
                [np.ones(4), np.array([1, 1, 0, 0]), rng.uniform(0.4, 1, 4)][int(rng.integers(3))]
            )
        )
        top, bottom = (int(np.ceil(h * s)) for s in shares[:2])
        left, right = (int(np.ceil(w * s)) for s in shares[2:])
        out = np.empty((top + h + bottom, left + w + right, 3), np.uint8)
        out[:] = fill_colour(rng)
        line = min(top, bottom, left, right) // 3
        if line and rng.random() < 0.5:
            out[top - line : top + h + line, left - line : left + w + line] = fill_colour(rng)
        out[top : top + h, left : left + w] = pixels
        mask = np.ones(out.shape[:2], bool)
        mask[top : top + h, left : left + w] = False
        return mapped(out, translation(left, top), mask, margins=[left, top, right, bottom])
