"""The date burnt into a corner, as old cameras did.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: small bright digits. Fails when: the picture is lower than a digit. Letters: Pillow's embedded
font (Aileron, CC0).
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.bench.attacks._drawing import blend, cover, fitted_text
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("date-stamp", "stamp the date", ms=2.6, paper=ANYPATTERN))
class DateStamp(Edit):
    """Orange digits near a lower corner."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Digits 3 % to 10 % of the height with strength."""
        h, w = pixels.shape[:2]
        out = pixels.copy()
        mask = np.zeros((h, w), bool)
        day, month = int(rng.integers(1, 29)), int(rng.integers(1, 13))
        text = f"{day:02d} {month:02d} '{int(rng.integers(80, 100))}"
        alpha = fitted_text(text, max(4, round(h * (0.03 + 0.07 * strength))), round(0.9 * w))
        alpha = alpha[:h, :w]
        y = h - alpha.shape[0] - min(h - alpha.shape[0], round(0.05 * h))
        gap = min(w - alpha.shape[1], round(0.05 * w))
        x = w - alpha.shape[1] - gap if rng.random() < 0.8 else gap
        blend(out, alpha, (255, 150, 40), (x, y))
        cover(mask, alpha, (x, y))
        return same_frame(out, mask, text=text)
