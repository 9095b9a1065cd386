"""One region in another colour.

Paper: the edit list of DISC21 (Douze et al. 2021, arXiv:2106.09672); own regions. Why it works as a
test: structure stays, colour changes in one place only. Fails when: the region is grey.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, same_frame
from originlens.bench.attacks._region import LARGEST, changed, feathered, textured_region
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("local-recolour", "change the colour of a region", ms=97))
class LocalRecolour(Edit):
    """Replace the region's chroma by one strong hue, keep its luma."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The region covers 30 % x strength of the picture."""
        import cv2

        spot = textured_region(pixels, LARGEST * strength, rng)
        ycc = cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb)
        angle = float(rng.uniform(0, 2 * np.pi))
        chroma = 128 + 60 * np.array([np.cos(angle), np.sin(angle)])
        ycc[..., 1:] = np.rint(0.2 * ycc[..., 1:] + 0.8 * chroma).astype(np.uint8)
        toned = cv2.cvtColor(ycc, cv2.COLOR_YCrCb2RGB)
        alpha = feathered(spot, sigma=min(spot.shape) / 300)
        out = clipped(pixels * (1 - alpha) + toned * alpha)
        return same_frame(out, changed(pixels, out), hue_degrees=float(np.degrees(angle)))
