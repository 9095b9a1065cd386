"""Falling flakes of several sizes.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: bright round spots everywhere. Fails when: the picture is white.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.bench.attacks._drawing import canvas, laid
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("snow", "draw snow", ms=17, paper=ANYPATTERN))
class Snow(Edit):
    """Nearly opaque discs at random places, small ones more often."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Up to 700 flakes x strength per 512 x 512 pixels, at most 5000."""
        h, w = pixels.shape[:2]
        layer, pen = canvas((h, w))
        count = int(min(5000, max(1, 700 * strength * h * w / 512**2)))
        for x, y, size in zip(*rng.uniform(0, 1, (3, count)), strict=True):
            radius = 0.6 + 0.012 * min(h, w) * float(size) ** 4
            cx, cy = float(x) * w, float(y) * h
            box = (cx - radius, cy - radius, cx + radius, cy + radius)
            pen.ellipse(box, fill=(250, 250, 255, 215))
        out, mask = laid(pixels, layer)
        return same_frame(out, mask, flakes=count)
