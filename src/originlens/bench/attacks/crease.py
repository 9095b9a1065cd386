"""Folded and flattened again: pale cracks with shading on both sides.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: straight lines with a step in brightness. Fails when: the picture is white.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, clipped, same_frame
from originlens.bench.attacks._displace import places
from originlens.bench.attacks._region import changed
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("crease", "crease like paper", ms=70, paper=ANYPATTERN))
class Crease(Edit):
    """Straight folds through the picture, each a pale line between light and shade."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """One to five folds; shading up to 45 % x strength."""
        h, w = pixels.shape[:2]
        x, y = places((h, w))
        gain = np.ones((h, w), np.float32)
        crack = np.zeros((h, w), np.float32)
        reach = 0.03 * min(h, w) + 1
        folds = 1 + round(4 * strength * rng.random())
        for _ in range(folds):
            angle = float(rng.uniform(0, math.pi))
            cx, cy = (float(v) for v in rng.uniform(0.15, 0.85, 2) * [w, h])
            distance = (x - cx) * math.cos(angle) + (y - cy) * math.sin(angle)
            gain *= 1 + 0.45 * strength * np.sign(distance) * np.exp(-np.abs(distance) / reach)
            crack = np.maximum(crack, np.clip(1.2 - np.abs(distance), 0, 1))
        values = pixels * gain[..., None]
        pale = (0.4 + 0.5 * strength) * crack[..., None]
        out = clipped(values * (1 - pale) + 235 * pale)
        return same_frame(out, changed(pixels, out), folds=folds)
