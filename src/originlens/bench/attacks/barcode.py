"""A bar code on a white plate.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: a dense periodic pattern hides a corner. Fails when: never.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("barcode", "add a bar code", ms=1.1, paper=ANYPATTERN))
class Barcode(Edit):
    """Black bars of one to four units at a random place."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The plate is 15 % to 50 % of the width with strength."""
        h, w = pixels.shape[:2]
        pw = min(w, max(4, round(w * (0.15 + 0.35 * strength))))
        ph = min(h, max(2, round(0.5 * pw)))
        runs = rng.integers(1, 5, 40)
        units = np.repeat(np.arange(40) % 2, runs)
        columns = np.minimum(
            (np.arange(pw) * (len(units) + 20) / pw).astype(int) - 10, len(units) - 1
        )
        row = np.where((columns >= 0) & (units[np.clip(columns, 0, None)] == 0), 0, 255)
        row = np.where(np.arange(pw) * (len(units) + 20) / pw - 10 >= len(units), 255, row)
        plate = np.full((ph, pw, 3), 255, np.uint8)
        edge = max(0, round(0.08 * ph))
        plate[edge : ph - edge] = row.astype(np.uint8)[None, :, None]
        x, y = int(rng.integers(0, w - pw + 1)), int(rng.integers(0, h - ph + 1))
        out = pixels.copy()
        out[y : y + ph, x : x + pw] = plate
        mask = np.zeros((h, w), bool)
        mask[y : y + ph, x : x + pw] = True
        return same_frame(out, mask, box=[x, y, x + pw, y + ph])
