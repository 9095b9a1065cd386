"""A horizontal or vertical shear by up to 30 degrees.

Paper: the edit list of AugLy. Why it works as a test: an affine map that no similarity explains.
Fails when: never.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, mapped
from originlens.bench.attacks._warp import fill_colour, translation, warped
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("shear", "shear the picture", ms=11))
class Shear(Edit):
    """Shear along one axis; the canvas grows, what is empty is filled."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Angle 30 x strength degrees, axis and direction drawn."""
        h, w = pixels.shape[:2]
        slope = float(np.tan(np.radians(30 * strength))) * (1 if rng.random() < 0.5 else -1)
        transform = np.eye(3)
        if rng.random() < 0.5:
            transform[0, 1] = slope
            extra = slope * (h - 1)
            size = (h, int(np.ceil(w + abs(extra))))
            shift = translation(max(0.0, -extra), 0)
        else:
            transform[1, 0] = slope
            extra = slope * (w - 1)
            size = (int(np.ceil(h + abs(extra))), w)
            shift = translation(0, max(0.0, -extra))
        transform = shift @ transform
        out, outside = warped(pixels, transform, size, fill_colour(rng))
        return mapped(out, transform, outside, slope=slope)
