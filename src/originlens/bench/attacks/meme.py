"""Caption bars above and below the picture, or captions on it, as memes have them.

Paper: the edit list of AugLy. Why it works as a test: a margin plus big letters. Fails when: the
picture is lower than a letter. Letters: Pillow's embedded font (Aileron, CC0).
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, mapped
from originlens.bench.attacks._drawing import blend, cover, text_alpha, words
from originlens.bench.attacks._warp import translation
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("meme", "add caption bars", ms=8.5))
class Meme(Edit):
    """White or black bars with words; sometimes only one bar."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Each bar is as high as 60 % x strength of the picture (at least 2 pixels)."""
        h, w = pixels.shape[:2]
        bar = max(2, round(0.6 * strength * h * rng.uniform(0.5, 1)))
        top, bottom = ((bar, bar), (bar, 0), (0, bar))[int(rng.integers(3))]
        paper = 255 * int(rng.random() < 0.7)
        out = np.full((top + h + bottom, w, 3), paper, np.uint8)
        out[top : top + h] = pixels
        mask = np.ones(out.shape[:2], bool)
        mask[top : top + h] = False
        captions = []
        for start, height in ((0, top), (top + h, bottom)):
            if height:
                line = words(int(rng.integers(2, 6)), rng).upper()
                alpha = _fitted(line, round(height * 0.6), w)
                place = ((w - alpha.shape[1]) // 2, start + (height - alpha.shape[0]) // 2)
                blend(out, alpha, (255 - paper,) * 3, place)
                captions.append(line)
        if rng.random() < 0.5:
            line = words(2, rng).upper()
            alpha = _fitted(line, max(4, round(0.12 * h)), w)
            place = ((w - alpha.shape[1]) // 2, top + round(0.85 * h) - alpha.shape[0])
            blend(out, alpha, (255, 255, 255), place)
            cover(mask, alpha, place)
            captions.append(line)
        return mapped(out, translation(0, top), mask, bars=[top, bottom], captions=captions)


def _fitted(line: str, height: int, width: int) -> np.ndarray:
    """The line's letters at most ``height`` high and ``width`` wide (as far as 4 px letters go)."""
    alpha = text_alpha(line, height, bold=True)
    if alpha.shape[1] > 0.95 * width:
        alpha = text_alpha(line, round(height * 0.95 * width / alpha.shape[1]), bold=True)
    return alpha
