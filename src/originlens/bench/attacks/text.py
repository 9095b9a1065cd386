"""Lines of text written over the picture.

Paper: the edit list of AugLy. Why it works as a test: strong edges that the original lacks; each
letter is a local change. Fails when: the picture is lower than a letter.
Letters: Pillow's embedded font (Aileron, CC0).
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._drawing import blend, cover, text_alpha, words
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("text", "write text over the picture", ms=7.7))
class Text(Edit):
    """One to four lines, opaque or nearly, in one colour, some with an outline or a plate."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Letter height 4 % to 20 % of the short side, one to four lines, growing with strength."""
        h, w = pixels.shape[:2]
        out = pixels.copy()
        mask = np.zeros((h, w), bool)
        height = max(4, round(min(h, w) * (0.04 + 0.16 * strength) * rng.uniform(0.8, 1.2)))
        colour = _legible_colour(rng)
        opacity = float(rng.uniform(0.8, 1.0))
        lines = []
        for _ in range(1 + round(3 * strength * rng.random())):
            line = words(int(rng.integers(2, 5)), rng)
            alpha = text_alpha(line, height, bold=bool(rng.random() < 0.5))
            limit = (max(1, w - alpha.shape[1] + 1), max(1, h - alpha.shape[0] + 1))
            place = (int(rng.integers(limit[0])), int(rng.integers(limit[1])))
            if rng.random() < 0.3:
                plate = np.full((alpha.shape[0] + 6, alpha.shape[1] + 10), opacity, np.float32)
                corner = (place[0] - 5, place[1] - 3)
                blend(out, plate, 255 - np.asarray(colour), corner)
                cover(mask, plate, corner)
            blend(out, alpha * opacity, colour, place)
            cover(mask, alpha, place)
            lines.append(line)
        return same_frame(out, mask, lines=lines, letter_height=height)


def _legible_colour(rng: np.random.Generator) -> tuple[int, int, int]:
    """White, black, or a saturated colour."""
    base = [(255, 255, 255), (0, 0, 0), (255, 230, 0), (220, 20, 20), (20, 60, 220)]
    return base[int(rng.integers(len(base)))]
