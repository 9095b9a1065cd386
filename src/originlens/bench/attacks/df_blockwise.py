"""Local block-wise distortion of DeeperForensics-1.0: small grey squares at random places.

Paper: Jiang et al. 2020, arXiv:2001.03024; strengths 0.2, 0.4 ... 1.0 are its levels 1 to 5. Why it
works as a test: local features meet hard corners that the original lacks. Fails when: never; below
256 pixels, where the published code would draw none, the number for 256 is drawn.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._deeper import BLOCKS, PAPER, chosen
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("df-blockwise", "scatter grey blocks (DeeperForensics)", ms=1, paper=PAPER))
class DeeperBlockwise(Edit):
    """Draw 8 x 8 blocks of grey 128."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """16 to 80 blocks times the short side in whole units of 256 pixels."""
        level, number = chosen(BLOCKS, strength)
        h, w = pixels.shape[:2]
        count = int(number) * max(1, min(h, w) // 256)
        out = pixels.copy()
        mask = np.zeros((h, w), bool)
        rows = rng.integers(0, max(1, h - 8), count)
        columns = rng.integers(0, max(1, w - 8), count)
        for y, x in zip(rows, columns, strict=True):
            out[y : y + 8, x : x + 8] = 128
            mask[y : y + 8, x : x + 8] = True
        return same_frame(out, mask, level=level, blocks=count)
