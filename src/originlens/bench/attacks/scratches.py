"""Scratches and dust of an old print.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: thin lines and specks that the original lacks. Fails when: never.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.bench.attacks._drawing import canvas, laid
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("scratches", "add scratches and dust", ms=8.8, paper=ANYPATTERN))
class Scratches(Edit):
    """Thin light or dark lines, mostly upright, and small specks."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Up to 25 scratches and 150 specks x strength."""
        h, w = pixels.shape[:2]
        layer, pen = canvas((h, w))
        for _ in range(max(1, round(25 * strength))):
            x, y = (float(v) for v in rng.uniform(0, 1, 2) * [w, h])
            lean, length = float(rng.normal(0, 0.04)), float(rng.uniform(0.05, 0.6)) * h
            tone = 235 if rng.random() < 0.7 else 25
            end = (x + lean * length, y + length)
            pen.line([(x, y), end], fill=(tone, tone, tone, 200), width=1)
        for _ in range(max(1, round(150 * strength))):
            x, y = (float(v) for v in rng.uniform(0, 1, 2) * [w, h])
            radius = float(rng.uniform(0.3, 1.0)) * max(1.0, min(h, w) / 250)
            tone = 240 if rng.random() < 0.5 else 20
            box = (x - radius, y - radius, x + radius, y + radius)
            pen.ellipse(box, fill=(tone, tone, tone, 220))
        out, mask = laid(pixels, layer)
        return same_frame(out, mask)
