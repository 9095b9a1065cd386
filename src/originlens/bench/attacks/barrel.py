"""Lens distortion, barrel or pincushion; the middle stays in place.

Paper: Brown 1966, Decentering distortion of lenses, Photogrammetric Engineering 32(3); own code.
Why it works as a test: straight lines bend, most of all at the edges. Fails when: only the middle
is textured.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._displace import displaced, places
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "Brown 1966, Decentering distortion of lenses, Photogrammetric Engineering 32(3); own code"


@register(attack_card("barrel", "distort as a lens does", ms=27, paper=PAPER))
class Barrel(Edit):
    """Look up at a radius scaled by 1 + k r^2 (r = 1 at the corners)."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """k = 0.35 x strength (barrel, black beyond the lens) or -0.25 x strength (pincushion)."""
        h, w = pixels.shape[:2]
        x, y = places((h, w))
        cx, cy = (w - 1) / 2, (h - 1) / 2
        k = strength * (0.35 if rng.random() < 0.5 else -0.25)
        dx, dy = x - cx, y - cy
        factor = 1 + k / max(1.0, cx * cx + cy * cy) * (dx * dx + dy * dy)
        out, mask = displaced(pixels, cx + dx * factor, cy + dy * factor, mirrored=False)
        return same_frame(out, mask, k=k)
