"""Rotation by a quarter turn, left or right.

Paper: the edit list of AugLy. Why it works as a test: lossless, yet no pixel stays in its place.
Fails when: the picture is symmetric under quarter turns.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, mapped
from originlens.core.geometry import orientation
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("rotate90", "rotate by a quarter turn", ms=11))
class Rotate90(Edit):
    """A quarter turn at any strength above 0; the direction is drawn."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Clockwise (EXIF orientation 6) or counter-clockwise (8)."""
        clockwise = bool(rng.random() < 0.5)
        out = np.rot90(pixels, -1 if clockwise else 1)
        transform = orientation(6 if clockwise else 8, (pixels.shape[0], pixels.shape[1]))
        return mapped(out, transform, None, degrees=90 if clockwise else -90)
