"""Black bars over parts of the picture.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: hides what matters behind hard edges. Fails when: the bar falls onto black.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("censor-bar", "cover parts by bars", ms=0.79, paper=ANYPATTERN))
class CensorBar(Edit):
    """One to three bars, black, seldom white."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Bars 15 % to 45 % wide and 4 % to 4 % + 20 % x strength high, at random places."""
        h, w = pixels.shape[:2]
        out = pixels.copy()
        mask = np.zeros((h, w), bool)
        bars = []
        for _ in range(1 + int(rng.integers(0, 3))):
            bw = max(1, round(w * rng.uniform(0.15, 0.45)))
            bh = max(1, round(h * (0.04 + 0.2 * strength * rng.random())))
            x, y = int(rng.integers(0, w - bw + 1)), int(rng.integers(0, h - bh + 1))
            out[y : y + bh, x : x + bw] = 0 if rng.random() < 0.85 else 255
            mask[y : y + bh, x : x + bw] = True
            bars.append([x, y, x + bw, y + bh])
        return same_frame(out, mask, bars=bars)
