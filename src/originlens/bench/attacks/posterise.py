"""Fewer tones: each channel keeps 2 to 32 levels.

Paper: the edit list of AugLy. Why it works as a test: gradients become steps. Fails when: the
picture has few tones already.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("posterise", "reduce the number of tones", ms=4.3))
class Posterise(Edit):
    """Quantise each channel evenly."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """2 ** (5 - 4 x strength) levels: 32 down to 2."""
        levels = max(2, round(2 ** (5 - 4 * strength)))
        table = clipped(np.rint(np.arange(256) / 255 * (levels - 1)) * 255 / (levels - 1))
        return same_frame(table[pixels], levels=levels)
