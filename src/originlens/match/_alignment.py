"""One query and its original in one frame: warped, registered below a pixel, compensated.

The transform that local features give is right to a pixel or two; a map of changes needs a tenth of
that. Dense flow (Kroeger et al., DIS, ECCV 2016) measures what is left, and a smooth polynomial
fitted to it robustly corrects the geometry, lens distortion included, while a local warp, which no
low-degree polynomial follows, stays visible.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from originlens.core import geometry
from originlens.core.image import Pixels
from originlens.match import _photometric as photometric

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Homography = npt.NDArray[np.float64]

#: Largest working picture, in pixels.
WORKING_AREA = 1_000_000
#: A pixel is still explained this far (working pixels) outside the original: registration error.
_MARGIN = 0.75
#: Registration needs no more pixels than this.
_FLOW_AREA = 160_000


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """A query and its original at one working size, in the query's frame.

    ``query`` and ``original`` are (h, w, 3) float32 in 0..255, ``original`` warped and given the
    query's global colour and sharpness; ``plain`` (h, w, 3) uint8 is the warped original itself. ``explained``
    (h, w) bool tells which pixels of the query the original covers. ``gain`` (h, w) float32 is the
    slow brightness factor, ``taps`` (5,) the sharpness filter, ``shift`` the (h, w, 2) float32
    correction of the transform in working pixels, ``resolution`` the query's pixels per pixel of
    the original before working at a common size, ``size`` the query's (height, width).
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
        right = geometry.apply(transform, points + [0.5, 0.0]) - here
        down = geometry.apply(transform, points + [0.0, 0.5]) - here
    across = 2.0 * np.hypot(right[:, 0], right[:, 1])
    along = 2.0 * np.hypot(down[:, 0], down[:, 1])
    return _sane(float(np.median(across))), _sane(float(np.median(along)))


def _sane(value: float) -> float:
    return min(max(value, 1e-3), 1e3) if np.isfinite(value) else 1.0


