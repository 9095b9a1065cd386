"""What a homography between two frames means in words: crop, turn, mirror, scale, perspective."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from originlens.core import geometry

Homography = npt.NDArray[np.float64]
Points = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Plane:
    """How an asset of a (height, width) lies in a query of another.

    ``rotation`` is clockwise in degrees, in (-180, 180], after the ``mirror`` (left to right);
    ``scale`` the geometric mean of the two ``stretches`` (query pixels per asset pixel along the
    asset's x and y axes); ``skew`` the departure from a right angle in degrees; ``perspective`` the
    largest distance of the outline from its best affine image, as a share of the outline's size.
    ``seen`` (N, 2) is the part of the asset that the query shows, in asset pixels, ``covered``
    (N, 2) the same in query pixels; ``seen_share`` and ``covered_share`` are their shares of the
    two pictures' areas.
    """

    mirror: bool
    rotation: float
    scale: float
    stretches: tuple[float, float]
    skew: float
    perspective: float
    seen: Points
    covered: Points
    seen_share: float
    covered_share: float

    @property
    def seen_box(self) -> Box:
        """Bounding box of ``seen`` in asset pixels."""
        return _box(self.seen)

    @property
    def covered_box(self) -> Box:
        """Bounding box of ``covered`` in query pixels."""
        return _box(self.covered)


def _box(points: Points) -> Box:
    """Left, top, right, bottom as pixel edges: a whole picture gives (0, 0, width, height)."""
    if len(points) == 0:
        return (0.0, 0.0, 0.0, 0.0)
    low, high = points.min(axis=0) + 0.5, points.max(axis=0) + 0.5
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def _outline(size: tuple[int, int]) -> Points:
    """The four corners of a (height, width) picture, at the outer pixel edges."""
    right, bottom = size[1] - 0.5, size[0] - 0.5
    return np.array([[-0.5, -0.5], [right, -0.5], [right, bottom], [-0.5, bottom]])


def _area(points: Points) -> float:
    """Area of a polygon (shoelace formula)."""
    if len(points) < 3:
        return 0.0
    x, y = points[:, 0], points[:, 1]
    return 0.5 * abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1)))


def _clip(points: Points, size: tuple[int, int]) -> Points:
    """Part of a polygon inside a (height, width) picture (Sutherland and Hodgman, 1974)."""
    right, bottom = size[1] - 0.5, size[0] - 0.5
    for axis, bound, sign in ((0, -0.5, 1), (1, -0.5, 1), (0, right, -1), (1, bottom, -1)):
        kept: list[Points] = []
        for here, there in zip(points, np.roll(points, -1, axis=0), strict=True):
            a, b = sign * (here[axis] - bound), sign * (there[axis] - bound)
            if a >= 0:
                kept.append(here)
            if (a >= 0) != (b >= 0):
                kept.append(here + (there - here) * (a / (a - b)))
        points = np.array(kept).reshape(-1, 2)
        if len(points) == 0:
            break
    return points


def _jacobian(transform: Homography, point: Points) -> Homography:
    """(2, 2) derivative of the transform at a point (x, y)."""
    x, y, w = transform @ np.append(point, 1.0)
    top = transform[:2, :2] * w - np.outer([x, y], transform[2, :2])
    return np.asarray(top / w**2, dtype=np.float64)


def _perspective(transform: Homography, seen: Points) -> float:
    """Largest departure of ``seen``'s image from its best affine image, relative to its size."""
    image = geometry.apply(transform, seen)
    basis = np.column_stack([seen, np.ones(len(seen))])
    solution, *_ = np.linalg.lstsq(basis, image, rcond=None)
    extent = float(np.linalg.norm(np.ptp(image, axis=0)))
    return float(np.linalg.norm(image - basis @ solution, axis=1).max()) / max(extent, 1e-9)


def decompose(
    transform: Homography, asset_size: tuple[int, int], query_size: tuple[int, int]
) -> Plane:
    """Describe a transform from asset to query pixels; sizes are (height, width), full size.

    Raises:
        ValueError: the transform is singular.
    """
    if not np.isfinite(transform).all() or abs(np.linalg.det(transform)) < 1e-15:
        raise ValueError("transform is not an invertible homography")
    inverse = np.asarray(np.linalg.inv(transform), dtype=np.float64)
    seen = _clip(geometry.apply(inverse, _outline(query_size)), asset_size)
    covered = _clip(geometry.apply(transform, _outline(asset_size)), query_size)
    centre = seen.mean(axis=0) if len(seen) else np.array([asset_size[1], asset_size[0]]) / 2
    jacobian = _jacobian(transform, centre)
    mirror = bool(np.linalg.det(jacobian) < 0)
    turned = jacobian @ np.diag([-1.0, 1.0]) if mirror else jacobian
    # Nearest rotation (polar decomposition by SVD).
    u, values, v = np.linalg.svd(turned)
    rotation = u @ v
    x_axis, y_axis = turned[:, 0], turned[:, 1]
    across, along = float(np.linalg.norm(x_axis)), float(np.linalg.norm(y_axis))
    cosine = float(x_axis @ y_axis) / max(across * along, 1e-12)
    return Plane(
        mirror=mirror,
        rotation=math.degrees(math.atan2(rotation[1, 0], rotation[0, 0])),
        scale=float(np.sqrt(values.prod())),
        stretches=(across, along),
        skew=abs(90.0 - math.degrees(math.acos(min(1.0, max(-1.0, cosine))))),
        perspective=_perspective(transform, seen) if len(seen) >= 4 else 0.0,
        seen=seen,
        covered=covered,
        seen_share=_area(seen) / (asset_size[0] * asset_size[1]),
        covered_share=_area(covered) / (query_size[0] * query_size[1]),
    )
