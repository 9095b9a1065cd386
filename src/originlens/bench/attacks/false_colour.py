"""Brightness shown by a colour map, as thermal cameras do.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: colour gradients replace brightness gradients. Fails when: the picture has one tone.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, mixed_in, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("false-colour", "show brightness by a colour map", ms=3.1, paper=ANYPATTERN))
class FalseColour(Edit):
    """OpenCV's colour maps, mixed in."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Share of the false colours in the mix = strength."""
        import cv2

        names = ("VIRIDIS", "INFERNO", "MAGMA", "PLASMA", "JET")
        name = names[int(rng.integers(len(names)))]
        grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
        shown = cv2.applyColorMap(grey, getattr(cv2, f"COLORMAP_{name}"))
        layer = np.asarray(cv2.cvtColor(shown, cv2.COLOR_BGR2RGB)).reshape(pixels.shape)
        return same_frame(mixed_in(pixels, layer, strength), map=name.lower())
