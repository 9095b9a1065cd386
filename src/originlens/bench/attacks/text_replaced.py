"""A plate of text: a strip in the local colour, covered by new words, as forged documents have it.

Paper: the edit list of DISC21 (Douze et al. 2021, arXiv:2106.09672); own drawing. Why it works as a
test: a small region with sharp new structure on a plain ground. Fails when: the picture is lower
than a letter. Letters: Pillow's embedded font (Aileron, CC0).
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._drawing import blend, text_alpha, words
from originlens.bench.attacks._region import LARGEST, changed
from originlens.bench.attacks._warp import random_fit
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("text-replaced", "replace a strip by new text", ms=56))
class TextReplaced(Edit):
    """Fill a strip with the mean colour of its place and write one line into it."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The strip covers 30 % x strength of the picture, at most 4 % of it per line height."""
        size = (pixels.shape[0], pixels.shape[1])
        grey = pixels.mean(axis=2)
        boxes = [random_fit(LARGEST * strength, size, rng) for _ in range(4)]
        # The most textured place of four: replacing clear sky by a plain plate changes little.
        x, y, w, h = max(
            boxes, key=lambda b: float(grey[b[1] : b[1] + b[3], b[0] : b[0] + b[2]].std())
        )
        out = pixels.copy()
        ground = pixels[y : y + h, x : x + w].reshape(-1, 3).mean(axis=0)
        out[y : y + h, x : x + w] = np.rint(ground).astype(np.uint8)
        ink = (0,) * 3 if ground.mean() > 127 else (255,) * 3
        line = words(int(rng.integers(1, 4)), rng).title()
        alpha = text_alpha(line, max(4, round(0.5 * h)))
        if alpha.shape[1] > w:
            alpha = text_alpha(line, max(4, round(0.5 * h * w / alpha.shape[1])))
        alpha = alpha[:h, :w]
        blend(out, alpha, ink, (x + (w - alpha.shape[1]) // 2, y + (h - alpha.shape[0]) // 2))
        return same_frame(out, changed(pixels, out), text=line, box=[x, y, x + w, y + h])
