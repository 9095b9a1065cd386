"""Pulled about by a smooth random field, like print on cloth.

Paper: Simard et al. 2003, Best practices for convolutional neural networks, ICDAR (elastic
deformation); own code. Why it works as a test: every neighbourhood is moved a little differently.
Fails when: the picture is smooth.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._displace import displaced, places
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "Simard et al. 2003, ICDAR (elastic deformation); own code"


@register(attack_card("elastic", "warp by a smooth random field", ms=21, paper=PAPER))
class Elastic(Edit):
    """Displace by a coarse random field, enlarged smoothly."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Standard deviation 1.5 % x strength of the short side on each axis."""
        import cv2

        h, w = pixels.shape[:2]
        x, y = places((h, w))
        sigma = 0.015 * strength * min(h, w)
        coarse = rng.standard_normal((6, 6, 2)).astype(np.float32) * np.float32(sigma)
        field = np.asarray(cv2.resize(coarse, (w, h), interpolation=cv2.INTER_CUBIC))
        field = field.reshape(h, w, 2)
        out, mask = displaced(pixels, x + field[..., 0], y + field[..., 1])
        return same_frame(out, mask, sigma=sigma)
