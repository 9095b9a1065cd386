"""Noise of WAVES: Gaussian, sigma up to a tenth of the full scale.

Paper: An et al. 2024, arXiv:2401.08573. Why it works as a test: drowns weak texture. Fails when:
never; in black and white parts clipping halves the noise.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, same_frame
from originlens.bench.attacks._waves import PAPER, absolute
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("waves-noise", "add Gaussian noise (WAVES)", ms=45, paper=PAPER))
class WavesNoise(Edit):
    """Independent noise in every channel of every pixel, clamped."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Sigma 0 to 0.1 of the range [0, 1], linear in strength."""
        sigma = absolute("noise", strength)
        noise = rng.standard_normal(pixels.shape, dtype=np.float32)
        return same_frame(clipped(pixels + np.float32(255 * sigma) * noise), sigma=sigma)
