"""Bars on two sides, plain or filled with the blurred picture, to reach another aspect ratio.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: the frame's proportions change. Fails when: never.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, mapped
from originlens.bench.attacks._warp import translation
from originlens.core.image import Pixels
from originlens.core.registry import register

_REDUCTION = 8


@register(attack_card("letterbox", "pad to another aspect ratio", ms=6.5, paper=ANYPATTERN))
class Letterbox(Edit):
    """Bars above and below or at both sides."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Each bar is up to 35 % x strength of the side, at least a pixel."""
        import cv2

        h, w = pixels.shape[:2]
        upright = bool(rng.random() < 0.5)
        bar = math.ceil(0.35 * strength * (h if upright else w) * rng.uniform(0.4, 1))
        size = (h + 2 * bar, w) if upright else (h, w + 2 * bar)
        top, left = (bar, 0) if upright else (0, bar)
        blurred = bool(rng.random() < 0.4)
        if blurred:
            # A blur this wide leaves nothing that a small picture would not hold.
            small = tuple(max(1, -(-side // _REDUCTION)) for side in size)
            stretched = cv2.resize(pixels, small[::-1], interpolation=cv2.INTER_AREA)
            soft = cv2.GaussianBlur(stretched, (0, 0), max(1.0, 0.04 * min(small)))
            wide = cv2.resize(soft, size[::-1], interpolation=cv2.INTER_LINEAR)
            out = np.asarray(wide, dtype=np.uint8).reshape(*size, 3).copy()
        else:
            out = np.zeros((*size, 3), np.uint8)
        out[top : top + h, left : left + w] = pixels
        mask = np.ones(size, bool)
        mask[top : top + h, left : left + w] = False
        return mapped(out, translation(left, top), mask, bar=bar, blurred=blurred)
