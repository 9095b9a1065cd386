"""Rows or columns shifted to and fro along a sine.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: straight structure bends everywhere. Fails when: the picture is constant along the waves.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.bench.attacks._displace import displaced, places
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("wave", "bend the picture along a sine", ms=24, paper=ANYPATTERN))
class Wave(Edit):
    """Shift one axis by a sine of the other."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Amplitude 4 % x strength of the short side, two to five periods."""
        h, w = pixels.shape[:2]
        x, y = places((h, w))
        amplitude = 0.04 * strength * min(h, w)
        periods, phase = float(rng.uniform(2, 5)), float(rng.uniform(0, 2 * math.pi))
        upright = bool(rng.random() < 0.5)
        if upright:
            y = y + amplitude * np.sin(2 * math.pi * periods / w * x + phase)
        else:
            x = x + amplitude * np.sin(2 * math.pi * periods / h * y + phase)
        out, mask = displaced(pixels, x, y)
        return same_frame(out, mask, amplitude=amplitude, periods=periods, upright=upright)
