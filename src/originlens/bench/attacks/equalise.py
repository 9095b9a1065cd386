"""Histogram of every channel flattened.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: tones are spread by a curve of the picture's own. Fails when: the picture has one tone.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, mixed_in, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("equalise", "equalise the histogram", ms=6.2, paper=ANYPATTERN))
class Equalise(Edit):
    """Pillow's equalize, mixed in."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Share of the equalised picture in the mix = strength."""
        from PIL import Image as Pillow
        from PIL import ImageOps

        out = np.asarray(ImageOps.equalize(Pillow.fromarray(pixels)))
        return same_frame(mixed_in(pixels, out, strength), share=strength)
