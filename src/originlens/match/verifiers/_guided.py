"""More matches along a transform that is already known, and a better transform from them.

A ratio test must be strict while the whole picture is searched, and loses most features of a small,
compressed or covered copy. Once a transform says where each feature should lie, one that lies there
at the right scale and angle needs to look alike only roughly (guided matching: Hartley and
Zisserman, "Multiple View Geometry in Computer Vision", 2nd edition, section 11.6).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from originlens.match.verifiers import _geometry
from originlens.match.verifiers._geometry import Points

Indices = npt.NDArray[np.intp]

_ALIKE = 0.78  # least cosine of two RootSIFT vectors; unrelated ones seldom reach it
_SCALE, _TURN = 1.6, 25.0  # largest factor and angle (degrees) off what the transform says
_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Guided:
    """A refined transform (3, 3), asset to query, and its matches as indices of features."""

    matrix: Points
    query: Indices
    asset: Indices


def rematched(
    query: Points,
    asset: Points,
    similarity: npt.NDArray[np.float32],
    first: Guided,
    tolerance: float,
) -> Guided:
    """The transform and its inliers after two rounds of guided matching; ``first`` if it breaks.

    Args:
        query: (N, 4) x, y, scale, angle in degrees of all the query's features.
        asset: (M, 4) of the asset's.
        similarity: (N, M) cosines of their descriptors.
        first: a transform with the matches that it was estimated from.
        tolerance: inlier bound in query pixels.
    """
    pairs = np.flatnonzero(similarity.ravel() > _ALIKE)
    alike = np.divmod(pairs, similarity.shape[1])
    order = np.argsort(-similarity.ravel()[pairs], kind="stable")
    q, a = alike[0][order], alike[1][order]
    found = first
    for _ in range(_ROUNDS):
        near = _predicted(query[q], asset[a], found.matrix, tolerance)
        rows, columns = _each_once(
            np.concatenate([first.query, q[near]]), np.concatenate([first.asset, a[near]])
        )
        target, source = query[rows, :2], asset[columns, :2]
        matrix = _geometry.least_squares(source, target, tolerance)
        if not np.isfinite(matrix).all():
            return first
        inliers = _geometry.distances(matrix, source, target) < tolerance
        if inliers.sum() < len(first.query):
            return first
        found = Guided(matrix, rows[inliers], columns[inliers])
    return found


def _predicted(
    query: Points, asset: Points, matrix: Points, tolerance: float
) -> npt.NDArray[np.bool_]:
    """Which pairs (K, 4), (K, 4) lie as the transform says: in place, scale and angle."""
    near = _geometry.distances(matrix, asset[:, :2], query[:, :2]) < tolerance
    scale = np.sqrt(abs(np.linalg.det(matrix[:2, :2])))
    turn = np.rad2deg(np.arctan2(matrix[1, 0] - matrix[0, 1], matrix[0, 0] + matrix[1, 1]))
    factor = np.abs(np.log(query[:, 2] / (asset[:, 2] * scale)))
    off = np.abs((query[:, 3] - asset[:, 3] - turn + 180.0) % 360.0 - 180.0)
    held: npt.NDArray[np.bool_] = near & (factor < np.log(_SCALE)) & (off < _TURN)
    return held


def _each_once(query: Indices, asset: Indices) -> tuple[Indices, Indices]:
    """Of pairs, the best first, those that are the first of both of their features."""
    for _ in range(2):
        first = np.sort(np.unique(query, return_index=True)[1])
        query, asset = asset[first], query[first]
    return query, asset
