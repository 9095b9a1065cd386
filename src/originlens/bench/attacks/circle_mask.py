"""Only an ellipse of the picture is left, as in avatars.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: corners are gone, a round edge is added. Fails when: only the corners are textured.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.bench.attacks._displace import places
from originlens.bench.attacks._warp import fill_colour
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("circle-mask", "cut to an ellipse", ms=9.7, paper=ANYPATTERN))
class CircleMask(Edit):
    """Fill everything outside a centred ellipse."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The ellipse touches the corners at strength 0+ and keeps half of the area at 1."""
        h, w = pixels.shape[:2]
        x, y = places((h, w))
        half = math.sqrt(2) * (1 - strength) + math.sqrt(2 / math.pi) * strength
        squared = ((x + 0.5) / w - 0.5) ** 2 + ((y + 0.5) / h - 0.5) ** 2
        mask = squared > (half / 2) ** 2
        if mask.all():
            mask[h // 2, w // 2] = False
        out = pixels.copy()
        out[mask] = fill_colour(rng)
        return same_frame(out, mask, kept=float((~mask).mean()))
