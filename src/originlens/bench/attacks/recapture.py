"""A photograph of a screen, in short: slight perspective, blur, pixel grid moire, glare, gamma.

Paper: after the imaging chain of Thongkamwitoon et al. 2015, IEEE TIFS 10(5); own code.
Why it works as a test: geometry, tone and texture change together. Fails when: never.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, mapped
from originlens.bench.attacks._warp import warped
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "after Thongkamwitoon et al. 2015, IEEE TIFS 10(5) (recaptured displays); own code"


@register(attack_card("recapture", "photograph a screen", ms=97, paper=PAPER))
class Recapture(Edit):
    """Screen grid, then perspective on a dark ground, then blur, moire, glare and noise."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Corners move by up to 12 %, moire amplitude up to 25 %, all times strength."""
        import cv2

        h, w = pixels.shape[:2]
        corners = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float64) - 0.5
        inward = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
        moves = 0.12 * strength * rng.uniform(0, 1, (4, 2)) * inward * [w, h]
        transform = np.asarray(
            cv2.getPerspectiveTransform(
                corners.astype(np.float32), (corners + moves).astype(np.float32)
            ),
            dtype=np.float64,
        )
        ground = (int(rng.integers(0, 60)),) * 3
        out, outside = warped(pixels, transform, (h, w), ground)
        sigma = 0.4 + 0.8 * strength
        soft = np.asarray(cv2.GaussianBlur(out, (0, 0), sigma)).reshape(out.shape)
        y, x = np.ogrid[:h, :w]
        period = rng.uniform(2.2, 9, 2)
        slant = rng.uniform(-0.3, 0.3, 2)
        moire = np.sin(2 * np.pi * (x + slant[0] * y) / period[0])
        moire = moire + np.sin(2 * np.pi * (y + slant[1] * x) / period[1])
        cx, cy = rng.uniform(0, 1, 2) * [w, h]
        glare = np.exp(-(((x - cx) / (0.3 * w + 1)) ** 2 + ((y - cy) / (0.3 * h + 1)) ** 2))
        gain = 1 + 0.125 * strength * moire
        values = (soft / 255) ** np.exp(rng.uniform(-0.3, 0.3) * strength) * 255
        values = values * gain[..., None] + 70 * strength * glare[..., None]
        values = values + rng.normal(0, 4 * strength, (h, w, 1))
        return mapped(clipped(values), transform, outside, moire_period=period.tolist())
