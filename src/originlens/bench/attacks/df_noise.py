"""White Gaussian noise in the colour components, of DeeperForensics-1.0.

Paper: Jiang et al. 2020, arXiv:2001.03024; strengths 0.2, 0.4 ... 1.0 are its levels 1 to 5. Why it
works as a test: luma and chroma noise hide weak texture. Fails when: never. The noise enters in the
studio range of BT.601 (219 and 224 of 255 steps), hence its gain in full range.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, same_frame
from originlens.bench.attacks._deeper import NOISE, PAPER, chosen
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(
    attack_card("df-noise", "add noise to luma and chroma (DeeperForensics)", ms=60, paper=PAPER)
)
class DeeperNoise(Edit):
    """Independent noise in Y, Cb and Cr."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Variance 0.001, 0.002, 0.005, 0.01 or 0.05 of the range [0, 1]."""
        import cv2

        level, variance = chosen(NOISE, strength)
        noise = rng.standard_normal(pixels.shape, dtype=np.float32)
        noise *= np.float32(255 * np.sqrt(variance))
        noise *= np.array([255 / 219, 255 / 224, 255 / 224], np.float32)
        # The conversion is linear; chroma is centred at 0.5 in float pictures.
        noise[..., 1:] += np.float32(0.5)
        moved = np.asarray(cv2.cvtColor(noise, cv2.COLOR_YCR_CB2RGB)).reshape(pixels.shape)
        return same_frame(clipped(pixels + moved), level=level, variance=variance)
