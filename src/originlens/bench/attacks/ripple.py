"""Rings as of a stone thrown into water, fading outwards.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: structure is squeezed and stretched in rings. Fails when: the picture is smooth where the
rings are.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.bench.attacks._displace import displaced, places
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("ripple", "lay water rings over the picture", ms=24, paper=ANYPATTERN))
class Ripple(Edit):
    """Shift along the radius by a fading sine of the radius."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Amplitude 3 % x strength of the short side around a drawn centre."""
        h, w = pixels.shape[:2]
        x, y = places((h, w))
        cx, cy = (float(v) for v in rng.uniform(0.2, 0.8, 2) * [w, h])
        dx, dy = x - cx, y - cy
        radius = np.sqrt(dx * dx + dy * dy) + np.float32(1e-3)
        reach = 0.25 * min(h, w) + 1
        period = reach / float(rng.uniform(1.5, 3))
        amplitude = 0.03 * strength * min(h, w)
        shift = amplitude * np.sin(2 * math.pi / period * radius) * np.exp(-((radius / reach) ** 2))
        out, mask = displaced(pixels, x + dx / radius * shift, y + dy / radius * shift)
        return same_frame(out, mask, amplitude=amplitude, period=period, centre=[cx, cy])
