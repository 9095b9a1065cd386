"""A gradient between two colours laid over the picture.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: colour and contrast change smoothly over the picture. Fails when: both colours match the
picture.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import (
    ANYPATTERN,
    Edit,
    attack_card,
    clipped,
    mixed_in,
    same_frame,
)
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(
    attack_card(
        "gradient-overlay", "lay a colour gradient over the picture", ms=39, paper=ANYPATTERN
    )
)
class GradientOverlay(Edit):
    """Blend with a linear gradient at a drawn angle."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Opacity 60 % x strength."""
        h, w = pixels.shape[:2]
        first, last = rng.uniform(0, 255, (2, 3)).astype(np.float32)
        angle = float(rng.uniform(0, 2 * math.pi))
        y, x = np.ogrid[:h, :w]
        along = (x / w - 0.5) * math.cos(angle) + (y / h - 0.5) * math.sin(angle) + 0.5
        along = np.clip(along, 0, 1).astype(np.float32)[..., None]
        layer = clipped(first * (1 - along) + last * along)
        opacity = 0.6 * strength
        return same_frame(mixed_in(pixels, layer, opacity), opacity=opacity)
