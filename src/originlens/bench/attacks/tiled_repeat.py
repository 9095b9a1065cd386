"""The picture repeated as wallpaper.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: every feature recurs, the scale is smaller. Fails when: never.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, mapped
from originlens.bench.attacks._warp import resized
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("tiled-repeat", "repeat the picture in a grid", ms=4.6, paper=ANYPATTERN))
class TiledRepeat(Edit):
    """Shrunk copies fill the old frame; the transform leads to the first of them."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """2 x 2 to 4 x 4 copies with strength."""
        h, w = pixels.shape[:2]
        times = 2 + round(2 * strength * rng.random())
        size = (max(1, h // times), max(1, w // times))
        small, transform = resized(pixels, size)
        out = np.tile(small, (times, times, 1))
        mask = np.ones(out.shape[:2], bool)
        mask[: size[0], : size[1]] = False
        return mapped(out, transform, mask, times=times)
