"""Erasing of WAVES: a random square of a quarter x strength of the area set to black.

Paper: An et al. 2024, arXiv:2401.08573. Why it works as a test: part of the picture is gone. Fails
when: the erased part was black; in a longish picture the square is cut to the short side.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._waves import PAPER, absolute
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("waves-erasing", "erase a square (WAVES)", ms=0.8, paper=PAPER))
class WavesErasing(Edit):
    """Set one square to 0."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Erased share 0 to 0.25 of the area, linear in strength; at least one pixel."""
        h, w = pixels.shape[:2]
        area = absolute("erasing", strength)
        side = min(h, w, max(1, round(float(np.sqrt(area * h * w)))))
        x, y = int(rng.integers(0, w - side + 1)), int(rng.integers(0, h - side + 1))
        out = pixels.copy()
        out[y : y + side, x : x + side] = 0
        mask = np.zeros((h, w), bool)
        mask[y : y + side, x : x + side] = True
        return same_frame(out, mask, area=area, box=[x, y, x + side, y + side])
