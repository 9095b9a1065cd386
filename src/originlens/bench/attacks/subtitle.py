"""One or two lines of subtitles.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: letters in the lower part, as on every film still. Fails when: the picture is lower than a
letter. Letters: Pillow's embedded font (Aileron, CC0).
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.bench.attacks._drawing import blend, cover, fitted_text, words
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("subtitle", "add subtitles", ms=9.3, paper=ANYPATTERN))
class Subtitle(Edit):
    """White or yellow letters with a dark outline, centred below."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Letters 4 % to 9 % of the height with strength."""
        import cv2

        h, w = pixels.shape[:2]
        out = pixels.copy()
        mask = np.zeros((h, w), bool)
        height = max(5, round(h * (0.04 + 0.05 * strength)))
        colour = (255, 255, 255) if rng.random() < 0.7 else (255, 235, 60)
        lines = [words(int(rng.integers(3, 7)), rng) for _ in range(int(rng.integers(1, 3)))]
        margin = max(2, height // 6)
        for row, line in enumerate(reversed(lines)):
            alpha = np.pad(fitted_text(line, height, round(0.9 * w)), margin)
            alpha = alpha[:h, :w]
            thick = cv2.dilate(alpha, np.ones((2 * (margin // 2) + 1,) * 2, np.uint8))
            y = max(0, round(0.95 * h - (row + 1) * 1.25 * height) - margin)
            place = ((w - alpha.shape[1]) // 2, min(y, h - 1))
            blend(out, np.asarray(thick), (10, 10, 10), place)
            blend(out, alpha, colour, place)
            cover(mask, np.asarray(thick), place)
        return same_frame(out, mask, lines=lines, letter_height=height)
