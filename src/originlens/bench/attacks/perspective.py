"""A perspective view: each corner moves inwards by up to 30 % of the side.

Paper: Hartley, Zisserman 2004, Multiple View Geometry, ch. 2. Why it works as a test: similarity
transforms no longer explain it. Fails when: never.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, mapped
from originlens.bench.attacks._warp import fill_colour, warped
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "Hartley, Zisserman 2004, Multiple View Geometry in Computer Vision, ch. 2"


@register(attack_card("perspective", "show the picture from an angle", ms=11, paper=PAPER))
class Perspective(Edit):
    """Move the four corners independently; what the picture leaves empty is filled."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Each corner moves inwards by 0 to 30 % x strength of each side."""
        import cv2

        h, w = pixels.shape[:2]
        # Edges, not centres, are the corners: a picture of one pixel still has a frame.
        corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float64) - 0.5
        inward = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
        moves = 0.3 * strength * rng.uniform(0, 1, (4, 2)) * inward * [w, h]
        target = corners + moves
        transform = np.asarray(
            cv2.getPerspectiveTransform(corners.astype(np.float32), target.astype(np.float32)),
            dtype=np.float64,
        )
        out, outside = warped(pixels, transform, (h, w), fill_colour(rng))
        return mapped(out, transform, outside, corners=target.round(2).tolist())
