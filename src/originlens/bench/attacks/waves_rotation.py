"""Rotation of WAVES: 45 degrees x strength about the centre, same canvas, black corners.

Paper: An et al. 2024, arXiv:2401.08573. Why it works as a test: corners are lost and every pixel
moves to the nearest place. Fails when: the picture is rotationally symmetric.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, mapped
from originlens.bench.attacks._warp import translation
from originlens.bench.attacks._waves import PAPER, absolute
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("waves-rotation", "rotate on the same canvas (WAVES)", ms=4.4, paper=PAPER))
class WavesRotation(Edit):
    """Rotate counter-clockwise with nearest-neighbour look-up."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Angle 0 to 45 degrees, linear in strength."""
        from PIL import Image as Pillow

        h, w = pixels.shape[:2]
        degrees = absolute("rotation", strength)
        nearest = Pillow.Resampling.NEAREST
        out = np.asarray(Pillow.fromarray(pixels).rotate(degrees, nearest))
        seen = np.asarray(Pillow.new("L", (w, h), 255).rotate(degrees, nearest))
        cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
        centre = ((w - 1) / 2, (h - 1) / 2)
        transform = translation(*centre) @ turn @ translation(-centre[0], -centre[1])
        return mapped(out, transform, seen == 0, degrees=degrees)
