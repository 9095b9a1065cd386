"""Every pixel taken from a random place close by, as through rough glass.

Paper: Hendrycks, Dietterich 2019, ICLR, arXiv:1903.12261 (glass blur, without its blurring); own
code. Why it works as a test: fine structure is scattered. Fails when: the picture is smooth. The
scatter has no direction: on average every pixel stays in place.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "Hendrycks, Dietterich 2019, ICLR, arXiv:1903.12261 (glass blur); own code"


@register(attack_card("frosted-glass", "scatter pixels", ms=23, paper=PAPER))
class FrostedGlass(Edit):
    """Look up at a random offset, independent for each pixel."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Offsets up to 1 + 5 x strength pixels on each axis."""
        h, w = pixels.shape[:2]
        reach = 1 + round(5 * strength)
        offsets = rng.integers(-reach, reach + 1, (2, h, w))
        rows = np.clip(np.arange(h)[:, None] + offsets[0], 0, h - 1)
        columns = np.clip(np.arange(w) + offsets[1], 0, w - 1)
        return same_frame(pixels[rows, columns], reach=reach)
