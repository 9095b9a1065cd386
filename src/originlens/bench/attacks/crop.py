"""A crop that keeps 1 - strength of the area (at least 3 %), at a random place.

Paper: the edit list of AugLy. Why it works as a test: global signatures see another composition.
Fails when: the kept part is flat, then nobody can tell where it comes from.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, mapped
from originlens.bench.attacks._warp import random_fit, translation
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("crop", "keep a part of the picture", ms=0.57))
class Crop(Edit):
    """Cut out a rectangle."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Keep 1 - strength of the area, at least 3 %."""
        keep = max(0.03, 1 - strength)
        x, y, w, h = random_fit(keep, (pixels.shape[0], pixels.shape[1]), rng)
        out = pixels[y : y + h, x : x + w]
        share = w * h / (pixels.shape[0] * pixels.shape[1])
        return mapped(out, translation(-x, -y), None, keep=share, box=[x, y, x + w, y + h])
