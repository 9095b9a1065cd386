"""A region of another picture, set into this one with a soft seam.

Paper: Dong et al. 2013, CASIA, ChinaSIP (spliced objects); own regions. Why it works as a test: the
change map must light up exactly there. Fails when: never.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, same_frame
from originlens.bench.attacks._drawing import other_picture
from originlens.bench.attacks._region import LARGEST, changed, feathered, textured_region
from originlens.bench.attacks._warp import resized
from originlens.core.image import Image, Pixels
from originlens.core.registry import register

PAPER = "Dong et al. 2013, CASIA image tampering database, ChinaSIP"


@register(attack_card("splice", "set in a region of another picture", ms=93, paper=PAPER))
class Splice(Edit):
    """Copy a region of one of ``others`` (or of a drawn scene), scaled to this frame."""

    def __init__(self, *, others: Sequence[Image] = ()) -> None:
        self.others = others

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The region covers 30 % x strength of the picture."""
        size = (pixels.shape[0], pixels.shape[1])
        spot = textured_region(pixels, LARGEST * strength, rng)
        other, name = other_picture(self.others, size, rng)
        donor, _ = resized(other, size)
        alpha = feathered(spot, sigma=min(size) / 400)
        out = clipped(pixels * (1 - alpha) + donor * alpha)
        return same_frame(out, changed(pixels, out), donor=name)
