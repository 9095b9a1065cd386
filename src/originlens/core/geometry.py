"""Plane transforms between picture frames (x right, y down, pixel centres at integers)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]


def scaling(source: tuple[int, int], target: tuple[int, int]) -> Matrix:
    """Map of pixel centres from a (height, width) frame to the same picture at another size.

    ``x' = (x + 0.5) * W' / W - 0.5``: resizing keeps edges, not centres, aligned.
    """
    sy, sx = target[0] / source[0], target[1] / source[1]
    return np.array([[sx, 0, 0.5 * sx - 0.5], [0, sy, 0.5 * sy - 0.5], [0, 0, 1]], dtype=np.float64)


def orientation(exif: int, size: tuple[int, int]) -> Matrix:
    """Map from stored pixels to EXIF-oriented pixels; ``size`` is (height, width) as stored."""
    h, w = size[0] - 1, size[1] - 1
    table = {
        1: [[1, 0, 0], [0, 1, 0]],
        2: [[-1, 0, w], [0, 1, 0]],
        3: [[-1, 0, w], [0, -1, h]],
        4: [[1, 0, 0], [0, -1, h]],
        5: [[0, 1, 0], [1, 0, 0]],
        6: [[0, -1, h], [1, 0, 0]],
        7: [[0, -1, h], [-1, 0, w]],
        8: [[0, 1, 0], [-1, 0, w]],
    }
    return np.array([*table[exif], [0, 0, 1]], dtype=np.float64)


def normalised(matrix: Matrix) -> Matrix:
    """The same transform with ``H[2, 2] = 1``.

    Raises:
        ValueError: the matrix is singular or sends the origin to infinity.
    """
    corner = float(matrix[2, 2])
    if not np.isfinite(matrix).all() or abs(corner) < 1e-12:
        raise ValueError("not a usable homography")
    return np.asarray(matrix / corner, dtype=np.float64)


def apply(matrix: Matrix, points: npt.NDArray[np.floating]) -> Matrix:
    """Transform (N, 2) points."""
    homogeneous = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(homogeneous[:, :2] / homogeneous[:, 2:], dtype=np.float64)
