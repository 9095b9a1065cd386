"""Bands of rows torn sideways, their colours out of register, as in broken streams.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: bands no longer join, colours disagree. Fails when: the picture is constant along its rows.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("glitch", "tear bands of rows sideways", ms=1.5, paper=ANYPATTERN))
class Glitch(Edit):
    """Roll drawn bands of rows, each channel by a slightly different shift."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Two to eight bands; shifts up to 15 % x strength of the width."""
        h, w = pixels.shape[:2]
        out = pixels.copy()
        mask = np.zeros((h, w), bool)
        bands = []
        for _ in range(2 + round(6 * strength * rng.random())):
            height = max(1, round(h * rng.uniform(0.02, 0.1)))
            top = int(rng.integers(0, h))
            shift = 2 + round(0.15 * strength * w * rng.random())
            shift *= 1 if rng.random() < 0.5 else -1
            fringe = round(0.01 * strength * w)
            for channel, by in enumerate((shift - fringe, shift, shift + fringe)):
                out[top : top + height, :, channel] = np.roll(
                    pixels[top : top + height, :, channel], by, axis=1
                )
            mask[top : top + height] = True
            bands.append([top, height, shift])
        return same_frame(out, mask, bands=bands)
