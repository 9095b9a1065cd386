"""Top and bottom exchanged.

Paper: the edit list of AugLy. Why it works as a test: a mirror image that is also upside down.
Fails when: the picture is symmetric.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, mapped
from originlens.core.geometry import orientation
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("flip", "exchange top and bottom", ms=1.1))
class Flip(Edit):
    """Flip at any strength above 0."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """EXIF orientation 4."""
        transform = orientation(4, (pixels.shape[0], pixels.shape[1]))
        return mapped(pixels[::-1], transform, None, flipped=True)
