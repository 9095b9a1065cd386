"""Tones above a threshold inverted, as over-exposed film shows them.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: gradients change their sign in bright parts. Fails when: the picture is flat.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("solarise", "invert the bright tones", ms=13, paper=ANYPATTERN))
class Solarise(Edit):
    """Pillow's solarize."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The brightest 80 % x strength of the channel values are inverted."""
        from PIL import Image as Pillow
        from PIL import ImageOps

        threshold = int(np.quantile(pixels, 1 - 0.8 * strength))
        out = ImageOps.solarize(Pillow.fromarray(pixels), threshold)
        return same_frame(np.asarray(out), threshold=threshold)
