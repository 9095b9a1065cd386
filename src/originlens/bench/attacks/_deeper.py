"""The perturbations of DeeperForensics-1.0: their five levels, and the level of a strength.

The values are those of the perturbation code that its authors publish beside the paper (checked
there; the paper itself names the kinds and that there are five levels of each).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

PAPER = "Jiang et al. 2020, DeeperForensics-1.0, CVPR, arXiv:2001.03024 (levels); own code"

SATURATION = (0.4, 0.3, 0.2, 0.1, 0.0)  # factor on both chroma channels
CONTRAST = (0.85, 0.725, 0.6, 0.475, 0.35)  # factor on the pixels
BLOCKS = (16, 32, 48, 64, 80)  # grey 8 x 8 blocks per 256 pixels of the short side
NOISE = (0.001, 0.002, 0.005, 0.01, 0.05)  # variance, channels in [0, 1]
BLUR = (7, 9, 13, 17, 21)  # kernel size in pixels, six standard deviations
PIXELS = (2, 3, 4, 5, 6)  # factor by which the picture is shrunk
RATE = (30, 32, 35, 38, 40)  # constant rate factor of H.264


def chosen(values: Sequence[float], strength: float) -> tuple[int, float]:
    """Level 1 to 5 and its value: 0.2, 0.4 ... 1.0 are the levels, between them the next one."""
    level = min(5, max(1, math.ceil(5 * strength - 1e-6)))
    return level, values[level - 1]
