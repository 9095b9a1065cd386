"""A semi-transparent logo or repeated lettering, as picture agencies mark previews.

Paper: the edit list of AugLy (overlay); drawn by this code. Why it works as a test: the original
shines through everywhere. Fails when: never. Letters: Pillow's embedded font (Aileron, CC0).
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._drawing import blend, cover, text_alpha, words
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("logo", "lay a semi-transparent mark over the picture", ms=17))
class Logo(Edit):
    """Rotated lettering, repeated over the picture or once in a corner."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Opacity 0.1-0.6 and letters up to 15 % of the short side, growing with strength."""
        import cv2

        h, w = pixels.shape[:2]
        out, mask = pixels.copy(), np.zeros((h, w), bool)
        opacity = 0.1 + 0.5 * strength
        text = words(2, rng).title()
        alpha = text_alpha(text, max(4, round(min(h, w) * (0.04 + 0.11 * strength))), bold=True)
        th, tw = alpha.shape
        side = int(np.ceil(np.hypot(th, tw)))
        turn = cv2.getRotationMatrix2D((tw / 2, th / 2), float(rng.uniform(-45, 45)), 1)
        turn[:, 2] += [(side - tw) / 2, (side - th) / 2]
        mark = opacity * np.asarray(cv2.warpAffine(alpha, turn, (side, side)))
        repeated = bool(rng.random() < 0.5)
        step = max(4, side) + min(h, w) // 10
        rows = range(-side // 2, h, step) if repeated else [int(rng.integers(0, max(1, h - side)))]
        columns = (
            range(-side // 2, w, step) if repeated else [int(rng.integers(0, max(1, w - side)))]
        )
        colour = (255,) * 3 if rng.random() < 0.7 else (0,) * 3
        for y in rows:
            for x in columns:
                blend(out, mark, colour, (x, y))
                cover(mask, mark, (x, y))
        return same_frame(out, mask, text=text, opacity=opacity, repeated=repeated)
