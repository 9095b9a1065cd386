"""Mirrored below itself and fading, as on a polished table.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: mirrored structure is appended. Fails when: never.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, clipped, mapped
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("reflection", "append a fading reflection", ms=5.8, paper=ANYPATTERN))
class Reflection(Edit):
    """The flipped lower part, fading into black or white."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The reflection is up to 70 % x strength of the height high, at least a pixel."""
        h, w = pixels.shape[:2]
        depth = min(h, math.ceil(0.7 * strength * h))
        ground = 255.0 * int(rng.random() < 0.5)
        fade = np.linspace(0.7, 0, depth)[:, None, None]
        mirror = clipped(pixels[::-1][:depth] * fade + ground * (1 - fade))
        out = np.concatenate([pixels, mirror])
        mask = np.zeros((h + depth, w), bool)
        mask[h:] = True
        return mapped(out, np.eye(3), mask, depth=depth)
