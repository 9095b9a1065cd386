"""An instant photograph: white frame, broad at the bottom, a caption, slightly turned.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: scale stays, but frame, turn and ground are new. Fails when: never. Letters: Pillow's embedded
font (Aileron, CC0).
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, mapped
from originlens.bench.attacks._drawing import blend, fitted_text, words
from originlens.bench.attacks._warp import carried, fill_colour, translation, warped
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("polaroid", "frame as an instant photograph", ms=37, paper=ANYPATTERN))
class Polaroid(Edit):
    """Frame, caption, shadowless placement on a plain ground."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Frame 5 % + 5 % x strength, turned up to 12 degrees x strength."""
        h, w = pixels.shape[:2]
        edge = max(2, round((0.05 + 0.05 * strength) * min(h, w)))
        card = np.full((h + 5 * edge, w + 2 * edge, 3), (248, 247, 242), np.uint8)
        card[edge : edge + h, edge : edge + w] = pixels
        hidden = np.ones(card.shape[:2], bool)
        hidden[edge : edge + h, edge : edge + w] = False
        caption = words(2, rng)
        alpha = fitted_text(caption, max(4, 2 * edge), w)
        place = (edge + max(0, (w - alpha.shape[1]) // 2), h + 2 * edge)
        blend(card, alpha, (50, 50, 70), place)
        ch, cw = card.shape[:2]
        angle = math.radians(12 * strength * rng.uniform(-1, 1))
        cos, sin = math.cos(angle), math.sin(angle)
        size = (
            math.ceil(abs(cw * sin) + abs(ch * cos)) + 2 * edge,
            math.ceil(abs(cw * cos) + abs(ch * sin)) + 2 * edge,
        )
        turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        centred = translation((size[1] - 1) / 2, (size[0] - 1) / 2) @ turn
        transform = centred @ translation(-(cw - 1) / 2, -(ch - 1) / 2)
        out, outside = warped(card, transform, size, fill_colour(rng))
        mask = outside | carried(hidden, transform, size)
        told = {"caption": caption, "degrees": math.degrees(angle)}
        return mapped(out, transform @ translation(edge, edge), mask, **told)
