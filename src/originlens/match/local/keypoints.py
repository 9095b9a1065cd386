"""Blobs of a picture at several scales: extrema of differences of Gaussians.

Source: Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 60, 2004, sections 3
to 5. Unlike there the picture is not doubled first, which costs most of the time: the caller says
by the picture's size how fine the features are.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
#: A blurred picture: grey values times ``UNIT``, which OpenCV filters faster than floats.
Level = npt.NDArray[np.int16]
UNIT = 64

INTERVALS = 3  # scales an octave (Lowe, section 3.2)
_SIGMA = 1.6  # blur of an octave's first level, in its pixels
_ASSUMED = 0.5  # blur that a picture is taken to have
_CONTRAST = 1.2  # least |difference of Gaussians|, in grey levels
_EDGE = 10.0  # largest ratio of principal curvatures (Lowe, section 4.1)
_LEAST_SIDE = 16
_GRID = 6


@dataclass(frozen=True, slots=True)
class Keypoints:
    """N points: ``xy`` (N, 2) and ``sigma`` (N,) float32 in pixels of the picture.

    ``level`` (N,) numbers the blurred picture in ``levels`` that the point was found in; ``steps``
    are the pixels of the picture that one pixel of each level covers.
    """

    xy: Floats
    sigma: Floats
    level: npt.NDArray[np.intp]
    levels: list[Level]
    steps: list[float]

    def __len__(self) -> int:
        return len(self.sigma)


def detect(grey: npt.NDArray[np.uint8], count: int) -> Keypoints:
    """Up to ``count`` points of a (h, w) uint8 picture, strongest first within a grid of cells."""
    import cv2

    levels: list[Level] = []
    steps: list[float] = []
    found: list[Floats] = []
    base = np.asarray(grey, np.int16) * np.int16(UNIT)
    base = _blurred(base, float(np.sqrt(_SIGMA**2 - _ASSUMED**2)))
    step = 1.0
    while min(base.shape) >= _LEAST_SIDE:
        octave = _octave(base)
        found.append(_extrema(octave, len(levels), step))
        levels += octave
        steps += [step] * len(octave)
        size = (base.shape[1] + 1) // 2, (base.shape[0] + 1) // 2
        base = cv2.resize(octave[INTERVALS], size, interpolation=cv2.INTER_NEAREST)
        step *= 2
    points = np.concatenate(found) if found else np.empty((0, 5), np.float32)
    points = points[_spread(points, grey.shape, count)]
    return Keypoints(points[:, :2], points[:, 2], points[:, 3].astype(np.intp), levels, steps)


def _blurred(level: Level, sigma: float) -> Level:
    import cv2

    side = 2 * round(2.5 * sigma) + 1
    return np.asarray(cv2.GaussianBlur(level, (side, side), sigma), np.int16)


def _octave(base: Level) -> list[Level]:
    """INTERVALS + 3 levels, each blurred by a constant factor more than the one before."""
    levels, factor = [base], 2 ** (1 / INTERVALS)
    for i in range(INTERVALS + 2):
        more = _SIGMA * factor**i * float(np.sqrt(factor**2 - 1))
        levels.append(_blurred(levels[-1], more))
    return levels


def _extrema(octave: list[Level], first_level: int, step: float) -> Floats:
    """(N, 5): x, y, sigma in picture pixels, level, and response of one octave's extrema."""
    import cv2

    differences = np.stack([cv2.subtract(b, a) for a, b in pairwise(octave)])
    square, least = np.ones((3, 3), np.uint8), round(_CONTRAST * UNIT)
    is_extreme = np.zeros((INTERVALS, *differences.shape[1:]), np.uint8)
    for i in range(INTERVALS):
        below, d, above = differences[i : i + 3]
        # A value equal to the largest around it, and to the least that counts or more, is a peak.
        top = cv2.dilate(cv2.max(cv2.max(below, above), cv2.max(d, least)), square)
        bottom = cv2.erode(cv2.min(cv2.min(below, above), cv2.min(d, -least)), square)
        cv2.bitwise_or(
            cv2.compare(d, top, cv2.CMP_EQ), cv2.compare(d, bottom, cv2.CMP_EQ), is_extreme[i]
        )
    is_extreme[:, [0, -1]] = is_extreme[:, :, [0, -1]] = 0
    # Of a flat array: NumPy finds the places of a picture's pixels twenty times as slowly.
    interval, y, x = np.unravel_index(np.flatnonzero(is_extreme.view(bool)), is_extreme.shape)
    return _refined(differences, interval + 1, y, x, first_level, step)


def _refined(
    differences: npt.NDArray[np.int16],
    interval: npt.NDArray[np.intp],
    y: npt.NDArray[np.intp],
    x: npt.NDArray[np.intp],
    first_level: int,
    step: float,
) -> Floats:
    """Places between pixels and scales by parabolas; points on edges are left out."""

    def at(di: int, dy: int, dx: int) -> Floats:
        return differences[interval + di, y + dy, x + dx].astype(np.float32)

    value, left, right, up, down = at(0, 0, 0), at(0, 0, -1), at(0, 0, 1), at(0, -1, 0), at(0, 1, 0)
    dx, dy = (right - left) / 2, (down - up) / 2
    dxx, dyy = right + left - 2 * value, down + up - 2 * value
    dxy = (at(0, 1, 1) - at(0, 1, -1) - at(0, -1, 1) + at(0, -1, -1)) / 4
    determinant = dxx * dyy - dxy**2
    is_blob = (dxx + dyy) ** 2 * _EDGE < (_EDGE + 1) ** 2 * determinant
    safe = np.where(is_blob, determinant, 1.0)
    shift_x = np.clip((dxy * dy - dyy * dx) / safe, -0.5, 0.5)
    shift_y = np.clip((dxy * dx - dxx * dy) / safe, -0.5, 0.5)
    below, above = at(-1, 0, 0), at(1, 0, 0)
    bend = above + below - 2 * value
    shift_s = np.clip((below - above) / (2 * np.where(bend == 0, 1, bend)), -0.5, 0.5)
    sigma = _SIGMA * 2 ** ((interval + shift_s) / INTERVALS) * step
    response = np.abs(value) / UNIT
    columns = [(x + shift_x) * step, (y + shift_y) * step, sigma, first_level + interval, response]
    return np.stack(columns, axis=1).astype(np.float32)[is_blob]


def _spread(points: Floats, size: tuple[int, ...], count: int) -> npt.NDArray[np.intp]:
    """Indices of the strongest points, half of them taken in turns from a grid of cells."""
    order = np.argsort(-points[:, 4], kind="stable")
    if len(order) <= count:
        return order
    cell = np.minimum(points[order, 1] * _GRID / size[0], _GRID - 1).astype(np.intp) * _GRID
    cell += np.minimum(points[order, 0] * _GRID / size[1], _GRID - 1).astype(np.intp)
    by_cell = np.argsort(cell, kind="stable")
    starts = np.searchsorted(cell[by_cell], cell[by_cell], side="left")
    rank = np.empty(len(order), np.intp)
    rank[by_cell] = np.arange(len(order)) - starts
    return order[np.argsort(rank, kind="stable")[:count]]
