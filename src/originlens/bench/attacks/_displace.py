"""Moving pixels by a field that no plane transform describes, and stating where that shows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from originlens.bench.attacks._base import Mask
from originlens.core.image import Pixels

Field = npt.NDArray[np.float32]

#: A pixel counts as moved when it lies more than this many pixels from its place.
TOLERANCE = 1.5


def places(size: tuple[int, int]) -> tuple[Field, Field]:
    """The (H, W) float32 coordinates x and y of every pixel of a (height, width) frame."""
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float32)
    return x, y


def displaced(pixels: Pixels, x: Field, y: Field, *, mirrored: bool = True) -> tuple[Pixels, Mask]:
    """Pixels looked up at (x, y), and where that is not (within 1.5 pixels) their own place.

    Look-ups outside the frame see its mirror image or, with ``mirrored`` false, black; both count
    as moved.
    """
    import cv2

    h, w = pixels.shape[:2]
    border = cv2.BORDER_REFLECT_101 if mirrored else cv2.BORDER_CONSTANT
    x, y = x.astype(np.float32, copy=False), y.astype(np.float32, copy=False)
    out = np.asarray(cv2.remap(pixels, x, y, cv2.INTER_LINEAR, borderMode=border), dtype=np.uint8)
    own_x, own_y = places((h, w))
    mask = (x - own_x) ** 2 + (y - own_y) ** 2 > TOLERANCE**2
    mask |= (x < -0.5) | (y < -0.5) | (x > w - 0.5) | (y > h - 0.5)
    return out.reshape(pixels.shape), np.asarray(mask)
