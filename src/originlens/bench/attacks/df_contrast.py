"""Colour contrast of DeeperForensics-1.0: all pixels times a factor below 1.

Paper: Jiang et al. 2020, arXiv:2001.03024; strengths 0.2, 0.4 ... 1.0 are its levels 1 to 5. Why it
works as a test: the tone range shrinks towards black. Fails when: the picture is black.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, same_frame
from originlens.bench.attacks._deeper import CONTRAST, PAPER, chosen
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("df-contrast", "lower the contrast (DeeperForensics)", ms=6.3, paper=PAPER))
class DeeperContrast(Edit):
    """Scale the pixel values."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Factor 0.85, 0.725, 0.6, 0.475 or 0.35."""
        level, factor = chosen(CONTRAST, strength)
        table = clipped(np.arange(256) * factor)
        return same_frame(table[pixels], level=level, factor=factor)
