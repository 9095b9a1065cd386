"""Rotation by 180 degrees x strength either way; corners filled, or cropped away.

Paper: the edit list of AugLy. Why it works as a test: every pixel moves and is resampled. Fails
when: the picture is rotationally symmetric.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, mapped
from originlens.bench.attacks._warp import fill_colour, translation, warped
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("rotate", "rotate by any angle", ms=16))
class Rotate(Edit):
    """Rotate about the centre, then enlarge the canvas or crop to the inner rectangle (drawn)."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Angle 180 x strength degrees, direction drawn."""
        h, w = pixels.shape[:2]
        angle = 180 * strength * (1 if rng.random() < 0.5 else -1)
        cropped = bool(rng.random() < 0.5)
        radians = math.radians(angle)
        cos, sin = math.cos(radians), math.sin(radians)
        if cropped:
            out_w, out_h = _inner_rectangle(w, h, radians)
        else:
            out_w, out_h = abs(w * cos) + abs(h * sin), abs(w * sin) + abs(h * cos)
        size = (max(1, int(out_h)), max(1, int(out_w)))
        turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        to_centre = translation(-(w - 1) / 2, -(h - 1) / 2)
        transform = translation((size[1] - 1) / 2, (size[0] - 1) / 2) @ turn @ to_centre
        out, outside = warped(pixels, transform, size, fill_colour(rng))
        return mapped(out, transform, outside, degrees=angle, cropped=cropped)


def _inner_rectangle(w: float, h: float, angle: float) -> tuple[float, float]:
    """Largest axis-parallel (width, height) inside a w x h rectangle rotated by ``angle`` radians.

    Either two opposite corners touch the long sides (thin pictures), or all four corners touch.
    """
    sin, cos = abs(math.sin(angle)), abs(math.cos(angle))
    long, short = max(w, h), min(w, h)
    if short <= 2 * sin * cos * long or abs(sin - cos) < 1e-9:
        half = short / 2
        inner = (half / max(sin, 1e-9), half / max(cos, 1e-9))
        inner_w, inner_h = inner if w >= h else inner[::-1]
    else:
        span = cos * cos - sin * sin
        inner_w, inner_h = (w * cos - h * sin) / span, (h * cos - w * sin) / span
    return min(inner_w, w + h), min(inner_h, w + h)
