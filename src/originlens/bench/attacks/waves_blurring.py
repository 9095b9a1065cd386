"""Blurring of WAVES: Gaussian of a whole-numbered radius up to 20 pixels.

Paper: An et al. 2024, arXiv:2401.08573. Why it works as a test: fine detail vanishes. Fails when:
strength is below 0.05, whose radius is 0: nothing changes then, as in WAVES.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._waves import PAPER, absolute, whole
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("waves-blurring", "blur (WAVES)", ms=46, paper=PAPER))
class WavesBlurring(Edit):
    """Pillow's GaussianBlur, whose radius is the standard deviation."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Radius 0 to 20 pixels, linear in strength, fractions cut off."""
        from PIL import Image as Pillow
        from PIL import ImageFilter

        radius = whole(absolute("blurring", strength))
        out = Pillow.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius))
        return same_frame(np.asarray(out), radius=radius)
