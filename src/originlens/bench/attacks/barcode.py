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


@register(attack_card("barcode", "add a bar code", ms=1.4, paper=ANYPATTERN))
class Barcode(Edit):
    """Black bars of one to four units at a random place."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The plate is 15 % to 50 % of the width with strength."""
        h, w = pixels.shape[:2]
        pw = min(w, max(4, round(w * (0.15 + 0.35 * strength))))
        ph = min(h, max(2, round(0.5 * pw)))
        # Bars and gaps of one to four units between two quiet zones of ten units.
        units = np.repeat(np.arange(40) % 2 * 255, rng.integers(1, 5, 40))
        units = np.pad(units, 10, constant_values=255)
        row = units[np.arange(pw) * len(units) // pw]
        plate = np.full((ph, pw, 3), 255, np.uint8)
        edge = max(0, round(0.08 * ph))
        plate[edge : ph - edge] = row.astype(np.uint8)[None, :, None]
        x, y = int(rng.integers(0, w - pw + 1)), int(rng.integers(0, h - ph + 1))
        out = pixels.copy()
        out[y : y + ph, x : x + pw] = plate
        mask = np.zeros((h, w), bool)
        mask[y : y + ph, x : x + pw] = True
        return same_frame(out, mask, box=[x, y, x + pw, y + ph])
