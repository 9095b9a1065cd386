"""Something circled in red with an arrow to it.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: strong thin edges that the original lacks. Fails when: never. Letters: Pillow's embedded font
(Aileron, CC0).
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, Mask, attack_card, same_frame
from originlens.bench.attacks._drawing import blend, canvas, cover, laid, text_alpha
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("annotation", "circle something and point at it", ms=12, paper=ANYPATTERN))
class Annotation(Edit):
    """An ellipse outline, an arrow and sometimes a question mark."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Pen up to 2.5 % x strength of the short side."""
        h, w = pixels.shape[:2]
        side = min(h, w)
        layer, pen = canvas((h, w))
        colour = (*((230, 20, 20), (255, 225, 0), (20, 200, 60))[int(rng.integers(3))], 255)
        width = max(1, round(0.025 * strength * side))
        cx, cy = (float(v) for v in rng.uniform(0.25, 0.75, 2) * [w, h])
        rx, ry = (float(v) for v in rng.uniform(0.08, 0.2, 2) * side + 1)
        pen.ellipse((cx - rx, cy - ry, cx + rx, cy + ry), outline=colour, width=width)
        angle = float(rng.uniform(0, 2 * math.pi))
        ux, uy = math.cos(angle), math.sin(angle)
        head = (cx + 1.1 * rx * ux, cy + 1.1 * ry * uy)
        tail = (head[0] + 0.25 * side * ux, head[1] + 0.25 * side * uy)
        pen.line([tail, head], fill=colour, width=width)
        barb = 0.05 * side + width
        for turn in (-0.5, 0.5):
            bx, by = math.cos(angle + turn), math.sin(angle + turn)
            pen.line([head, (head[0] + barb * bx, head[1] + barb * by)], fill=colour, width=width)
        out, mask = laid(pixels, layer)
        if rng.random() < 0.5:
            alpha = text_alpha("?", max(4, round(0.15 * side)), bold=True)
            place = (round(tail[0]), round(tail[1]))
            inside = -alpha.shape[1] < place[0] < w and -alpha.shape[0] < place[1] < h
            if inside:
                blend(out, alpha, colour[:3], place)
                _marked(mask, alpha, place)
        return same_frame(out, mask, centre=[cx, cy], width=width)


def _marked(mask: Mask, alpha: np.ndarray, place: tuple[int, int]) -> None:
    """Mark where a layer that may begin left of or above the frame lies at (x, y)."""
    left, top = max(0, -place[0]), max(0, -place[1])
    cover(mask, alpha[top:, left:], (max(0, place[0]), max(0, place[1])))
