"""On a billboard, in perspective, inside another picture.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: perspective, loss of scale and foreign surroundings at once. Fails when: the copy is only a
few pixels wide.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, mapped
from originlens.bench.attacks._drawing import other_picture
from originlens.bench.attacks._warp import resized, warped
from originlens.core.image import Image, Pixels
from originlens.core.registry import register


@register(attack_card("billboard", "show on a billboard in a scene", ms=23, paper=ANYPATTERN))
class Billboard(Edit):
    """Warp the picture onto a framed quadrilateral of another picture or a drawn scene."""

    def __init__(self, *, others: Sequence[Image] = ()) -> None:
        self.others = others

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Scaled to 95 % down to 50 % with strength; corners move by up to 15 % x strength."""
        import cv2

        h, w = pixels.shape[:2]
        other, name = other_picture(self.others, (h, w), rng)
        out, _ = resized(other, (h, w))
        scale = 0.95 - 0.45 * strength
        start = rng.uniform(0, 1 - scale, 2) * [w, h]
        corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float64) - 0.5
        inward = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
        moved = (corners + 0.15 * strength * rng.uniform(0, 1, (4, 2)) * inward * [w, h]) * scale
        moved += start
        transform = cv2.getPerspectiveTransform(
            corners.astype(np.float32), moved.astype(np.float32)
        )
        shown, outside = warped(pixels, transform, (h, w), (0, 0, 0))
        frame = cv2.dilate((~outside).astype(np.uint8), np.ones((7, 7), np.uint8))
        out = np.where(np.asarray(frame).reshape(h, w, 1) > 0, np.uint8(30), out)
        out = np.where(outside[..., None], out, shown)
        return mapped(out, transform, outside, scene=name)
