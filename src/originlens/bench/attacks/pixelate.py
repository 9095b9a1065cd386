"""The whole picture as coarse blocks.

Paper: the edit list of AugLy. Why it works as a test: detail is gone, block edges are added. Fails
when: the picture has fewer pixels than blocks.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("pixelate", "show coarse blocks", ms=4.5))
class Pixelate(Edit):
    """Average over blocks and enlarge again without smoothing."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The short side keeps 2 ** -(5 x strength) of its pixels, but at least 24 blocks."""
        import cv2

        h, w = pixels.shape[:2]
        factor = max(2.0 ** (-5 * strength), min(1.0, 24 / min(h, w)))
        size = (max(1, round(w * factor)), max(1, round(h * factor)))
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        out = np.asarray(cv2.resize(small, (w, h), interpolation=cv2.INTER_NEAREST), dtype=np.uint8)
        return same_frame(out.reshape(pixels.shape), blocks=list(size))
