"""Brightness, contrast, saturation, hue and gamma changed together.

Paper: the colour jitter of SimCLR (Chen et al. 2020, arXiv:2002.05709); own ranges. Why it works
as a test: thresholds and colour signatures move, structure stays. Fails when: the picture clips to
black or white.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "Chen et al. 2020, SimCLR, arXiv:2002.05709 (colour jitter)"


@register(
    attack_card("colour", "change brightness, contrast, saturation, hue, gamma", ms=8, paper=PAPER)
)
class Colour(Edit):
    """Every property moves by half to the whole of its range, direction drawn."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """At 1: brightness x 0.6-1.65, contrast x 0.5-2, hue +-70 degrees, gamma 0.55-1.8."""
        import cv2

        spans = {"brightness": 0.5, "contrast": 0.7, "saturation": 1.1, "hue": 70.0, "gamma": 0.6}
        drawn = {
            name: float(span * strength * rng.uniform(0.5, 1) * rng.choice([-1, 1]))
            for name, span in spans.items()
        }
        hsv = cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV_FULL)
        turn = round(drawn["hue"] * 256 / 360)
        hsv[..., 0] = ((hsv[..., 0].astype(np.int16) + turn) % 256).astype(np.uint8)
        saturation = hsv[..., 1] * np.float32(np.exp(drawn["saturation"]))
        hsv[..., 1] = np.clip(np.rint(saturation), 0, 255).astype(np.uint8)
        out = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL)
        # Brightness, contrast and gamma act on each channel alone: one table of 256 values.
        ramp = (np.arange(256) / 255) ** np.exp(drawn["gamma"])
        ramp = (ramp - 0.5) * np.exp(drawn["contrast"]) + 0.5
        table = clipped(255 * ramp * np.exp(drawn["brightness"]))
        toned = np.asarray(cv2.LUT(out, table), dtype=np.uint8)
        return same_frame(toned, None, **drawn)
