"""One region blurred or pixelated, as faces and number plates are hidden.

Paper: the edit list of AugLy; own regions. Why it works as a test: a change map must tell this from
a blur of the whole picture. Fails when: the region was smooth.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._region import LARGEST, changed, textured_region
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("local-blur", "blur or pixelate a region", ms=74))
class LocalBlur(Edit):
    """Gaussian blur or blocks, strong enough to hide a face of the region's size."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The region covers 30 % x strength of the picture."""
        import cv2

        h, w = pixels.shape[:2]
        spot = textured_region(pixels, LARGEST * strength, rng)
        width = max(1.0, 0.12 * float(np.sqrt(spot.sum())))
        blocks = bool(rng.random() < 0.5)
        if blocks:
            size = (max(1, round(w / width)), max(1, round(h / width)))
            small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
            hidden = cv2.resize(small, (w, h), interpolation=cv2.INTER_NEAREST)
        else:
            hidden = cv2.GaussianBlur(pixels, (0, 0), width)
        hidden = np.asarray(hidden, dtype=np.uint8).reshape(pixels.shape)
        out = np.where(spot[..., None], hidden, pixels)
        return same_frame(out, changed(pixels, out), width=width, blocks=blocks)
