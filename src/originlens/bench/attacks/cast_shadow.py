"""A soft shadow falls over part of the picture.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: one part is darker, with a seam that is no edge of the scene. Fails when: the part is black.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, clipped, same_frame
from originlens.bench.attacks._region import changed, feathered, region
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("cast-shadow", "cast a shadow", ms=52, paper=ANYPATTERN))
class CastShadow(Edit):
    """Darken a feathered region."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """40 % of the area loses 75 % x strength of its light."""
        share = feathered(region(pixels.shape[:2], 0.4, rng), 0.01 * min(pixels.shape[:2]))
        out = clipped(pixels * (1 - 0.75 * strength * share))
        return same_frame(out, changed(pixels, out), loss=0.75 * strength)
