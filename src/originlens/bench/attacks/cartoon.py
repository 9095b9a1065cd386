"""Flat colours and black outlines.

Paper: Winnemoeller et al. 2006, Real-time video abstraction, ACM TOG 25(3) (the idea); own code.
Why it works as a test: texture is replaced by flat patches and drawn edges. Fails when: the picture
is flat.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, mixed_in, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "Winnemoeller et al. 2006, Real-time video abstraction, ACM TOG 25(3) (the idea); own code"


@register(attack_card("cartoon", "turn into a cartoon", ms=83, paper=PAPER))
class Cartoon(Edit):
    """Bilateral smoothing, few tones, dark lines at edges."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Share of the cartoon in the mix = strength."""
        import cv2

        smooth = cv2.bilateralFilter(pixels, 7, 60, 7)
        grey = cv2.medianBlur(cv2.cvtColor(smooth, cv2.COLOR_RGB2GRAY), 5)
        lines = cv2.adaptiveThreshold(
            grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 9, 4
        )
        levels = (np.arange(256) // 32 * 32 + 16).astype(np.uint8)
        drawn = levels[np.asarray(smooth).reshape(pixels.shape)]
        drawn[np.asarray(lines).reshape(pixels.shape[:2]) == 0] = 20
        return same_frame(mixed_in(pixels, drawn, strength))
