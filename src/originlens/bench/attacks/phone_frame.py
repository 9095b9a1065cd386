"""Shown on a drawn phone: dark rim, round corners, camera hole.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: corners are lost and a strong dark frame is added. Fails when: never.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, mapped
from originlens.bench.attacks._drawing import blend, cover, rounded_rectangle
from originlens.bench.attacks._warp import fill_colour, translation
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("phone-frame", "show on a phone", ms=71, paper=ANYPATTERN))
class PhoneFrame(Edit):
    """Dark bezel with round corners on a plain ground."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Bezel 3 % + 5 % x strength; ground margin up to 25 % x strength."""
        h, w = pixels.shape[:2]
        side = min(h, w)
        bezel = max(2, round((0.03 + 0.05 * strength) * side))
        margin = max(1, round(0.25 * strength * side * rng.uniform(0.3, 1)))
        size = (h + 2 * (bezel + margin), w + 2 * (bezel + margin))
        out = np.empty((*size, 3), np.uint8)
        out[:] = fill_colour(rng)
        body = rounded_rectangle((h + 2 * bezel, w + 2 * bezel), min(2 * bezel, side // 2 + bezel))
        blend(out, body, (22, 22, 24), (margin, margin))
        start = bezel + margin
        screen = rounded_rectangle((h, w), min(bezel, side // 2))
        blend(out, screen, pixels, (start, start))
        mask = np.ones(size, bool)
        mask[start : start + h, start : start + w] = screen < 0.97
        hole = max(2, round(0.03 * side))
        x, y = start + (w - hole) // 2, start + min(hole, max(0, h - hole))
        disc = rounded_rectangle((hole, hole), hole // 2)
        blend(out, disc, (5, 5, 6), (x, y))
        cover(mask, disc, (x, y))
        return mapped(out, translation(start, start), mask, bezel=bezel, margin=margin)
