"""A news banner across the lower third.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: hides a strip behind flat colours and letters. Fails when: the picture is lower than a letter.
Letters: Pillow's embedded font (Aileron, CC0).
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.bench.attacks._drawing import blend, fitted_text, words
from originlens.core.image import Pixels
from originlens.core.registry import register

#: Red, blue and black of headline bars.
COLOURS = ((160, 20, 40), (20, 30, 130), (20, 20, 20))


@register(attack_card("lower-third", "add a news banner", ms=8.5, paper=ANYPATTERN))
class LowerThird(Edit):
    """A coloured headline bar over a lighter bar."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The banner is 12 % to 30 % of the height with strength."""
        h, w = pixels.shape[:2]
        out = pixels.copy()
        mask = np.zeros((h, w), bool)
        height = max(2, round(h * (0.12 + 0.18 * strength)))
        top = max(0, round(0.92 * h) - height)
        split = top + max(1, round(0.62 * height))
        left = round(w * rng.uniform(0, 0.08))
        right = w - left
        out[top:split, left:right] = COLOURS[int(rng.integers(len(COLOURS)))]
        out[split : top + height, left:right] = 235
        mask[top : top + height, left:right] = True
        headline, detail = words(3, rng).upper(), words(6, rng)
        for text, start, stop, ink in (
            (headline, top, split, 255),
            (detail, split, top + height, 20),
        ):
            alpha = fitted_text(
                text, max(4, round(0.65 * (stop - start))), round(0.92 * (right - left))
            )
            alpha = alpha[: max(1, stop - start), : max(1, right - left)]
            place = (left + round(0.03 * w), start + (stop - start - alpha.shape[0]) // 2)
            blend(out, alpha[:, : max(1, right - place[0])], (ink,) * 3, place)
        return same_frame(out, mask, headline=headline, detail=detail)
