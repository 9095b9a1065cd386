"""Cut into equal tiles, some of which change places.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: global layout is gone, local content is complete. Fails when: all tiles look alike.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("tile-shuffle", "shuffle tiles", ms=1.1, paper=ANYPATTERN))
class TileShuffle(Edit):
    """Permute a share of the tiles; at least one stays."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """A grid of 3 to 6 per side; strength is the share of tiles that move."""
        h, w = pixels.shape[:2]
        rows, columns = min(h, int(rng.integers(3, 7))), min(w, int(rng.integers(3, 7)))
        th, tw = h // rows, w // columns
        moving = min(rows * columns - 1, max(2, round(strength * rows * columns)))
        chosen = rng.permutation(rows * columns)[: max(0, moving)]
        out = pixels.copy()
        mask = np.zeros((h, w), bool)
        # A cycle through the chosen tiles: every one of them moves.
        for source, target in zip(chosen, np.roll(chosen, 1), strict=True):
            if source == target:
                continue
            sy, sx = source // columns * th, source % columns * tw
            ty, tx = target // columns * th, target % columns * tw
            out[ty : ty + th, tx : tx + tw] = pixels[sy : sy + th, sx : sx + tw]
            mask[ty : ty + th, tx : tx + tw] = True
        return same_frame(out, mask, tiles=[rows, columns], moved=len(chosen))
