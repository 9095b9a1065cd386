"""Photographs that ship inside scikit-image, at the sizes that tests of this folder need."""

from __future__ import annotations

import cv2
import numpy as np
import skimage.data


def reduced(pixels: np.ndarray, long_side: int) -> np.ndarray:
    """The picture with that long side, anti-aliased."""
    factor = long_side / max(pixels.shape[:2])
    size = (round(pixels.shape[1] * factor), round(pixels.shape[0] * factor))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def photographs(long_side: int) -> dict[str, np.ndarray]:
    """Four (h, w, 3) uint8 photographs by name."""
    names = ("astronaut", "coffee", "chelsea", "rocket")
    return {name: reduced(getattr(skimage.data, name)(), long_side) for name in names}
