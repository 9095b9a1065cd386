"""Printed look: dots on a turned grid whose size follows the darkness.

Paper: Ulichney 1987, Digital Halftoning (clustered-dot ordered dither); own code. Why it works as a
test: texture is replaced by a periodic pattern. Fails when: the cell is larger than the structure.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(
    attack_card(
        "halftone", "print with a dot screen", ms=100, paper="Ulichney 1987, Digital Halftoning"
    )
)
class Halftone(Edit):
    """Compare each channel with a turned cosine screen, mix with the picture."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Screen period 3-8 pixels; the dots' share in the mix is the strength."""
        h, w = pixels.shape[:2]
        period = 3 + 5 * strength * rng.uniform(0.3, 1)
        y, x = np.mgrid[:h, :w].astype(np.float32)
        out = np.empty((h, w, 3), np.float32)
        for channel, degrees in enumerate((15, 75, 45)):
            angle = np.radians(degrees)
            u = (x * np.cos(angle) + y * np.sin(angle)) * np.float32(2 * np.pi / period)
            v = (y * np.cos(angle) - x * np.sin(angle)) * np.float32(2 * np.pi / period)
            screen = 127.5 + 63.75 * (np.cos(u) + np.cos(v))
            dots = np.clip((pixels[..., channel] - screen) * 8 + 127.5, 0, 255)
            out[..., channel] = pixels[..., channel] * (1 - strength) + dots * strength
        return same_frame(clipped(out), period=period)
