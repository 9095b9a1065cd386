"""Pixelation of DeeperForensics-1.0 (its "JPEG compression"): shrunk and enlarged, bilinearly.

Paper: Jiang et al. 2020, arXiv:2001.03024; strengths 0.2, 0.4 ... 1.0 are its levels 1 to 5. Why it
works as a test: everything finer than a few pixels is lost, with aliasing. Fails when: smooth
already. The paper calls this perturbation JPEG compression; the published code resizes, as here.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._deeper import PAPER, PIXELS, chosen
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("df-pixelation", "shrink and enlarge (DeeperForensics)", ms=1.8, paper=PAPER))
class DeeperPixelation(Edit):
    """Resize down and back up without smoothing."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Factor 2, 3, 4, 5 or 6 down and up again."""
        import cv2

        level, factor = chosen(PIXELS, strength)
        h, w = pixels.shape[:2]
        small = cv2.resize(pixels, (max(1, w // int(factor)), max(1, h // int(factor))))
        out = np.asarray(cv2.resize(small, (w, h)), dtype=np.uint8)
        return same_frame(out.reshape(pixels.shape), level=level, factor=int(factor))
