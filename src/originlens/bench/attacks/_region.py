"""Choosing what part of a picture a local edit touches, and stating what it really changed."""

from __future__ import annotations

import numpy as np

from originlens.bench.attacks._base import Mask
from originlens.core.image import Pixels

#: A pixel counts as changed when a channel moved by more than this many of 255 levels.
VISIBLE = 8
#: Share of the picture's area that a local edit touches at strength 1.
LARGEST = 0.3


def region(size: tuple[int, int], share: float, rng: np.random.Generator) -> Mask:
    """A blob (ellipse, rectangle, polygon) of about ``share`` of a (height, width) frame."""
    import cv2

    h, w = size
    aspect = float(np.exp(rng.uniform(-0.5, 0.5)))
    half_w = min(w / 2, max(0.5, np.sqrt(share * h * w * aspect) / 2))
    half_h = min(h / 2, max(0.5, share * h * w / (4 * half_w)))
    x = rng.uniform(half_w, w - half_w) if w > 2 * half_w else w / 2
    y = rng.uniform(half_h, h - half_h) if h > 2 * half_h else h / 2
    count = (4, 40, int(rng.integers(7, 14)))[int(rng.integers(3))]
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False) + np.pi / 4
    # A square is a 4-gon whose radius reaches the corners; others are scaled to keep the area.
    radius = np.full(count, np.sqrt(2) if count == 4 else 1.13)
    if 4 < count < 40:
        radius *= rng.uniform(0.75, 1.15, count)
    points = np.stack(
        [x + half_w * radius * np.cos(angles), y + half_h * radius * np.sin(angles)], axis=1
    )
    canvas = np.zeros((h, w), np.uint8)
    cv2.fillPoly(canvas, [np.rint(points).astype(np.int32)], 1)
    canvas[min(h - 1, int(y)), min(w - 1, int(x))] = 1
    return canvas.astype(bool)


def textured_region(pixels: Pixels, share: float, rng: np.random.Generator) -> Mask:
    """A region of ``share`` of the area: the most textured of four, as people edit objects."""
    grey = pixels.mean(axis=2)
    candidates = [region(pixels.shape[:2], share, rng) for _ in range(4)]
    return max(candidates, key=lambda mask: float(grey[mask].std()))


def changed(before: Pixels, after: Pixels) -> Mask:
    """Where two pictures of one frame differ visibly, small gaps (5 px) closed.

    A local edit's truth is what it changed, not what it was asked to: a removed patch of clear sky
    changes nothing that could be seen or found.
    """
    import cv2

    moved = np.abs(before.astype(np.int16) - after).max(axis=2) > VISIBLE
    size = max(3, round(min(moved.shape) / 80) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    closed = cv2.morphologyEx(moved.astype(np.uint8), cv2.MORPH_CLOSE, kernel)
    return np.asarray(closed.astype(bool))


def feathered(mask: Mask, sigma: float) -> np.ndarray:
    """(H, W, 1) float32 coverage of the mask with a soft seam."""
    import cv2

    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(sigma, 0.3))
    return np.asarray(soft)[..., None]
