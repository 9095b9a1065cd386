"""Opaque stripes over the picture, horizontal, vertical or oblique.

Paper: the edit list of AugLy (overlay stripes); own code. Why it works as a test: hides regular
parts and adds strong straight edges. Fails when: never.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, same_frame
from originlens.bench.attacks._warp import fill_colour
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("stripes", "lay stripes over the picture", ms=27))
class Stripes(Edit):
    """Periodic stripes of one colour, opacity 0.6 to 1."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Stripes cover 60 % x strength of the picture; 4 to 12 periods across the long side."""
        h, w = pixels.shape[:2]
        angle = float(rng.choice([0, np.pi / 2, rng.uniform(0, np.pi)]))
        period = max(h, w) / float(rng.uniform(4, 12))
        y, x = np.ogrid[:h, :w]
        phase = (x * np.cos(angle) + y * np.sin(angle)) / period + rng.random()
        mask = np.asarray(phase % 1 < 0.6 * strength)
        opacity = float(rng.uniform(0.6, 1.0))
        out = pixels.copy()
        out[mask] = clipped(out[mask] * (1 - opacity) + np.array(fill_colour(rng)) * opacity)
        return same_frame(out, mask, degrees=float(np.degrees(angle)), opacity=opacity)
