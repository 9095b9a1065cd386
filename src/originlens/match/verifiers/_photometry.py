"""Do the pixels agree once warped? Local correlation, blind to colour and brightness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from originlens.core import geometry
from originlens.core.image import Pixels
from originlens.match import MINIATURE, LocalFeatures

Grey = npt.NDArray[np.uint8]
Map = npt.NDArray[np.float32]

_CELLS = 24  # agreement is judged on about this many cells along the query's long side
_AGREES = 0.6
_NOISE = 2.0  # standard deviation (grey levels) that compression and sensors leave in flat areas
_OCTAVES = 2  # of detail; coarser than that, pictures of like layout correlate by chance
_BAND = 2.5  # each is what a blur this much wider than its finest detail takes away


@dataclass(frozen=True, slots=True)
class PixelSupport:
    """Shares in [0, 1]: see :class:`originlens.match.Geometry`; ``texture`` is the share of the
    overlap that has contrast to judge, ``agreed_query`` the agreeing share of the query's area,
    ``fine_correlation`` the median correlation of fine detail in [-1, 1], ``structure`` what
    :attr:`_Octave.structure` says of each octave, finest first, in [-1, 1], ``median_structure``
    the same of :attr:`_Octave.median_structure`."""

    coverage_query: float = 0.0
    coverage_asset: float = 0.0
    agreement: float = 0.0
    correlation: float = 0.0
    texture: float = 0.0
    agreed_query: float = 0.0
    fine_correlation: float = 0.0
    structure: tuple[float, ...] = (0.0,) * _OCTAVES
    median_structure: tuple[float, ...] = (0.0,) * _OCTAVES


def working_grey(pixels: Pixels, long_side: int) -> Grey:
    """Luma (h, w) uint8 with the long side at most ``long_side`` (never enlarged)."""
    import cv2

    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    scale = long_side / max(grey.shape)
    if scale >= 1:
        return np.ascontiguousarray(grey)
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA))


def smoothed(grey: Grey, sigma: float) -> Grey:
    """The picture after a Gaussian blur of ``sigma`` pixels."""
    import cv2

    return np.asarray(cv2.GaussianBlur(grey, (0, 0), sigma))


def compare(query: Grey, asset: Grey, matrix: npt.NDArray[np.float64]) -> PixelSupport:
    """Warp the asset by ``matrix`` (asset -> query working frames) and correlate locally."""
    import cv2

    h, w = query.shape
    warped, inside, scale = _warp(query.shape, asset, matrix)
    area = float(inside.mean())
    if area <= 0 or inside.sum() < 64:
        return PixelSupport()
    # Compare at the coarser of the two resolutions: enlarging a reduced copy adds no detail.
    sigma = 1.0 + max(0.0, 0.7 * (scale - 1.0))
    q = np.asarray(cv2.GaussianBlur(query.astype(np.float32), (0, 0), sigma), np.float32)
    a = np.asarray(cv2.GaussianBlur(warped.astype(np.float32), (0, 0), sigma), np.float32)
    overlap_side = np.sqrt(inside.sum())
    radius = max(2, round(min(max(h, w) / _CELLS, overlap_side / 8) / 2))
    windows = _Windows(inside, radius)
    # A cell counts where either picture has contrast: one flat, one textured is a disagreement.
    judged = (inside > 0) & (windows.largest_variance(q, a) > (3 * _NOISE) ** 2)
    weight = judged[windows.cells]
    values = windows.correlation(q, a)[weight]
    asset_area = _asset_share(query.shape, asset.shape, matrix)
    if len(values) < 6:
        return PixelSupport(area, asset_area)
    agreed = values > _AGREES
    octaves = _octaves(q, a, inside, sigma, radius)
    texture = float(judged.sum() / max(1.0, float(inside.sum())))
    return PixelSupport(
        coverage_query=area,
        coverage_asset=asset_area,
        agreement=float(agreed.mean()),
        correlation=float(np.median(values)),
        texture=texture,
        agreed_query=float(agreed.mean()) * area,
        fine_correlation=float(np.median(octaves[0].correlation[weight])),
        structure=tuple(octave.structure for octave in octaves),
        median_structure=tuple(octave.median_structure for octave in octaves),
    )


@dataclass(frozen=True, slots=True)
class _Octave:
    """Band-passed detail of query and asset, window by window.

    ``correlation`` in [-1, 1] and the asset's ``energy`` (grey levels squared) on a grid of
    windows, ``within`` where the asset lies.
    """

    correlation: Map
    energy: Map
    within: npt.NDArray[np.bool_]

    @property
    def structure(self) -> float:
        """Does the query show the asset's detail where the asset has some?

        The mean correlation, weighted by the asset's energy. Blur takes the finest octave and
        leaves the others; noise, dots and lines lie everywhere, so they count little where the
        asset has strong detail; another photograph has detail of its own at every octave.
        """
        energy = self.energy[self.within]
        total = float(energy.sum())
        return float(self.correlation[self.within] @ energy) / total if total > 1e-6 else 0.0

    @property
    def median_structure(self) -> float:
        """As :attr:`structure`, but the weighted median: text and stickers over less than half of a
        copy leave it high, another photograph differs nearly everywhere."""
        energy, correlation = self.energy[self.within], self.correlation[self.within]
        order = np.argsort(correlation)
        below = np.cumsum(energy[order], dtype=np.float64)
        if not len(below) or below[-1] <= 1e-6:
            return 0.0
        return float(correlation[order[np.searchsorted(below, below[-1] / 2)]])


def _octaves(q: Map, a: Map, inside: Grey, sigma: float, radius: int) -> list[_Octave]:
    """Detail at ``_OCTAVES`` scales, the finest first; its windows have this radius.

    ``q`` and ``a`` are (h, w) smoothed by ``sigma`` pixels, ``inside`` is where the asset lies.
    """
    import cv2

    found = []
    for octave in range(_OCTAVES):
        if octave:  # nothing is left that half the pixels cannot hold
            size = (max(1, q.shape[1] // 2), max(1, q.shape[0] // 2))
            q, a = (np.asarray(cv2.resize(p, size, interpolation=cv2.INTER_AREA)) for p in (q, a))
            inside = np.asarray(cv2.resize(inside, size, interpolation=cv2.INTER_NEAREST))
            radius = max(2, (radius + 1) // 2, round(2 * sigma))
        wide_q, wide_a = (
            np.asarray(cv2.GaussianBlur(p, (0, 0), _BAND * sigma), np.float32) for p in (q, a)
        )
        windows = _Windows(inside, radius)
        found.append(
            _Octave(
                windows.correlation(q - wide_q, a - wide_a),
                windows.variance(a - wide_a)[windows.cells],
                inside[windows.cells] > 0,
            )
        )
        q, a = wide_q, wide_a
        sigma *= np.hypot(1.0, _BAND) / 2  # blurs add in squares
    return found


def _warp(
    shape: tuple[int, ...], asset: Grey, matrix: npt.NDArray[np.float64]
) -> tuple[Grey, Grey, float]:
    """Asset in the query's frame, the mask of where it lies, and its enlargement factor.

    A strong reduction is anti-aliased by shrinking the asset by area first.
    """
    import cv2

    h, w = shape[:2]
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    source = asset
    if scale < 0.7:
        size = (max(1, round(asset.shape[1] * scale)), max(1, round(asset.shape[0] * scale)))
        source = np.asarray(cv2.resize(asset, size, interpolation=cv2.INTER_AREA))
        matrix = matrix @ geometry.scaling((source.shape[0], source.shape[1]), asset.shape[:2])
    warped = cv2.warpPerspective(source, matrix, (w, h), flags=cv2.INTER_LINEAR)
    ones = np.ones(source.shape[:2], np.uint8)
    inside = cv2.warpPerspective(ones, matrix, (w, h), flags=cv2.INTER_NEAREST)
    return np.asarray(warped), np.asarray(inside), scale


class _Windows:
    """Local moments of two (h, w) maps in square windows, over pixels of the overlap only.

    Leaving out what is outside keeps the overlap's border from diluting the windows.
    ``cells`` selects the grid of windows, overlapping by half, that a picture is judged on.
    """

    def __init__(self, inside: Grey, radius: int) -> None:
        self._size = (2 * radius + 1, 2 * radius + 1)
        self._mask = inside.astype(np.float32)
        self.cells = np.s_[radius // 2 :: radius, radius // 2 :: radius]
        self._weight = np.maximum(self._mean(self._mask), 1e-3)

    def largest_variance(self, a: Map, b: Map) -> Map:
        """(h, w): the larger local variance of the two."""
        return np.asarray(np.maximum(self.variance(a), self.variance(b)))

    def correlation(self, a: Map, b: Map) -> Map:
        """Windowed correlation in [-1, 1] on the grid of ``cells``."""
        inside_a, inside_b = a * self._mask, b * self._mask
        products = (inside_a, inside_b, inside_a * a, inside_b * b, inside_a * b)
        weight = self._weight[self.cells]
        ma, mb, aa, bb, ab = (self._mean(p)[self.cells] / weight for p in products)
        va, vb = np.maximum(aa - ma * ma, 0), np.maximum(bb - mb * mb, 0)
        floor = _NOISE**2 / 4
        return np.asarray((ab - ma * mb) / np.sqrt((va + floor) * (vb + floor)), np.float32)

    def variance(self, a: Map) -> Map:
        """(h, w): the local variance."""
        inside = a * self._mask
        mean = self._mean(inside) / self._weight
        return np.asarray(self._mean(inside * a) / self._weight - mean * mean)

    def _mean(self, plane: Map) -> Map:
        import cv2

        return np.asarray(cv2.boxFilter(plane, cv2.CV_32F, self._size, normalize=True))


def _asset_share(
    query: tuple[int, ...], asset: tuple[int, ...], matrix: npt.NDArray[np.float64]
) -> float:
    """Share of the asset's area that falls inside the query's frame, on a 32x32 grid."""
    ys, xs = np.mgrid[0:32, 0:32]
    points = np.column_stack(
        [(xs.ravel() + 0.5) * asset[1] / 32 - 0.5, (ys.ravel() + 0.5) * asset[0] / 32 - 0.5]
    )
    mapped = geometry.apply(matrix, points)
    x, y = mapped[:, 0], mapped[:, 1]
    return float(((x >= -0.5) & (x <= query[1] - 0.5) & (y >= -0.5) & (y <= query[0] - 0.5)).mean())


def thumbnail(grey: Grey) -> Map:
    """(24, 24) float32 of zero mean: what a picture without local features is compared by."""
    import cv2

    half = (
        cv2.resize(grey, (96, 96), interpolation=cv2.INTER_LINEAR)
        if min(grey.shape) > 192
        else grey
    )
    small = np.asarray(cv2.resize(half, (24, 24), interpolation=cv2.INTER_AREA), np.float32)
    return np.asarray(small - small.mean(), np.float32)


def miniature(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """(64, 64, 3) uint8: a picture of any size and shape, squeezed."""
    import cv2

    small = cv2.resize(pixels, (MINIATURE, MINIATURE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def whole_alignment(
    query: LocalFeatures, asset: LocalFeatures, inverted: bool = False
) -> npt.NDArray[np.float64] | None:
    """The best of the eight whole-picture symmetries, if the thumbnails correlate at >= 0.8.

    For pictures without local features: flat, blurred, tiny. Of an ``inverted`` query the negative
    is compared.
    """
    shown = -query.thumbnail if inverted else query.thumbnail
    norm = float(np.linalg.norm(query.thumbnail) * np.linalg.norm(asset.thumbnail))
    if norm < query.thumbnail.size * 4.0:
        return None
    best, best_score = 0, 0.8
    for exif in range(1, 9):
        score = float((shown * oriented(asset.thumbnail, exif)).sum()) / norm
        if score > best_score:
            best, best_score = exif, score
    if not best:
        return None
    turned = asset.size if best < 5 else (asset.size[1], asset.size[0])
    return geometry.scaling(turned, query.size) @ geometry.orientation(best, asset.size)


def oriented(array: npt.NDArray[np.float32], exif: int) -> npt.NDArray[np.float32]:
    """A (h, w) array turned by an EXIF orientation code."""
    if exif >= 5:
        array = array.T
    flips = {
        1: (1, 1),
        2: (1, -1),
        3: (-1, -1),
        4: (-1, 1),
        5: (1, 1),
        6: (1, -1),
        7: (-1, -1),
        8: (-1, 1),
    }
    return array[:: flips[exif][0], :: flips[exif][1]]
