"""A comic's speech bubble with words.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: hides a part behind a bright outlined shape with letters. Fails when: never. Letters: Pillow's
embedded font (Aileron, CC0).
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.bench.attacks._drawing import blend, canvas, cover, fitted_text, laid, words
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("speech-bubble", "add a speech bubble", ms=20, paper=ANYPATTERN))
class SpeechBubble(Edit):
    """A white ellipse with outline, tail and text."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """25 % to 60 % of the width with strength."""
        h, w = pixels.shape[:2]
        layer, pen = canvas((h, w))
        bw = max(4.0, w * (0.25 + 0.35 * strength))
        bh = max(3.0, min(0.5 * bw, 0.45 * h))
        x, y = (float(v) for v in rng.uniform(0, 1, 2) * [max(1, w - bw), max(1, 0.8 * h - bh)])
        line = max(1, round(0.01 * min(h, w)))
        tip = (x + bw * float(rng.uniform(0.1, 0.9)), y + bh * 1.35)
        foot = [(x + 0.4 * bw, y + 0.9 * bh), tip, (x + 0.6 * bw, y + 0.9 * bh)]
        pen.polygon(foot, fill="white", outline="black", width=line)
        pen.ellipse((x, y, x + bw, y + bh), fill="white", outline="black", width=line)
        pen.polygon([(foot[0][0], y + 0.86 * bh), tip, (foot[2][0], y + 0.86 * bh)], fill="white")
        out, mask = laid(pixels, layer)
        text = words(int(rng.integers(2, 4)), rng)
        alpha = fitted_text(text, max(4, round(0.3 * bh)), round(0.75 * bw))
        place = (round(x + (bw - alpha.shape[1]) / 2), round(y + (bh - alpha.shape[0]) / 2))
        blend(out, alpha, (0, 0, 0), place)
        cover(mask, alpha, place)
        return same_frame(out, mask, text=text)
