"""Brightness mapped onto a scale between two colours.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: colour carries no information any more. Fails when: both colours are equally bright.
"""

from __future__ import annotations

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


@register(attack_card("duotone", "map the tones between two colours", ms=12, paper=ANYPATTERN))
class Duotone(Edit):
    """Dark colour for black, light colour for white, in between linear."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Share of the duotone in the mix = strength."""
        import cv2

        dark, light = rng.uniform(0, 90, 3), rng.uniform(160, 255, 3)
        grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)).reshape(pixels.shape[:2])
        scale = clipped(dark + np.linspace(0, 1, 256)[:, None] * (light - dark))
        told = {"dark": dark.round().tolist(), "light": light.round().tolist()}
        return same_frame(mixed_in(pixels, scale[grey], strength), **told)
