"""The negative of the picture.

Paper: the edit list of AugLy. Why it works as a test: gradient directions turn round, which
gradient histograms do not survive. Fails when: the picture is mid-grey.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("invert", "show the negative", ms=0.91))
class Invert(Edit):
    """Invert at any strength above 0."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """255 - value."""
        return same_frame(255 - pixels, inverted=True)
