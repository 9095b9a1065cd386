"""A stamp: white border with a perforated rim, a value in the corner.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: a scalloped border is added and a corner covered. Fails when: never. Letters: Pillow's
embedded font (Aileron, CC0).
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, mapped
from originlens.bench.attacks._drawing import blend, cover, fitted_text, rounded_rectangle
from originlens.bench.attacks._warp import fill_colour, translation
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("postage-stamp", "frame as a postage stamp", ms=3.7, paper=ANYPATTERN))
class PostageStamp(Edit):
    """White margin with half-round notches on a plain ground, and a printed value."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Margin 6 % + 8 % x strength of the short side."""
        h, w = pixels.shape[:2]
        edge = max(2, round((0.06 + 0.08 * strength) * min(h, w)))
        size = (h + 2 * edge, w + 2 * edge)
        out = np.full((*size, 3), 250, np.uint8)
        ground = fill_colour(rng)
        radius = max(1, edge // 3)
        notch = rounded_rectangle((2 * radius, 2 * radius), radius)
        for x in range(0, size[1] + radius, 4 * radius):
            for y in (-radius, size[0] - radius):
                blend(out, notch, ground, (x - radius, y))
        for y in range(0, size[0] + radius, 4 * radius):
            for x in (-radius, size[1] - radius):
                blend(out, notch, ground, (x, y - radius))
        out[edge : edge + h, edge : edge + w] = pixels
        mask = np.ones(size, bool)
        mask[edge : edge + h, edge : edge + w] = False
        value = str(int(rng.integers(5, 100)))
        alpha = fitted_text(value, max(4, round(0.12 * h)), max(1, w // 2))[:h, :w]
        place = (edge + min(w - alpha.shape[1], edge), edge + min(h - alpha.shape[0], edge))
        blend(out, alpha, (255, 255, 255), place)
        cover(mask, alpha, place)
        return mapped(out, translation(edge, edge), mask, value=value)
