"""A short oblique text repeated all over the picture, translucent, as picture agencies do.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: the same edges recur at a regular distance. Fails when: the text's colour is the picture's.
Letters: Pillow's embedded font (Aileron, CC0).
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.bench.attacks._drawing import blend, cover, text_alpha, words
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(
    attack_card("tiled-watermark", "repeat a translucent text all over", ms=26, paper=ANYPATTERN)
)
class TiledWatermark(Edit):
    """Tile one line of text, turn it, blend it in."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Opacity 15 % + 45 % x strength; letters 5 % to 9 % of the short side."""
        import cv2

        h, w = pixels.shape[:2]
        height = max(5, round(min(h, w) * rng.uniform(0.05, 0.09)))
        text = words(2, rng)
        line = text_alpha(text, height)
        cell = np.pad(line, ((height, height), (height, height)))
        reach = math.ceil(math.hypot(h, w))
        times = (reach // cell.shape[0] + 1, reach // cell.shape[1] + 1)
        tiled = np.tile(cell, times)[:reach, :reach]
        turn = cv2.getRotationMatrix2D((reach / 2, reach / 2), float(rng.uniform(15, 45)), 1.0)
        turn[:, 2] += np.array([w - reach, h - reach]) / 2
        opacity = 0.15 + 0.45 * strength
        alpha = np.asarray(cv2.warpAffine(tiled, turn, (w, h))).reshape(h, w) * np.float32(opacity)
        colour = (255, 255, 255) if pixels.mean() < 150 else (0, 0, 0)
        out = pixels.copy()
        mask = np.zeros((h, w), bool)
        blend(out, alpha, colour, (0, 0))
        cover(mask, alpha, (0, 0))
        return same_frame(out, mask, text=text, opacity=opacity)
