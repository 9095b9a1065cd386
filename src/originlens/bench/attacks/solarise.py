"""Tones above a threshold inverted, as over-exposed film shows them.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: gradients change their sign in bright parts. Fails when: the picture is dark.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, mixed_in, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("solarise", "invert the bright tones", ms=6, paper=ANYPATTERN))
class Solarise(Edit):
    """Pillow's solarize with a drawn threshold, mixed in."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Threshold 96 to 144; share of the solarised picture in the mix = strength."""
        from PIL import Image as Pillow
        from PIL import ImageOps

        threshold = int(rng.integers(96, 145))
        out = np.asarray(ImageOps.solarize(Pillow.fromarray(pixels), threshold))
        return same_frame(mixed_in(pixels, out, strength), threshold=threshold)
