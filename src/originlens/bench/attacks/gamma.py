"""Mid-tones lifted or lowered by a power law.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: contrast moves between shadows and lights. Fails when: the picture is black and white.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, clipped, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("gamma", "change the gamma", ms=6.6, paper=ANYPATTERN))
class Gamma(Edit):
    """Pixel values to a power."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Exponent e^(1.2 x strength) or its inverse."""
        exponent = float(np.exp(1.2 * strength * (1 if rng.random() < 0.5 else -1)))
        table = clipped(255 * (np.arange(256) / 255) ** exponent)
        return same_frame(table[pixels], exponent=exponent)
