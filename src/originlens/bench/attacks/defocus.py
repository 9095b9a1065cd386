"""Out of focus: every point a disc.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: detail vanishes with ringing, unlike a Gaussian's. Fails when: the picture is smooth already.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("defocus", "put out of focus", ms=51, paper=ANYPATTERN))
class Defocus(Edit):
    """Average over a disc."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Radius 2 % x strength of the short side, at least 1 pixel."""
        import cv2

        radius = max(1.0, 0.02 * strength * min(pixels.shape[:2]))
        reach = math.ceil(radius)
        y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
        disc = np.clip(radius + 0.5 - np.sqrt(x * x + y * y), 0, 1).astype(np.float32)
        out = cv2.filter2D(pixels, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT)
        return same_frame(np.asarray(out, dtype=np.uint8).reshape(pixels.shape), radius=radius)
