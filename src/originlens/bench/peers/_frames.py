"""An original brought to a picture's size by resizing alone, whatever was done to the picture."""

from __future__ import annotations

import numpy as np

from originlens.core.image import Image, Pixels


def original_in_frame(image: Image, original: Image) -> Pixels:
    """(H, W, 3) uint8 of the picture's size: the original, squeezed or enlarged."""
    import cv2

    size = (image.width, image.height)
    if (original.width, original.height) == size:
        return original.pixels
    method = cv2.INTER_AREA if image.width < original.width else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(original.pixels, size, interpolation=method))
