"""A region removed: filled in from its surroundings.

Paper: Telea 2004, J. Graphics Tools 9(1) (fast-marching inpainting). Why it works as a test: what
the original shows there is gone. Fails when: the region was smooth, then nothing changes.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._region import LARGEST, changed, textured_region
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "Telea 2004, Journal of Graphics Tools 9(1)"


@register(attack_card("removal", "remove a region by inpainting", ms=110, paper=PAPER))
class Removal(Edit):
    """Inpaint at up to 512 pixels and add the grain of the surroundings."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The region covers 30 % x strength of the picture."""
        import cv2

        h, w = pixels.shape[:2]
        spot = textured_region(pixels, LARGEST * strength, rng)
        # Inpainting costs seconds per megapixel and yields smooth values: done small, scaled up.
        factor = min(1.0, 512 / max(h, w))
        size = (max(1, round(w * factor)), max(1, round(h * factor)))
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        hole = cv2.resize(spot.astype(np.uint8), size, interpolation=cv2.INTER_AREA)
        hole = cv2.dilate((hole > 0).astype(np.uint8), np.ones((3, 3), np.uint8))
        filled = np.asarray(cv2.inpaint(small, hole, 3, cv2.INPAINT_TELEA), dtype=np.uint8)
        filled = np.asarray(cv2.resize(filled, (w, h), interpolation=cv2.INTER_CUBIC))
        grain = rng.normal(0, 2, (h, w, 1))
        textured = np.clip(np.rint(filled.reshape(pixels.shape) + grain), 0, 255).astype(np.uint8)
        out = np.where(spot[..., None], textured, pixels)
        return same_frame(out, changed(pixels, out), share=float(spot.mean()))
