"""One query and its original in one frame: warped, registered below a pixel, compensated.

The transform that local features give is right to a pixel or two; a map of changes needs a tenth of
that (:mod:`originlens.match._registration`), and the original in the query's colours and sharpness
(:mod:`originlens.match._photometric`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from originlens.core import geometry
from originlens.core.image import Pixels
from originlens.match import _photometric as photometric
from originlens.match import _registration as registration

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Homography = npt.NDArray[np.float64]

#: Largest working picture, in pixels.
WORKING_AREA = 640_000
#: A pixel is still explained this far (working pixels) outside the original: registration error.
_MARGIN = 0.75
#: Registration needs no more pixels than this, and this many rounds at most.
_REGISTRATION_AREA, _REGISTRATION_ROUNDS = 120_000, 2
#: Rounds of fitting colour and slow gain in turn.
_TONE_ROUNDS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """A query and its original at one working size, in the query's frame.

    ``query`` and ``original`` are (h, w, 3) float32 in 0..255, ``original`` warped and given the
    query's global colour and sharpness; ``plain`` (h, w, 3) uint8 is the warped original itself.
    ``explained`` (h, w) bool tells which pixels of the query the original covers. ``gain`` (h, w)
    float32 is the slow brightness factor, ``taps`` (5,) the sharpness filter, ``shift`` the
    (h, w, 2) float32 correction of the transform in working pixels, ``resolution`` the query's
    pixels per pixel of the original, ``size`` the query's full (height, width).
    """

    query: Floats
    original: Floats
    plain: Pixels
    explained: Mask
    gain: Floats
    taps: Floats
    shift: Floats
    resolution: float
    size: tuple[int, int]


def local_scale(transform: Homography, size: tuple[int, int]) -> tuple[float, float]:
    """Stretch of the original's x and y axes by ``transform``, medians over a (height, width)."""
    ys, xs = np.meshgrid(np.linspace(0, size[0] - 1, 5), np.linspace(0, size[1] - 1, 5))
    points = np.column_stack([xs.ravel(), ys.ravel()])
    with np.errstate(all="ignore"):
        here = geometry.apply(transform, points)
        right = geometry.apply(transform, points + np.array([0.5, 0.0])) - here
        down = geometry.apply(transform, points + np.array([0.0, 0.5])) - here
    across = 2.0 * np.hypot(right[:, 0], right[:, 1])
    along = 2.0 * np.hypot(down[:, 0], down[:, 1])
    return _sane(float(np.median(across))), _sane(float(np.median(along)))


def _sane(value: float) -> float:
    return min(max(value, 1e-3), 1e3) if np.isfinite(value) else 1.0


def _source_grid(transform: Homography, shape: tuple[int, int], shift: Floats) -> Floats:
    """Where each pixel of a (h, w) frame lies in the original: (h, w, 2) float32 (NaN: nowhere)."""
    inverse = np.linalg.inv(transform)
    h = inverse.astype(np.float32)
    x = np.arange(shape[1], dtype=np.float32)[None, :] + shift[..., 0]
    y = np.arange(shape[0], dtype=np.float32)[:, None] + shift[..., 1]
    depth = h[2, 0] * x + h[2, 1] * y + h[2, 2]
    # The inverse's depth is the reciprocal of the transform's; it is positive where the original
    # lies, since H[2, 2] = 1, and what is behind the camera is not in the picture.
    depth = np.where(depth > 1e-9, depth, np.nan)
    grid = np.empty((*shape, 2), dtype=np.float32)
    grid[..., 0] = (h[0, 0] * x + h[0, 1] * y + h[0, 2]) / depth
    grid[..., 1] = (h[1, 0] * x + h[1, 1] * y + h[1, 2]) / depth
    return grid


def _sample(original: Pixels, grid: Floats) -> Pixels:
    import cv2

    # OpenCV's remap counts in 16 bits, and replicating far outside is pointless.
    limits = (original.shape[1] + 8, original.shape[0] + 8)
    x, y = (np.nan_to_num(np.clip(grid[..., k], -8, limits[k]), nan=-8.0) for k in (0, 1))
    warped = cv2.remap(original, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, dtype=np.uint8)


