"""Corners rounded off, filled with one colour, as apps show pictures.

Paper: own. Why it works as a test: a small unexplained part at each corner. Fails when: never.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, same_frame
from originlens.bench.attacks._drawing import rounded_rectangle
from originlens.bench.attacks._warp import fill_colour
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("rounded-corners", "round off the corners", ms=35))
class RoundedCorners(Edit):
    """Fill what lies outside a rectangle with round corners."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Radius up to half of the short side."""
        size = (pixels.shape[0], pixels.shape[1])
        radius = round(min(size) / 2 * strength)
        inside = rounded_rectangle(size, radius)[..., None]
        out = pixels * inside + np.array(fill_colour(rng), np.float32) * (1 - inside)
        return same_frame(clipped(out), inside[..., 0] < 0.97, radius=radius)
