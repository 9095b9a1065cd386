"""Robust plane transforms from local-feature matches: one-point similarity, then homography.

A SIFT match carries position, scale and angle, so a single match already is a similarity
hypothesis (Schmid & Mohr 1997; Jegou et al. 2008, weak geometric consistency). All hypotheses are
tested against all matches at once, which is exhaustive and deterministic where RANSAC samples;
the best are refined by least squares and finished by MAGSAC++ (Barath et al., CVPR 2020).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from originlens.core import geometry

Points = npt.NDArray[np.float64]
_TOP = 6
_HYPOTHESES = 160  # enough for a 5 % inlier share to be hit with certainty > 99.9 %
_ROUNDS = 4


def similarity_votes(
    query: Points, asset: Points, hypotheses: npt.NDArray[np.intp], tolerance: float
) -> npt.NDArray[np.bool_]:
    """Consistency of every match with each one-match similarity: (K, M) bool.

    ``query`` and ``asset`` are (M, 4): x, y, scale, angle in degrees; ``hypotheses`` are K indices
    into the matches. A hypothesis transfers the asset's points; matches must land within
    ``tolerance`` pixels plus 12 % of their distance from the hypothesis's own point (scale and
    angle of one keypoint are that inexact), and agree in scale (factor 1.6) and angle (30 degrees).
    """
    log_scale = np.log(query[:, 2] / asset[:, 2]).astype(np.float32)
    turn = np.exp(1j * np.deg2rad(query[:, 3] - asset[:, 3])).astype(np.complex64)
    rotation = np.exp(log_scale) * turn
    q = (query[:, 0] + 1j * query[:, 1]).astype(np.complex64)
    a = (asset[:, 0] + 1j * asset[:, 1]).astype(np.complex64)
    k = hypotheses
    relative_q = q[None, :] - q[k, None]
    predicted = rotation[k, None] * (a[None, :] - a[k, None])
    near = np.abs(relative_q - predicted) < tolerance + 0.12 * np.abs(relative_q)
    same_scale = np.abs(log_scale[None, :] - log_scale[k, None]) < np.log(1.6)
    same_angle = (turn[None, :] * np.conj(turn[k, None])).real > np.cos(np.deg2rad(30))
    votes: npt.NDArray[np.bool_] = near & same_scale & same_angle
    return votes


def _fit_affines(source: Points, target: Points, chosen: npt.NDArray[np.bool_]) -> Points:
    """Least-squares affines of several subsets of the same matches: (K, 3, 3), NaN where undefined.

    A similarity where a subset has fewer than 5 points. ``source`` and ``target`` are (M, 2),
    ``chosen`` (K, M) says which matches belong to each subset. All subsets are solved at once from
    their second moments: one by one, NumPy's overhead costs more than the arithmetic.
    """
    middle_s, middle_t = source.mean(0), target.mean(0)
    (x, y), (u, v) = (source - middle_s).T, (target - middle_t).T
    moments = np.stack([x, y, u, v, x * x, x * y, y * y, x * u, x * v, y * u, y * v])
    weight = chosen.astype(np.float64)
    count = weight.sum(1)
    with np.errstate(all="ignore"):
        mx, my, mu, mv, xx, xy, yy, xu, xv, yu, yv = (weight @ moments.T / count[:, None]).T
        xx, xy, yy = xx - mx * mx, xy - mx * my, yy - my * my
        xu, xv, yu, yv = xu - mx * mu, xv - mx * mv, yu - my * mu, yv - my * mv
        spread = np.hypot(xx - yy, 2 * xy)
        is_flat = xx + yy - spread <= 1e-6 * (xx + yy + spread)  # all points on one line
        determinant = xx * yy - xy * xy
        general = np.array(
            [[xu * yy - yu * xy, yu * xx - xu * xy], [xv * yy - yv * xy, yv * xx - xv * xy]]
        ) / np.where(is_flat, np.nan, determinant)
        cosine, sine = np.array([xu + yv, xv - yu]) / np.where(xx + yy < 1e-9, np.nan, xx + yy)
    similar = np.array([[cosine, -sine], [sine, cosine]])
    linear = np.moveaxis(np.where(count < 5, similar, general), -1, 0)
    matrices = np.zeros((len(chosen), 3, 3))
    matrices[:, :2, :2] = linear
    mean_s = np.column_stack([mx, my]) + middle_s
    mean_t = np.column_stack([mu, mv]) + middle_t
    matrices[:, :2, 2] = mean_t - (linear @ mean_s[..., None])[..., 0]
    matrices[:, 2, 2] = 1.0
    return matrices


def distances(matrix: Points, source: Points, target: Points) -> npt.NDArray[np.float64]:
    """(M,) pixels from ``target`` (M, 2) to where ``matrix`` puts ``source``; inf if nowhere."""
    with np.errstate(all="ignore"):
        distance = np.linalg.norm(geometry.apply(matrix, source) - target, axis=1)
    return np.nan_to_num(distance, nan=np.inf)


def median_residual(matrix: Points, query: Points, asset: Points) -> float:
    """Median distance of matched points from where ``matrix`` puts them, in pixels of the coarser
    of the two pictures.

    A copy's points lie where the transform says, to a fraction of a pixel; those of another
    photograph are off by its parallax.

    Args:
        matrix: (3, 3), asset to query.
        query: (M, >= 2) points x, y of the query, M >= 1.
        asset: (M, >= 2) points of the asset.
    """
    distance = float(np.median(distances(matrix, asset[:, :2], query[:, :2])))
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    return distance / max(1.0, scale)


def _cost(residual: npt.NDArray[np.float64], tolerance: float) -> float:
    """Truncated squared error: what MSAC minimises."""
    return float((np.minimum(residual, tolerance) ** 2).sum())


def _grow(
    source: Points, target: Points, seeds: npt.NDArray[np.bool_], tolerance: float
) -> tuple[Points, npt.NDArray[np.bool_]]:
    """Refine (K, M) seed sets by least squares and re-selection in turn, with a shrinking bound.

    Returns (K, 3, 3) affines, of which those without three inliers left are NaN, and (K, M) bool.
    """
    inliers = seeds
    matrices = np.full((len(seeds), 3, 3), np.nan)
    for factor in np.linspace(3.0, 1.0, _ROUNDS):
        matrices = _fit_affines(source, target, inliers)
        matrices[inliers.sum(1) < 3] = np.nan
        predicted = source @ matrices[:, :2, :2].transpose(0, 2, 1) + matrices[:, None, :2, 2]
        miss = predicted - target
        with np.errstate(invalid="ignore"):
            inliers = (miss**2).sum(2) < (tolerance * factor) ** 2
    return matrices, inliers


def estimate(
    query: Points, asset: Points, *, tolerance: float
) -> tuple[Points | None, npt.NDArray[np.bool_]]:
    """Best transform asset -> query and its inliers among matches.

    Args:
        query: (M, 4) x, y, scale, angle of matched query features (working frame).
        asset: (M, 4) of the asset's features, same order.
        tolerance: inlier bound in query pixels.

    Returns:
        (3x3 matrix or None, (M,) bool inliers). Each place in either picture counts once.
    """
    none = np.zeros(len(query), dtype=bool)
    if len(query) < 3:
        return None, none
    hypotheses = np.unique(np.linspace(0, len(query) - 1, _HYPOTHESES).astype(np.intp))
    votes = similarity_votes(query, asset, hypotheses, tolerance)
    order = np.argsort(-votes.sum(1), kind="stable")[:_TOP]
    source, target = asset[:, :2], query[:, :2]
    # A seed with half the votes of the best is not tried: it hardly ever grows beyond it.
    strong = np.maximum(3, 0.5 * votes[order[0]].sum()) <= votes[order].sum(1)
    if not strong.any():  # most unrelated pictures: growing nothing takes as long as growing much
        return None, none
    matrices, grown = _grow(source, target, votes[order[strong]], tolerance)
    best = int(grown.sum(1).argmax())
    if grown[best].sum() < 1:
        return None, none
    matrix: Points = matrices[best]
    inliers = grown[best]
    if inliers.sum() >= 8:
        near = distances(matrix, source, target) < 6 * tolerance
        homography = _homography(matrix, source, target, near, int(inliers.sum()), tolerance)
        if homography is not None:
            matrix = homography
            inliers = distances(matrix, source, target) < tolerance
    return matrix, inliers


def least_squares(source: Points, target: Points, tolerance: float) -> Points:
    """The affine (3, 3) of least squares, or the homography where that fits clearly better.

    ``source`` and ``target`` are (M, 2); NaN where fewer than three points or a line are given.
    """
    everything = np.ones(len(source), bool)
    matrix: Points = _fit_affines(source, target, everything[None])[0]
    if len(source) < 12 or not np.isfinite(matrix).all():
        return matrix
    found = _homography(matrix, source, target, everything, len(source), tolerance)
    return matrix if found is None else found


def _homography(
    affine: Points,
    source: Points,
    target: Points,
    near: npt.NDArray[np.bool_],
    inliers: int,
    tolerance: float,
) -> Points | None:
    """A homography by MAGSAC++ of the points ``near``; None unless it beats the affine clearly."""
    import cv2

    found, _ = cv2.findHomography(
        source[near], target[near], cv2.USAC_MAGSAC, tolerance, maxIters=300, confidence=0.999
    )
    if found is None:
        return None
    homography = np.asarray(found, dtype=np.float64)
    # Two more parameters always fit a little better: ask for more than chance gives.
    bound = (0.9 - 4.0 / inliers) * _cost(distances(affine, source, target), tolerance)
    better = _cost(distances(homography, source, target), tolerance) < bound
    return homography if better else None


def is_plausible(matrix: Points, size: tuple[int, int]) -> bool:
    """Whether a transform keeps the asset's rectangle (h, w) convex, unfolded and of sane scale."""
    h, w = size
    corners = np.array([[0, 0], [w - 1, 0], [w - 1, h - 1], [0, h - 1]], dtype=np.float64)
    depth = np.column_stack([corners, np.ones(4)]) @ matrix[2]
    if (depth <= 0.2 * depth.max()).any():
        return False
    mapped = geometry.apply(matrix, corners)
    edges = np.roll(mapped, -1, axis=0) - mapped
    following = np.roll(edges, -1, axis=0)
    cross = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    if not ((cross > 0).all() or (cross < 0).all()):
        return False
    area = abs(
        np.sum(mapped[:, 0] * np.roll(mapped[:, 1], -1) - np.roll(mapped[:, 0], -1) * mapped[:, 1])
    )
    scale = np.sqrt(area / 2 / max(1.0, (h - 1.0) * (w - 1.0)))
    sides = np.linalg.norm(edges, axis=1)
    stretch = (sides[[0, 2]].mean() / max(w - 1, 1)) / max(
        sides[[1, 3]].mean() / max(h - 1, 1), 1e-9
    )
    return bool(1 / 16 < scale < 16 and 1 / 4 < stretch < 4)
