"""Under-exposed, with the noise that a sensor then shows.

Paper: Foi et al. 2008, IEEE TIP 17(10), Practical Poissonian-Gaussian noise modeling; own code. Why
it works as a test: few grey levels are left and noise drowns texture. Fails when: the picture is
dark already.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "Foi et al. 2008, IEEE TIP 17(10) (Poissonian-Gaussian noise); own code"


@register(attack_card("low-light", "under-expose with sensor noise", ms=59, paper=PAPER))
class LowLight(Edit):
    """Scale down, then shot noise and read noise."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Light 1 - 0.85 x strength; noise grows as light falls."""
        light = 1 - 0.85 * strength
        values = pixels * np.float32(light)
        noise = rng.standard_normal(pixels.shape, dtype=np.float32)
        sigma = np.sqrt(0.4 * strength * values + (3 * strength) ** 2)
        return same_frame(clipped(values + noise * sigma), light=light)
