"""Soft monochrome grain, strongest in the mid-tones.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: adds fine correlated texture. Fails when: the picture is black or white.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, clipped, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("film-grain", "add film grain", ms=52, paper=ANYPATTERN))
class FilmGrain(Edit):
    """Blurred noise weighted by the tone."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Standard deviation 40 x strength levels in the mid-tones."""
        import cv2

        h, w = pixels.shape[:2]
        size = float(rng.uniform(0.5, 1.2))
        noise = rng.standard_normal((h, w), dtype=np.float32)
        # Blurring white noise by sigma leaves about 1 / (2 sigma sqrt(pi)) of its deviation.
        grain = np.asarray(cv2.GaussianBlur(noise, (0, 0), size)).reshape(h, w)
        grain = grain * (2 * size * math.sqrt(math.pi))
        tone = pixels.mean(axis=2, dtype=np.float32)
        weight = 40 * strength * (1 - np.abs(tone / 127.5 - 1) * np.float32(0.8))
        return same_frame(clipped(pixels + (grain * weight)[..., None]), grain_size=size)
