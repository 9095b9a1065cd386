"""Resampling pixels and masks by plane transforms."""

from __future__ import annotations

import numpy as np

from originlens.bench.attacks._base import Mask
from originlens.core.geometry import Matrix, scaling
from originlens.core.image import Pixels

Colour = tuple[int, int, int]


def translation(dx: float, dy: float) -> Matrix:
    """The map that moves pixels by (dx, dy)."""
    return np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1]], dtype=np.float64)


def resized(pixels: Pixels, size: tuple[int, int]) -> tuple[Pixels, Matrix]:
    """Pixels at (height, width) ``size`` (area average down, cubic up) and the map to them."""
    import cv2

    h, w = pixels.shape[:2]
    shrinks = size[0] * size[1] < h * w
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    out = cv2.resize(pixels, (size[1], size[0]), interpolation=interpolation)
    return np.asarray(out, dtype=np.uint8), scaling((h, w), size)


def warped(
    pixels: Pixels, transform: Matrix, size: tuple[int, int], fill: Colour
) -> tuple[Pixels, Mask]:
    """Pixels in the frame of ``transform`` at (height, width) ``size``, and where nothing lands.

    OpenCV's warp addresses pixel centres at integers, as our transforms do. Pixels that only partly
    see the original (interpolated with the fill) count as unexplained.
    """
    import cv2

    h, w = pixels.shape[:2]
    target = (size[1], size[0])
    flags = cv2.INTER_LINEAR
    out = cv2.warpPerspective(
        pixels, transform, target, flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=fill
    )
    seen = cv2.warpPerspective(
        np.full((h, w), 255, np.uint8), transform, target, flags=flags, borderValue=0
    )
    return np.asarray(out, dtype=np.uint8), np.asarray(seen < 250)


def carried(mask: Mask, transform: Matrix, size: tuple[int, int]) -> Mask:
    """A mask of the previous frame, seen in the frame of ``transform`` at (height, width) size."""
    import cv2

    if mask.shape == size and np.array_equal(transform, np.eye(3)):
        return mask
    if not mask.any():
        return np.zeros(size, bool)
    values = mask.astype(np.uint8) * 255
    linear, offset = transform[:2, :2], transform[:2, 2]
    if np.allclose(transform, scaling(mask.shape, size), atol=1e-9):
        interpolation = cv2.INTER_AREA if linear[0, 0] * linear[1, 1] < 1 else cv2.INTER_LINEAR
        out = cv2.resize(values, (size[1], size[0]), interpolation=interpolation)
    elif np.allclose(linear, np.eye(2)) and np.allclose(offset, np.rint(offset)):
        out = cv2.warpPerspective(
            values, transform, (size[1], size[0]), flags=cv2.INTER_NEAREST, borderValue=0
        )
    else:
        out = cv2.warpPerspective(
            values, transform, (size[1], size[0]), flags=cv2.INTER_LINEAR, borderValue=0
        )
    return np.asarray(out >= 128)


def fill_colour(rng: np.random.Generator) -> Colour:
    """Black, white or any colour, as editors fill empty corners and margins."""
    choice = int(rng.integers(3))
    if choice < 2:
        return (255 * choice,) * 3
    red, green, blue = (int(v) for v in rng.integers(0, 256, 3))
    return (red, green, blue)


def random_fit(
    share: float, size: tuple[int, int], rng: np.random.Generator
) -> tuple[int, int, int, int]:
    """A box (left, top, width, height) of ``share`` of a (height, width) frame, at a random place.

    The aspect ratio varies by up to 15 % either way where the frame leaves room.
    """
    h, w = size
    stretch = float(np.exp(rng.uniform(-0.14, 0.14)))
    box_w = w * np.sqrt(share) * stretch
    box_w = min(w, max(1.0, box_w, w * share))
    box_h = min(h, max(1.0, w * h * share / box_w))
    bw, bh = max(1, round(box_w)), max(1, round(box_h))
    return int(rng.integers(0, w - bw + 1)), int(rng.integers(0, h - bh + 1)), bw, bh
