"""Emoji-like stickers: faces, hearts, stars and bubbles drawn by this code.

Paper: the edit list of AugLy (overlay emoji); the shapes are our own. Why it works as a test: hides
parts behind opaque round shapes. Fails when: never.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._drawing import blend, cover
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("sticker", "put drawn stickers on the picture", ms=140))
class Sticker(Edit):
    """One to five stickers at random places, turned at random."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Each is 10-60 % x strength of the short side high; more of them with strength."""
        h, w = pixels.shape[:2]
        out = pixels.copy()
        mask = np.zeros((h, w), bool)
        drawn = []
        for _ in range(1 + int(rng.integers(0, 1 + round(4 * strength)))):
            side = max(3, round(min(h, w) * (0.05 + 0.55 * strength) * rng.uniform(0.5, 1)))
            name = SHAPES[int(rng.integers(len(SHAPES)))]
            layer = _sticker(name, side, float(rng.uniform(-40, 40)), rng)
            place = (int(rng.integers(0, w)) - side // 2, int(rng.integers(0, h)) - side // 2)
            alpha = layer[..., 3] / np.float32(255)
            blend(out, alpha, layer[..., :3], place)
            cover(mask, alpha, place)
            drawn.append(name)
        return same_frame(out, mask, stickers=drawn)


SHAPES = ("face", "heart", "star", "bubble")


def _sticker(name: str, side: int, degrees: float, rng: np.random.Generator) -> np.ndarray:
    """(side, side, 4) uint8 RGBA, drawn at four times the size and averaged down."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    s = 4 * side
    layer = Pillow.new("RGBA", (s, s), (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    colour = tuple(int(c) for c in rng.integers(60, 256, 3))
    line = max(1, s // 30)
    if name == "face":
        draw.ellipse((s * 0.05, s * 0.05, s * 0.95, s * 0.95), (255, 205, 50), "black", line)
        for x in (0.33, 0.67):
            draw.ellipse((s * (x - 0.07), s * 0.3, s * (x + 0.07), s * 0.48), "black")
        draw.chord((s * 0.25, s * 0.4, s * 0.75, s * 0.82), 0, 180, (150, 30, 30), "black", line)
    elif name == "heart":
        draw.polygon(_heart(s), (225, 30, 60), "black")
    elif name == "star":
        radius = [0.48 if i % 2 == 0 else 0.2 for i in range(10)]
        draw.polygon([_polar(s, r, i * 36 - 90) for i, r in enumerate(radius)], colour, "black")
    else:
        draw.rounded_rectangle(
            (s * 0.05, s * 0.15, s * 0.95, s * 0.7), s // 8, "white", "black", line
        )
        draw.polygon(
            [(s * 0.25, s * 0.7), (s * 0.4, s * 0.7), (s * 0.2, s * 0.92)], "white", "black"
        )
        for x in (0.3, 0.5, 0.7):
            draw.ellipse((s * (x - 0.06), s * 0.37, s * (x + 0.06), s * 0.49), colour)
    layer = layer.rotate(degrees, Pillow.Resampling.BICUBIC)
    return np.asarray(layer.resize((side, side), Pillow.Resampling.BOX))


def _polar(s: int, radius: float, degrees: float) -> tuple[float, float]:
    angle = math.radians(degrees)
    return s * (0.5 + radius * math.cos(angle)), s * (0.5 + radius * math.sin(angle))


def _heart(s: int) -> list[tuple[float, float]]:
    """The heart curve x = 16 sin^3 t, y = 13 cos t - 5 cos 2t - 2 cos 3t - cos 4t."""
    points = []
    for i in range(60):
        t = 2 * math.pi * i / 60
        x = 16 * math.sin(t) ** 3
        y = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
        points.append((s * (0.5 + x / 36), s * (0.46 - y / 36)))
    return points
