"""A frame of film: black borders with perforation holes.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: two strong periodic borders are added. Fails when: never.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, mapped
from originlens.bench.attacks._drawing import blend, rounded_rectangle
from originlens.bench.attacks._warp import translation
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("film-strip", "frame as a film strip", ms=4.6, paper=ANYPATTERN))
class FilmStrip(Edit):
    """Black bars above and below with white round-cornered holes."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Each bar is 10 % + 15 % x strength of the height high."""
        h, w = pixels.shape[:2]
        bar = max(3, round((0.1 + 0.15 * strength) * h))
        gap = max(1, bar // 6)
        out = np.full((h + 2 * bar, w + 2 * gap, 3), 12, np.uint8)
        hole = rounded_rectangle((max(1, bar // 2), max(1, round(0.35 * bar))), max(1, bar // 8))
        phase = int(rng.integers(0, max(1, bar // 2)))
        for x in range(phase, w, max(2, round(0.8 * bar))):
            for y in (bar // 4, h + bar + bar // 4):
                blend(out, hole, (245, 245, 240), (x, y))
        out[bar : bar + h, gap : gap + w] = pixels
        mask = np.ones(out.shape[:2], bool)
        mask[bar : bar + h, gap : gap + w] = False
        return mapped(out, translation(gap, bar), mask, bar=bar)
