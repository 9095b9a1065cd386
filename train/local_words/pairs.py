"""Points of photographs and of their edited copies, and which of them show the same spot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from originlens.bench.kinds import kinds
from originlens.core import geometry
from originlens.core.image import Image
from originlens.match.local import coding

_NEAR = 0.5  # largest distance of two points of one spot, in sigmas
_SCALE = 0.35  # largest difference of their scales, in octaves
_TURN = np.radians(20)


@dataclass(frozen=True)
class Pair:
    """``asset`` (N, 128) and ``query`` (M, 128) histograms; ``same`` (K, 2) indices into them."""

    asset: np.ndarray
    query: np.ndarray
    same: np.ndarray


def pairs(paths: list[Path], others: list[Path], seed: int) -> Iterator[Pair]:
    """A pair for each photograph, edited by a drawn kind of the seen half."""
    rng = np.random.default_rng(seed)
    seen = kinds("seen")
    for path in paths:
        image = Image.open(path)
        edit = seen[int(rng.integers(len(seen)))]
        chosen = [Image.open(others[int(i)]) for i in rng.integers(len(others), size=4)]
        attacked = edit.apply(image, rng, others=chosen)
        edited = Image(attacked.image.data)
        asset = coding.points(image.pixels, coding.ASSET_SIDE, coding.ASSET_POINTS)
        query = coding.points(edited.pixels, coding.QUERY_SIDE, coding.QUERY_POINTS)
        yield Pair(asset.histograms, query.histograms, same_spots(asset, query, attacked.transform))


def same_spots(asset: coding.Points, query: coding.Points, transform: np.ndarray) -> np.ndarray:
    """(K, 2) indices of points that the transform (full size asset to query) puts together."""
    if not len(asset.xy) or not len(query.xy):
        return np.zeros((0, 2), np.intp)
    to_query = geometry.scaling(query.full_size, query.size) @ transform
    to_query = to_query @ geometry.scaling(asset.size, asset.full_size)
    tip = asset.xy + np.stack([np.cos(asset.angle), np.sin(asset.angle)], 1) * asset.sigma[:, None]
    there = geometry.apply(to_query, asset.xy.astype(np.float64))
    towards = geometry.apply(to_query, tip.astype(np.float64)) - there
    sigma = np.hypot(towards[:, 0], towards[:, 1])
    angle = np.arctan2(towards[:, 1], towards[:, 0])
    distance = np.linalg.norm(there[:, None] - query.xy[None], axis=2)
    scale = np.abs(np.log2(np.maximum(sigma, 1e-6))[:, None] - np.log2(query.sigma)[None])
    turn = np.abs((angle[:, None] - query.angle[None] + np.pi) % (2 * np.pi) - np.pi)
    is_same = (distance < _NEAR * query.sigma[None]) & (scale < _SCALE) & (turn < _TURN)
    if np.linalg.det(to_query[:2, :2]) < 0:
        is_same[:] = False  # mirrored copies are found by mirrored histograms
    distance[~is_same] = np.inf
    nearest = distance.argmin(1)
    rows = np.flatnonzero(np.isfinite(distance[np.arange(len(distance)), nearest]))
    return np.stack([rows, nearest[rows]], 1)
