"""A few palette colours with error diffusion, as in old GIFs.

Paper: Floyd, Steinberg 1976, An adaptive algorithm for spatial greyscale, Proc. SID 17(2). Why it
works as a test: smooth tones turn into dot patterns. Fails when: the picture has few colours.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "Floyd, Steinberg 1976, An adaptive algorithm for spatial greyscale, Proc. SID 17(2)"


@register(attack_card("dither", "reduce to a dithered palette", ms=320, paper=PAPER))
class Dither(Edit):
    """Pillow's median-cut palette and Floyd-Steinberg dither."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """64 colours at strength 0+ down to 2 at strength 1."""
        from PIL import Image as Pillow

        colours = max(2, round(2 ** (6 - 5 * strength)))
        picture = Pillow.fromarray(pixels)
        palette = picture.quantize(colours)
        dithered = picture.quantize(palette=palette, dither=Pillow.Dither.FLOYDSTEINBERG)
        return same_frame(np.asarray(dithered.convert("RGB")), colours=colours)
