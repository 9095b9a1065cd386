"""Both sides stretched as old television pictures on wide screens are; the middle holds.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: the aspect ratio changes over the width. Fails when: only the middle is textured.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.bench.attacks._displace import displaced, places
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(
    attack_card("panorama-stretch", "stretch the sides, keep the middle", ms=20, paper=ANYPATTERN)
)
class PanoramaStretch(Edit):
    """Look up at u - k u^3 along one axis (u = -1 to 1)."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """k = 0.4 x strength; what lies further out is cut off."""
        h, w = pixels.shape[:2]
        x, y = places((h, w))
        k = 0.4 * strength
        upright = bool(rng.random() < 0.3)
        middle = ((h if upright else w) - 1) / 2
        u = ((y if upright else x) - middle) / max(1.0, middle)
        bent = middle + (u - k * u * u * u) * max(1.0, middle)
        out, mask = displaced(pixels, x, bent) if upright else displaced(pixels, bent, y)
        return same_frame(out, mask, k=k, upright=upright)
