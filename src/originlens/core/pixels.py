"""Signal processing on pixels that more than one module needs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


def luma(pixels: Pixels) -> npt.NDArray[np.float32]:
    """BT.601 luma of (H, W, 3) uint8 sRGB: (H, W) float32 in [0, 255]."""
    weights = np.array([0.299, 0.587, 0.114], dtype=np.float32)
    grey: npt.NDArray[np.float32] = pixels.astype(np.float32) @ weights
    return grey


def fit_within(pixels: Pixels, long_side: int) -> Pixels:
    """Scale (H, W, 3) or (H, W) uint8 down, area-averaged, to a long side <= ``long_side``.

    The aspect ratio is kept to the nearest pixel and no side falls below 1. Pictures that fit are
    returned as they are. The frame relates to the given one by
    ``x_given = (x + 0.5) * W / w - 0.5``.
    """
    import cv2

    height, width = pixels.shape[:2]
    factor = long_side / max(height, width)
    if factor >= 1:
        return pixels
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
