"""Colour channels exchanged.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: every colour is wrong, brightness nearly right. Fails when: the picture is grey.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("channel-swap", "exchange colour channels", ms=0.8, paper=ANYPATTERN))
class ChannelSwap(Edit):
    """Mix with the picture whose channels are permuted."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Share of the permuted channels = strength."""
        import cv2

        orders = ((0, 2, 1), (1, 0, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1))
        order = orders[int(rng.integers(len(orders)))]
        matrix = (1 - strength) * np.eye(3) + strength * np.eye(3)[list(order)]
        out = np.asarray(cv2.transform(pixels, matrix), dtype=np.uint8)
        return same_frame(out.reshape(pixels.shape), order=list(order))
