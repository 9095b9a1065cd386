"""Darkened corners and a light leak, as photo apps add them.

Paper: the edit list of AugLy; own formula. Why it works as a test: brightness changes smoothly over
the picture. Fails when: the picture is black.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("vignette", "darken the corners", ms=11))
class Vignette(Edit):
    """Multiply by a smooth fall-off around a centre near the middle."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Corners lose up to 90 % x strength of their light."""
        h, w = pixels.shape[:2]
        cx, cy = rng.uniform(0.35, 0.65, 2) * [w, h]
        y, x = np.ogrid[:h, :w]
        radius = ((x - cx) / (0.75 * w)) ** 2 + ((y - cy) / (0.75 * h)) ** 2
        gain = 1 - 0.9 * strength * np.clip(radius, 0, 1)
        return same_frame(clipped(pixels * gain[..., None].astype(np.float32)), loss=0.9 * strength)
