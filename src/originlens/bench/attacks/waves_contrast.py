"""Contrast of WAVES: factor 1 + strength.

Paper: An et al. 2024, arXiv:2401.08573. Why it works as a test: both ends of the
tone scale are clipped. Fails when: the picture has one tone.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._waves import PAPER, absolute
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("waves-contrast", "raise the contrast (WAVES)", ms=7.2, paper=PAPER))
class WavesContrast(Edit):
    """Pillow's ImageEnhance.Contrast."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Factor 1 to 2, linear in strength."""
        from PIL import Image as Pillow
        from PIL import ImageEnhance

        factor = absolute("contrast", strength)
        out = ImageEnhance.Contrast(Pillow.fromarray(pixels)).enhance(factor)
        return same_frame(np.asarray(out), factor=factor)
