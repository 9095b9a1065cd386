"""A social network's post: author above, the picture, buttons and a comment below.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: letters and icons around the picture, on a plain page. Fails when: never. Letters: Pillow's
embedded font (Aileron, CC0).
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, mapped
from originlens.bench.attacks._drawing import (
    blend,
    fitted_text,
    rounded_rectangle,
    text_alpha,
    words,
)
from originlens.bench.attacks._warp import fill_colour, translation
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("post", "frame as a social network's post", ms=6.9, paper=ANYPATTERN))
class Post(Edit):
    """A light or dark card with drawn author, text and buttons."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Bars above and below of 10 % to 40 % of the width with strength."""
        h, w = pixels.shape[:2]
        unit = max(3, round(w * (0.03 + 0.04 * strength)))
        top, bottom, side = 4 * unit, 4 * unit, unit // 2
        size = (h + top + bottom, w + 2 * side)
        dark = bool(rng.random() < 0.4)
        out = np.full((*size, 3), 24 if dark else 252, np.uint8)
        ink = (230, 230, 235) if dark else (25, 25, 30)
        avatar = rounded_rectangle((2 * unit, 2 * unit), unit)
        blend(out, avatar, fill_colour(rng), (unit, unit // 2))
        texts = [words(2, rng).title(), words(int(rng.integers(4, 9)), rng)]
        room = size[1] - 5 * unit
        for row, text in enumerate(texts):
            alpha = fitted_text(text, unit if row == 0 else max(4, round(0.8 * unit)), max(1, room))
            blend(out, alpha, ink, (4 * unit, unit // 2 + round(1.4 * row * unit)))
        button = rounded_rectangle((unit, unit), unit // 3)
        for column in range(3):
            colour = (225, 40, 70) if column == 0 else ink
            blend(out, button, colour, (unit + 3 * column * unit, top + h + unit // 2))
        likes = f"{int(rng.integers(2, 9999))} likes"
        blend(out, text_alpha(likes, unit), ink, (unit, top + h + 2 * unit))
        out[top : top + h, side : side + w] = pixels
        mask = np.ones(size, bool)
        mask[top : top + h, side : side + w] = False
        return mapped(out, translation(side, top), mask, texts=texts, dark=dark)