def _source_grid(transform: Homography, shape: tuple[int, int], shift: Floats | None) -> Floats:
    """Where each pixel of a (h, w) frame lies in the original: (h, w, 2) float32 (NaN: nowhere)."""
    inverse = np.linalg.inv(transform)
    x = np.arange(shape[1], dtype=np.float32)[None, :]
    y = np.arange(shape[0], dtype=np.float32)[:, None]
    if shift is not None:
        x, y = x + shift[..., 0], y + shift[..., 1]
    h = inverse.astype(np.float64)
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

    clean = np.nan_to_num(grid, nan=-1e6, posinf=1e6, neginf=-1e6)
    # OpenCV's remap counts in 16 bits, and replicating far outside is pointless.
    clean[..., 0] = np.clip(clean[..., 0], -8, original.shape[1] + 8)
    clean[..., 1] = np.clip(clean[..., 1], -8, original.shape[0] + 8)
    return np.asarray(
        cv2.remap(original, clean, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    )


def _inside(grid: Floats, size: tuple[int, int], margin: tuple[float, float]) -> Mask:
    """Pixels whose source lies on the original; ``margin`` (x, y) is in its pixels."""
    with np.errstate(invalid="ignore"):
        return np.asarray(
            (grid[..., 0] > -0.5 - margin[0])
            & (grid[..., 1] > -0.5 - margin[1])
            & (grid[..., 0] < size[1] - 0.5 + margin[0])
            & (grid[..., 1] < size[0] - 0.5 + margin[1])
        )


def _colour_samples(source: Pixels, target: Floats, mask: Mask) -> tuple[Floats, Floats]:
    """Block means of both pictures where wholly explained: (N, 3) each.

    Means over blocks are insensitive to noise, compression and a small misalignment.
    """
    import cv2

    height, width = mask.shape
    step = max(1, round(np.sqrt(height * width / 4000)))
    size = (max(1, width // step), max(1, height // step))
    kept = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.99
    pair = [
        cv2.resize(p.astype(np.float32), size, interpolation=cv2.INTER_AREA)[kept]
        for p in (source, target)
    ]
    return pair[0], pair[1]


def _smooth_shift(flow: Floats, weight: Floats, shape: tuple[int, int]) -> Floats:
    """A polynomial of degree <= 3 fitted robustly to a flow field, as a field of ``shape``."""
    height, width = weight.shape
    step = max(2, int(np.sqrt(height * width / 3000)))
    ys = np.arange(step // 2, height, step)
    xs = np.arange(step // 2, width, step)
    y, x = np.meshgrid(ys, xs, indexing="ij")
    w = weight[y, x].ravel()
    keep = w > 0
    if int(keep.sum()) < 12:
        return np.zeros((*shape, 2), dtype=np.float32)
    d = flow[y, x].reshape(-1, 2)[keep].astype(np.float64)
    w = w[keep].astype(np.float64)
    degree = 1 if keep.sum() < 60 else 3

    def terms(px: npt.NDArray[np.floating], py: npt.NDArray[np.floating]) -> Homography:
        u = 2.0 * px / max(1, width - 1) - 1.0
        v = 2.0 * py / max(1, height - 1) - 1.0
        powers = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
        return np.stack([u**i * v**j for i, j in powers], axis=-1)

    basis = terms(x.ravel()[keep].astype(float), y.ravel()[keep].astype(float))
    powers = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    ridge = np.diag([1e-6 if i + j <= 1 else 2e-3 for i, j in powers])
    robust = np.ones_like(w)
    solution = np.zeros((basis.shape[1], 2))
    for _ in range(8):
        weighted = basis * (w * robust)[:, None]
        gram = weighted.T @ basis + ridge * (w * robust).sum() + 1e-9 * np.eye(len(ridge))
        solution = np.linalg.solve(gram, weighted.T @ d)
        miss = np.hypot(*(d - basis @ solution).T)
        scale = max(0.15, 2.0 * float(np.median(miss)))
        robust = 1.0 / (1.0 + (miss / scale) ** 2) ** 2
    # Evaluated on a coarse grid: the field is smooth.
    gy = np.linspace(0, height - 1, max(2, min(height, 65)))
    gx = np.linspace(0, width - 1, max(2, min(width, 65)))
    cy, cx = np.meshgrid(gy, gx, indexing="ij")
    coarse = (terms(cx, cy) @ solution).astype(np.float32)
    return _stretch(np.clip(coarse, -6.0, 6.0), shape)


def _stretch(field: Floats, size: tuple[int, int]) -> Floats:
    """Bilinear resampling with the corner pixels' centres kept in the corners."""
    import cv2

    x = np.linspace(0, field.shape[1] - 1, size[1], dtype=np.float32)[None, :].repeat(size[0], 0)
    y = np.linspace(0, field.shape[0] - 1, size[0], dtype=np.float32)[:, None].repeat(size[1], 1)
    return np.asarray(cv2.remap(field, x, y, cv2.INTER_LINEAR), dtype=np.float32)


def _flow(query: Floats, original: Floats, explained: Mask) -> tuple[Floats, Floats]:
    """Dense displacement original(x + d) = query(x), (h', w', 2), and its weight (h', w') >= 0.

    Measured at a reduced size (h', w') where the pictures are large; in pixels of the given size.
    """
    import cv2

    height, width = explained.shape
    factor = min(1.0, float(np.sqrt(_FLOW_AREA / (height * width))))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    first, second = (
        cv2.resize(np.clip(photometric.luma(p), 0, 255), size, interpolation=cv2.INTER_AREA)
        for p in (query, original)
    )
    inside = cv2.resize(explained.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    # What the original does not cover would otherwise drag the flow beside it.
    a, b = np.where(inside > 0, first, second).astype(np.uint8), second.astype(np.uint8)
    method = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    method.setFinestScale(0 if a.size < _FLOW_AREA // 2 else 1)
    flow = method.calc(a, b, None) * np.float32([width / size[0], height / size[1]])
    smooth = cv2.GaussianBlur(first, (0, 0), 1.0)
    gx, gy = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    xx, yy, xy = (cv2.blur(p, (9, 9)) for p in (gx * gx, gy * gy, gx * gy))
    # Smaller eigenvalue of the structure tensor: where both components of the flow are known.
    corner = 0.5 * (xx + yy - np.sqrt((xx - yy) ** 2 + 4 * xy * xy))
    weight = corner / (corner + 100.0)
    core = cv2.erode(inside, np.ones((9, 9), np.uint8))
    return flow, np.where(core > 0, weight, 0.0).astype(np.float32)


def _working(
    query: Pixels, original: Pixels, transform: Homography, area: int
) -> tuple[Pixels, Pixels, Homography, float]:
    """Both pictures reduced to the coarser resolution of the two, and the transform between."""
    import cv2

    height, width = query.shape[:2]
    sx, sy = local_scale(transform, original.shape[:2])
    resolution = float(np.sqrt(sx * sy))
    factor = min(1.0, 1.0 / resolution, float(np.sqrt(area / (height * width))))
    shape = (max(1, round(height * factor)), max(1, round(width * factor)))
    if shape != (height, width):
        query = cv2.resize(query, shape[::-1], interpolation=cv2.INTER_AREA)
        transform = geometry.scaling((height, width), shape) @ transform
    rows, columns = original.shape[:2]
    fx, fy = min(1.0, sx * factor), min(1.0, sy * factor)
    small = (max(1, round(rows * fy)), max(1, round(columns * fx)))
    if small[0] < 0.95 * rows or small[1] < 0.95 * columns:
        original = cv2.resize(original, small[::-1], interpolation=cv2.INTER_AREA)
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
    target = small.astype(np.float32)
    shape = (small.shape[0], small.shape[1])
    margin = tuple(_MARGIN / s for s in local_scale(matrix, source.shape[:2]))

    shift = np.zeros((*shape, 2), dtype=np.float32)
    grid = _source_grid(matrix, shape, None)
    warped = _sample(source, grid)
    explained = _inside(grid, source.shape[:2], margin)
    rounds = 2 if min(shape) >= 32 and explained.sum() >= 1024 else 0
    for _ in range(rounds):
        colour = photometric.fit_colour(*_colour_samples(warped, target, explained))
        flow, weight = _flow(target, colour(warped), explained)
        step = _smooth_shift(flow, weight, shape)
        shift = shift + step
        grid = _source_grid(matrix, shape, shift)
        warped = _sample(source, grid)
        explained = _inside(grid, source.shape[:2], margin)
        if float(np.abs(step).max()) < 0.3:
            break
    return _compensated(target, warped, explained, shift, resolution, size)


def _compensated(
    target: Floats, warped: Pixels, explained: Mask, shift: Floats, resolution: float,
    size: tuple[int, int],
) -> Aligned:
    colour = photometric.fit_colour(*_colour_samples(warped, target, explained))
    original = colour(warped)
    gain = photometric.slow_gain(original, target, explained)
    if float(np.abs(gain - 1.0).max()) > 0.02:
        # Colour and gain are not independent: fit colour again on the levelled query.
        levelled = target / gain[..., None]
        colour = photometric.fit_colour(*_colour_samples(warped, levelled, explained))
        original = np.clip(colour(warped) * gain[..., None], 0, 255)
    original, taps = photometric.match_sharpness(original, target, explained)
    return Aligned(
        target, original, warped, explained, gain, taps, shift, resolution, size
    )
