"""Enlarged without smoothing, as by careless scripts.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: pixel steps add a grid of edges. Fails when: never.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, mapped
from originlens.core.geometry import scaling
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("nearest-upscale", "enlarge without smoothing", ms=3.1, paper=ANYPATTERN))
class NearestUpscale(Edit):
    """Repeat the nearest pixel."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Factor 1 + strength on both sides."""
        import cv2

        h, w = pixels.shape[:2]
        factor = 1 + strength
        size = (max(1, round(h * factor)), max(1, round(w * factor)))
        out = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
        out = np.asarray(out, dtype=np.uint8).reshape(*size, 3)
        return mapped(out, scaling((h, w), size), None, factor=factor)
