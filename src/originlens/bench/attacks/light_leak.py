"""Warm light falling in from one side, as through a leaky film camera.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: part of the tone range is lost towards one side. Fails when: the picture is white.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, clipped, same_frame
from originlens.bench.attacks._displace import places
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("light-leak", "add a light leak", ms=28, paper=ANYPATTERN))
class LightLeak(Edit):
    """Screen-blend a warm glow centred at the border."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The glow reaches 90 % x strength of full light."""
        h, w = pixels.shape[:2]
        x, y = places((h, w))
        angle = float(rng.uniform(0, 2 * math.pi))
        cx, cy = w * (0.5 + 0.6 * math.cos(angle)), h * (0.5 + 0.6 * math.sin(angle))
        spread = float(rng.uniform(0.2, 0.5)) * math.hypot(h, w)
        glow = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / spread**2)[..., None]
        colour = np.array([1, rng.uniform(0.3, 0.7), rng.uniform(0, 0.3)], np.float32)
        light = 0.9 * strength * glow * colour
        return same_frame(clipped(255 - (255 - pixels) * (1 - light)), centre=[cx, cy])
