"""Changed aspect ratio: one side shrinks by up to a half, drawn which.

Paper: the edit list of AugLy. Why it works as a test: verification by similarity transforms must
cope with unequal scales. Fails when: the picture is one pixel wide or high.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, mapped
from originlens.bench.attacks._warp import resized
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("stretch", "change the aspect ratio", ms=4.5))
class Stretch(Edit):
    """Shrink the width or the height alone."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Factor 2 ** -strength on one side."""
        h, w = pixels.shape[:2]
        factor = 2.0**-strength
        if rng.random() < 0.5:
            size = (max(1, round(h * factor)), w)
        else:
            size = (h, max(1, round(w * factor)))
        out, transform = resized(pixels, size)
        return mapped(out, transform, None, height=size[0] / h, width=size[1] / w)
