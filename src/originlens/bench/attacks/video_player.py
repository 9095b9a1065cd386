"""The controls of a video player over the picture.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: a disc in the middle and a bar below. Fails when: never.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.bench.attacks._drawing import canvas, laid
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("video-player", "show as a paused video", ms=9.3, paper=ANYPATTERN))
class VideoPlayer(Edit):
    """A translucent disc with a triangle, a progress bar."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The disc is 10 % to 35 % of the short side with strength."""
        h, w = pixels.shape[:2]
        side = min(h, w)
        layer, pen = canvas((h, w))
        radius = max(1.0, side * (0.05 + 0.125 * strength))
        cx, cy = w / 2, h / 2
        pen.ellipse((cx - radius, cy - radius, cx + radius, cy + radius), fill=(0, 0, 0, 170))
        reach = 0.5 * radius
        pen.polygon(
            [(cx - 0.7 * reach, cy - reach), (cx - 0.7 * reach, cy + reach), (cx + reach, cy)],
            fill=(255, 255, 255, 255),
        )
        bar = max(1.0, 0.012 * side)
        played = float(rng.uniform(0.1, 0.9))
        y, left, right = 0.94 * h, 0.03 * w, 0.97 * w
        pen.rectangle((left, y, right, y + bar), fill=(255, 255, 255, 130))
        knob = left + played * (right - left)
        pen.rectangle((left, y, knob, y + bar), fill=(230, 20, 30, 255))
        pen.ellipse((knob - 2 * bar, y - 1.5 * bar, knob + 2 * bar, y + 2.5 * bar), fill="red")
        out, mask = laid(pixels, layer)
        return same_frame(out, mask, played=played)
