"""Printed in a newspaper: grey, between headline and columns of text.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: colour is gone and dense text surrounds the picture. Fails when: never. Letters: Pillow's
embedded font (Aileron, CC0).
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, clipped, mapped, mixed_in
from originlens.bench.attacks._drawing import blend, fitted_text, text_alpha, words
from originlens.bench.attacks._warp import translation
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("newspaper", "print in a newspaper", ms=83, paper=ANYPATTERN))
class Newspaper(Edit):
    """Grey picture on off-white paper with headline and columns."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The page adds 30 % to 120 % of the height with strength."""
        import cv2

        h, w = pixels.shape[:2]
        unit = max(4, round(w / 40))
        extra = max(4 * unit, round((0.3 + 0.9 * strength) * h))
        head = min(extra // 2, 4 * unit)
        size = (h + extra, w + 2 * unit)
        out = np.full((*size, 3), (238, 234, 224), np.uint8)
        title = words(4, rng).title()
        blend(out, fitted_text(title, max(4, head - unit), w), (20, 20, 20), (unit, unit // 2))
        columns = 3
        width = max(1, w // columns - unit)
        for column in range(columns):
            for row in range(head + h + unit, size[0] - unit, round(1.4 * unit)):
                line = text_alpha(words(6, rng), unit)[:, :width]
                blend(out, line, (45, 45, 45), (unit + column * (width + unit), row))
        grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)).reshape(h, w)
        table = clipped(30 + np.arange(256) * (200 / 255))
        out[head : head + h, unit : unit + w] = mixed_in(pixels, table[grey], min(1, 2 * strength))
        mask = np.ones(size, bool)
        mask[head : head + h, unit : unit + w] = False
        return mapped(out, translation(unit, head), mask, title=title)
