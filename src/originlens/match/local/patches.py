"""Gradient histograms of the patches around points, all points of a picture at once.

Source: Lowe, IJCV 60, 2004, section 6 (4 x 4 cells of 8 orientations), with the square root of the
L1-normalised histogram (Arandjelovic and Zisserman, "Three things everyone should know to improve
object retrieval", CVPR 2012).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from originlens.match.local.keypoints import Floats, Keypoints

DIMENSION = 128
_SIDE = 12  # samples along a patch, one a sigma: a level holds no finer detail
_WIDTH = 12.0  # patch side in sigmas: 4 cells of 3
_BINS = 36  # of the histogram that gives a point its direction

#: Histogram order under a mirror of the picture: cells flip across the point's own axis, and
#: orientations change sign.
MIRROR = np.arange(DIMENSION).reshape(4, 4, 8)[::-1][:, :, [0, 7, 6, 5, 4, 3, 2, 1]].ravel()


def describe(points: Keypoints) -> tuple[Floats, Floats]:
    """Directions (N,) in radians and histograms (N, 128) float32 of unit length."""
    upright = _sampled(points, np.zeros(len(points), np.float32))
    direction = _directions(upright)
    return direction, _histograms(_sampled(points, direction))


def _sampled(points: Keypoints, direction: Floats) -> Floats:
    """(N, 14, 14) grey values around each point, turned by its direction, one sample of border."""
    import cv2

    side = _SIDE + 2
    patches = np.empty((len(points), side, side), np.int16)
    offset = (np.arange(side, dtype=np.float32) - (side - 1) / 2) * np.float32(_WIDTH / _SIDE)
    along, across = np.meshgrid(offset, offset)
    cos, sin = np.cos(direction)[:, None, None], np.sin(direction)[:, None, None]
    sigma = points.sigma[:, None, None]
    x = points.xy[:, :1, None] + sigma * (cos * along - sin * across)
    y = points.xy[:, 1:, None] + sigma * (sin * along + cos * across)
    for level in np.unique(points.level):
        here = points.level == level
        step = np.float32(points.steps[level])
        shape = (-1, side)
        patches[here] = cv2.remap(
            points.levels[level],
            (x[here] / step).reshape(shape),
            (y[here] / step).reshape(shape),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        ).reshape(-1, side, side)
    return patches.astype(np.float32)


def _gradients(patches: Floats) -> tuple[Floats, Floats]:
    """Magnitude and angle in radians [0, 2 pi) of the gradient at the 12 x 12 samples."""
    import cv2

    dx = patches[:, 1:-1, 2:] - patches[:, 1:-1, :-2]
    dy = patches[:, 2:, 1:-1] - patches[:, :-2, 1:-1]
    flat = (len(patches), _SIDE * _SIDE)
    magnitude, angle = cv2.cartToPolar(dx.reshape(flat), dy.reshape(flat))
    return np.asarray(magnitude, np.float32), np.asarray(angle, np.float32)


def _directions(patches: Floats) -> Floats:
    """The peak of each patch's histogram of gradient directions (Lowe, section 5)."""
    count = len(patches)
    if count == 0:
        return np.empty(0, np.float32)
    magnitude, angle = _gradients(patches)
    bins = (angle * np.float32(_BINS / (2 * np.pi))).astype(np.intp) % _BINS
    bins += np.arange(count)[:, None] * _BINS
    weights = (magnitude * _window()[0]).ravel()
    summed = np.bincount(bins.ravel(), weights, count * _BINS).reshape(count, _BINS)
    histogram = np.asarray(summed, np.float64)
    for _ in range(2):
        histogram = (np.roll(histogram, 1, 1) + histogram + np.roll(histogram, -1, 1)) / 3
    peak = histogram.argmax(1)
    rows = np.arange(count)
    left, here = histogram[rows, peak - 1], histogram[rows, peak]
    right = histogram[rows, (peak + 1) % _BINS]
    bend = left + right - 2 * here
    shift = np.where(bend < 0, (left - right) / (2 * np.where(bend < 0, bend, 1)), 0)
    return ((peak + 0.5 + shift) * (2 * np.pi / _BINS)).astype(np.float32)


@lru_cache(maxsize=1)
def _window() -> tuple[Floats, Floats]:
    """Weights (144,) of samples for the direction, and (144, 16) of samples in the cells."""
    place = (np.arange(_SIDE) - (_SIDE - 1) / 2) / _SIDE  # -0.5 .. 0.5
    y, x = np.meshgrid(place, place, indexing="ij")
    distance = x**2 + y**2
    direction = np.exp(-distance / (2 * 0.25**2)) * (distance < 0.25)
    centres = (np.arange(4) - 1.5) / 4
    near = np.maximum(0, 1 - np.abs(place[:, None] - centres) * 4)  # (12, 4)
    cells = np.einsum("yi,xj->yxij", near, near) * np.exp(-distance / (2 * 0.5**2))[..., None, None]
    return direction.ravel().astype(np.float32), cells.reshape(-1, 16).astype(np.float32)


def _histograms(patches: Floats) -> Floats:
    """(N, 128): 4 x 4 cells of 8 orientations, clipped at 0.2, then their square roots."""
    count = len(patches)
    if count == 0:
        return np.empty((0, DIMENSION), np.float32)
    magnitude, angle = _gradients(patches)
    turn = angle * np.float32(8 / (2 * np.pi))
    lower = np.floor(turn)
    upper_share = turn - lower
    lower_bin = lower.astype(np.int32) & 7
    to_upper = magnitude * upper_share
    to_lower = magnitude - to_upper
    split = np.zeros((count, 8, _SIDE * _SIDE), np.float32)
    for b in range(8):
        np.multiply(to_lower, lower_bin == b, out=split[:, b])
        split[:, b] += to_upper * (lower_bin == (b - 1) % 8)
    cells = split.reshape(-1, _SIDE * _SIDE) @ _window()[1]  # (N * 8, 16)
    histogram = cells.reshape(count, 8, 16).transpose(0, 2, 1).reshape(count, DIMENSION)
    length = np.linalg.norm(histogram, axis=1, keepdims=True)
    histogram = np.minimum(histogram, 0.2 * np.maximum(length, 1e-6))
    total = histogram.sum(axis=1, keepdims=True)
    return np.sqrt(histogram / np.maximum(total, 1e-6)).astype(np.float32)
