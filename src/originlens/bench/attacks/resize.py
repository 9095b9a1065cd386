"""Smaller size: both sides times 1 - strength, at least 5 %.

Paper: the edit list of AugLy. Why it works as a test: detail above the new Nyquist limit is gone.
Fails when: the picture is a few pixels small already.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, mapped
from originlens.bench.attacks._warp import resized
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("resize", "scale down", ms=4.9))
class Resize(Edit):
    """Scale both sides by the same factor (rounded to whole pixels)."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Factor 1 - strength, at least 0.05."""
        h, w = pixels.shape[:2]
        factor = max(0.05, 1 - strength)
        size = (max(1, round(h * factor)), max(1, round(w * factor)))
        out, transform = resized(pixels, size)
        return mapped(out, transform, None, factor=factor)
