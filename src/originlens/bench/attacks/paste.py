"""Picture in picture: the picture covers 1 - strength of another picture.

Paper: Douze et al. 2021, DISC21, arXiv:2106.09672 (overlays hidden in unrelated pictures). Why it
works as a test: a global signature describes the host, not the pasted picture. Fails when: the
pasted copy is only a few pixels wide.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, mapped
from originlens.bench.attacks._drawing import other_picture
from originlens.bench.attacks._warp import resized, translation
from originlens.core.image import Image, Pixels
from originlens.core.registry import register

PAPER = "Douze et al. 2021, DISC21, arXiv:2106.09672 (overlays on unrelated pictures)"


@register(attack_card("paste", "paste the picture into another one", ms=4.7, paper=PAPER))
class Paste(Edit):
    """Scale the picture and put it at a random place of a host.

    The host is one of ``others`` (drawn from the generator) or, without any, a drawn scene. It is
    scaled so that the pasted picture keeps its size unless the host would exceed 12 megapixels.
    """

    def __init__(self, *, others: Sequence[Image] = ()) -> None:
        self.others = others

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The picture covers 1 - strength of the host's area, at least 2 %."""
        h, w = pixels.shape[:2]
        share = max(0.02, 1 - strength)
        host, name = other_picture(self.others, (h, w), rng)
        # The host takes the shape that fits the share; its aspect is kept where the picture fits.
        aspect = host.shape[1] / host.shape[0]
        area = h * w / share
        low, high = w * w / area, area / (h * h)
        aspect = min(max(aspect, low), high)
        size = (max(h, round(np.sqrt(area / aspect))), max(w, round(np.sqrt(area * aspect))))
        shrink = min(1.0, np.sqrt(12e6 / (size[0] * size[1])))
        size = (max(1, round(size[0] * shrink)), max(1, round(size[1] * shrink)))
        inner_size = (max(1, round(h * shrink)), max(1, round(w * shrink)))
        inner, scale = resized(pixels, inner_size) if shrink < 1 else (pixels, np.eye(3))
        out, _ = resized(_cut_to_aspect(host, size), size)
        x = int(rng.integers(0, size[1] - inner.shape[1] + 1))
        y = int(rng.integers(0, size[0] - inner.shape[0] + 1))
        out[y : y + inner.shape[0], x : x + inner.shape[1]] = inner
        mask = np.ones(size, bool)
        mask[y : y + inner.shape[0], x : x + inner.shape[1]] = False
        return mapped(out, translation(x, y) @ scale, mask, host=name, share=share)


def _cut_to_aspect(host: Pixels, size: tuple[int, int]) -> Pixels:
    """The middle of the host with the aspect ratio of (height, width) ``size``."""
    h, w = host.shape[:2]
    keep_w = max(1, min(w, round(h * size[1] / size[0])))
    keep_h = max(1, min(h, round(w * size[0] / size[1])))
    y, x = (h - keep_h) // 2, (w - keep_w) // 2
    return host[y : y + keep_h, x : x + keep_w].copy()
