"""Colour saturation of DeeperForensics-1.0: both chroma channels shrink towards grey.

Paper: Jiang et al. 2020, arXiv:2001.03024; strengths 0.2, 0.4 ... 1.0 are its levels 1 to 5. Why it
works as a test: colour cues vanish, at level 5 all of them. Fails when: the picture is grey.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, same_frame
from originlens.bench.attacks._deeper import PAPER, SATURATION, chosen
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("df-saturation", "take colour away (DeeperForensics)", ms=21, paper=PAPER))
class DeeperSaturation(Edit):
    """Scale Cb and Cr."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Factor 0.4, 0.3, 0.2, 0.1 or 0."""
        import cv2

        level, factor = chosen(SATURATION, strength)
        values = np.asarray(cv2.cvtColor(pixels.astype(np.float32), cv2.COLOR_RGB2GRAY))
        grey = values.reshape(pixels.shape[:2])[..., None]
        return same_frame(clipped(grey + (pixels - grey) * factor), level=level, factor=factor)
