"""Smeared along a line, as by a moved camera.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: detail across the motion vanishes. Fails when: structure runs along the motion.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("motion-blur", "blur along a line", ms=64, paper=ANYPATTERN))
class MotionBlur(Edit):
    """Average along a centred line at a drawn angle."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Length 8 % x strength of the short side, at least 3 pixels."""
        import cv2

        length = 2 * max(1, round(0.04 * strength * min(pixels.shape[:2]))) + 1
        angle = float(rng.uniform(0, math.pi))
        kernel = np.zeros((length, length), np.uint8)
        reach = (length - 1) / 2
        end = (reach * math.cos(angle), reach * math.sin(angle))
        points = [(round(reach + s * end[0]), round(reach + s * end[1])) for s in (-1, 1)]
        cv2.line(kernel, points[0], points[1], 255, 1, cv2.LINE_AA)
        weights = kernel.astype(np.float32) / max(1.0, float(kernel.sum()))
        out = np.asarray(cv2.filter2D(pixels, -1, weights, borderType=cv2.BORDER_REFLECT))
        return same_frame(out.reshape(pixels.shape), length=length, degrees=math.degrees(angle))
