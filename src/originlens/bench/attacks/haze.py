"""Haze that thickens towards the top, as with distance.

Paper: Narasimhan, Nayar 2002, Vision and the atmosphere, IJCV 48(3) (scattering model); own code.
Why it works as a test: contrast falls smoothly to nothing. Fails when: the picture has no contrast
to lose.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "Narasimhan, Nayar 2002, Vision and the atmosphere, IJCV 48(3) (scattering model); own code"


@register(attack_card("haze", "add haze", ms=6.8, paper=PAPER))
class Haze(Edit):
    """Blend with air light as the scattering model does: I t + A (1 - t)."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Transmission at the top 1 - 0.8 x strength, at the bottom half as much haze."""
        h = pixels.shape[0]
        air = rng.uniform(190, 245)
        thickness = np.linspace(1, 0.5, h, dtype=np.float32)[:, None, None]
        transmission = 1 - 0.8 * strength * thickness
        return same_frame(clipped(pixels * transmission + air * (1 - transmission)), air=float(air))