def _inside(grid: Floats, size: tuple[int, int], margin: tuple[float, float]) -> Mask:
    """Pixels whose source lies on the original; ``margin`` (x, y) is in its pixels.

    A sliver of one or two pixels outside is an error of the transform, not a border.
    """
    import cv2

    with np.errstate(invalid="ignore"):
        inside = (
            (grid[..., 0] > -0.5 - margin[0])
            & (grid[..., 1] > -0.5 - margin[1])
            & (grid[..., 0] < size[1] - 0.5 + margin[0])
            & (grid[..., 1] < size[0] - 0.5 + margin[1])
        )
    outside = np.pad((~inside).astype(np.uint8), 1)
    outside = cv2.morphologyEx(outside, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return np.asarray(outside[1:-1, 1:-1] == 0)


def _colour_samples(
    source: Pixels, target: Floats, mask: Mask, count: int
) -> tuple[Floats, Floats]:
    """About ``count`` block means of both pictures where wholly explained: (N, 3) each.

    Means over blocks are insensitive to noise, compression and a small misalignment.
    """
    import cv2

    height, width = mask.shape
    step = max(1, round(np.sqrt(height * width / count)))
    size = (max(1, width // step), max(1, height // step))
    kept = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.99
    first, second = (
        np.asarray(cv2.resize(p.astype(np.float32), size, interpolation=cv2.INTER_AREA))
        for p in (source, target)
    )
    return (
        first.astype(np.float32, copy=False)[kept],
        second.astype(np.float32, copy=False)[kept],
    )


def _reduced(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """The picture at a (height, width), anti-aliased."""
    import cv2

    small = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8)


def _working(
    query: Pixels, original: Pixels, transform: Homography, area: int
) -> tuple[Pixels, Pixels, Homography, float]:
    """Both pictures reduced to the coarser resolution of the two, and the transform between."""
    height, width = query.shape[:2]
    sx, sy = local_scale(transform, original.shape[:2])
    resolution = float(np.sqrt(sx * sy))
    factor = min(1.0, 1.0 / resolution, float(np.sqrt(area / (height * width))))
    shape = (max(1, round(height * factor)), max(1, round(width * factor)))
    if shape != (height, width):
        query = _reduced(query, shape)
        transform = geometry.scaling((height, width), shape) @ transform
    rows, columns = original.shape[:2]
    fx, fy = min(1.0, sx * factor), min(1.0, sy * factor)
    small = (max(1, round(rows * fy)), max(1, round(columns * fx)))
    if small[0] < 0.95 * rows or small[1] < 0.95 * columns:
        original = _reduced(original, small)
        transform = transform @ np.linalg.inv(geometry.scaling((rows, columns), small))
    return query, original, transform, resolution


def align(
    query: Pixels, original: Pixels, transform: Homography, *, area: int = WORKING_AREA
) -> Aligned:
    """Bring ``original`` into the query's frame, colours and sharpness.

    Args:
        query: (H, W, 3) uint8.
        original: (H', W', 3) uint8, at any size: a proxy will do.
        transform: (3, 3) homography from pixels of ``original`` to pixels of ``query``.
        area: largest working picture in pixels.

    Raises:
        ValueError: ``transform`` is singular or not finite.
    """
    transform = np.asarray(transform, dtype=np.float64)
    if not np.isfinite(transform).all() or abs(np.linalg.det(transform)) < 1e-15:
        raise ValueError("transform is not an invertible homography")
    size = (query.shape[0], query.shape[1])
    small, source, matrix, resolution = _working(query, original, transform, area)
    shape = (small.shape[0], small.shape[1])
    shift = _registered(small, source, matrix).field(shape)
    warped, explained = _warped(source, matrix, shape, shift)
    return _compensated(small.astype(np.float32), warped, explained, shift, resolution, size)


def _registered(query: Pixels, original: Pixels, transform: Homography) -> registration.Shift:
    """What is left to correct in ``transform``, measured on a reduced pair."""
    small, source, matrix, _ = _working(query, original, transform, _REGISTRATION_AREA)
    target = small.astype(np.float32)
    shape = (small.shape[0], small.shape[1])
    shift = registration.Shift.none(shape)
    for _ in range(_REGISTRATION_ROUNDS if min(shape) >= 32 else 0):
        warped, explained = _warped(source, matrix, shape, shift.field(shape))
        if int(explained.sum()) < 1024:
            break
        colour = photometric.fit_colour(*_colour_samples(warped, target, explained, 1500))
        step = registration.residual_shift(target, colour(warped), explained)
        shift = shift.plus(step)
        if step.largest() < 0.25:
            break
    return shift


def _warped(
    source: Pixels, matrix: Homography, shape: tuple[int, int], shift: Floats
) -> tuple[Pixels, Mask]:
    """The original in a (h, w) frame after a shift field, and which pixels it covers."""
    grid = _source_grid(matrix, shape, shift)
    across, along = local_scale(matrix, source.shape[:2])
    margin = (_MARGIN / across, _MARGIN / along)
    return _sample(source, grid), _inside(grid, source.shape[:2], margin)


def _toned(target: Floats, warped: Pixels, explained: Mask) -> tuple[Floats, Floats]:
    """The warped original in the query's colours (h, w, 3), and the slow gain (h, w) within."""
    gain = np.ones(explained.shape, dtype=np.float32)
    original = warped.astype(np.float32)
    # Colour and gain are not independent: a darkened rim looks like a darker colour at first.
    for _ in range(_TONE_ROUNDS):
        levelled = target / gain[..., None]
        predict = photometric.fit_colour(*_colour_samples(warped, levelled, explained, 3000))
        even = predict(warped)
        fitted = photometric.slow_gain(even, target, explained)
        settled = float(np.abs(fitted - gain).max()) < 0.03
        gain = fitted if float(np.abs(fitted - 1.0).max()) > 0.02 else np.ones_like(gain)
        original = np.clip(even * gain[..., None], 0, 255)
        if settled:
            break
    return original, gain


def _compensated(
    target: Floats,
    warped: Pixels,
    explained: Mask,
    shift: Floats,
    resolution: float,
    size: tuple[int, int],
) -> Aligned:
    original, gain = _toned(target, warped, explained)
    original, taps = photometric.match_sharpness(original, target, explained)
    return Aligned(target, original, warped, explained, gain, taps, shift, resolution, size)
