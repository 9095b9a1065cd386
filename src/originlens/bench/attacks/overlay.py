"""Another picture laid over a part of this one, opaque or nearly.

Paper: the edit list of AugLy (overlay image). Why it works as a test: hides up to half of the
original and adds foreign structure. Fails when: never.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._drawing import blend, other_picture
from originlens.bench.attacks._warp import random_fit, resized
from originlens.core.image import Image, Pixels
from originlens.core.registry import register


@register(attack_card("overlay", "lay another picture over a part", ms=13))
class Overlay(Edit):
    """Scale one of ``others`` (or a drawn scene) and lay it over a random place."""

    def __init__(self, *, others: Sequence[Image] = ()) -> None:
        self.others = others

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Covers 60 % x strength of the area with an opacity of 0.8 to 1."""
        size = (pixels.shape[0], pixels.shape[1])
        x, y, w, h = random_fit(0.6 * strength, size, rng)
        other, name = other_picture(self.others, (h, w), rng)
        layer, _ = resized(other, (h, w))
        opacity = float(rng.uniform(0.8, 1.0))
        out = pixels.copy()
        blend(out, np.full((h, w), opacity, np.float32), layer, (x, y))
        mask = np.zeros(size, bool)
        mask[y : y + h, x : x + w] = True
        return same_frame(out, mask, overlay=name, box=[x, y, x + w, y + h], opacity=opacity)
