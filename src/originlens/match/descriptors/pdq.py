"""PDQ: the 256-bit perceptual hash of the industry's hash exchanges, with its quality figure.

Paper: Facebook, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" (2019).

Why it works: luma is smoothed by two passes of a box filter (together a tent), sampled on a 64 x 64
grid, and the signs of its 16 x 16 lowest non-constant DCT coefficients about their median survive
recompression, resizing and mild colour change.

When it fails: crops, rotations other than by quarter turns, borders, overlays and pasted pictures
move every coefficient; a flat picture has no signature (quality 0).

Everything before the signs is linear and separable, so smoothing and sampling along an axis are one
small matrix. The published sampling is not symmetric (far from it in small pictures), so the hashes
of turned and mirrored pictures are made from the axis read from both ends: four grids, each of
which serves two symmetries by a transpose. They equal the hashes of the turned pixels.
"""

from __future__ import annotations

from functools import lru_cache
from typing import cast

import numpy as np
import numpy.typing as npt

from originlens.core.image import Image, Pixels
from originlens.core.registry import Card, Cost, register

Hash = npt.NDArray[np.uint8]
_Matrix = npt.NDArray[np.float32]

GRID = 64
COEFFICIENTS = 16
HASHED_SHORT_SIDE = 512
"""Hashes are exchangeable (a median of 0 bits from full size) only from this size on."""
SMALLEST_SIDE = 5
"""Below this the exchange's reference gives no hash either."""
TRUSTED_QUALITY = 50
"""The exchange's advice: do not match hashes of a lower quality."""
SYMMETRIES = (
    "identity",
    "rotate-90",
    "rotate-180",
    "rotate-270",
    "mirror",
    "flip",
    "transpose",
    "transverse",
)
"""What was done to the picture, in the order of ``dihedral``: turns are counter-clockwise,
``mirror`` swaps left and right, ``flip`` swaps top and bottom, ``transpose`` mirrors about the main
diagonal and ``transverse`` about the other one."""

_BLOCK = 8  # grid points done at once: their pixels stay in the cache, their weights are few
_CACHED_LENGTH = 8192  # weights of longer axes are rare and large: not kept


def _tent(length: int, point: int) -> tuple[int, _Matrix]:
    """First pixel and weights of a grid point along an axis: a box of boxes around its sample.

    The window is 1/128 of the side (rounded up), cut at the borders and divided by what is left of
    it; an even one reaches one pixel further to the right (the published code's convention).
    """
    window = -(-length // (2 * GRID))
    right = window // 2
    left = window - 1 - right
    centre = int((point + 0.5) * length / GRID)
    middle = np.arange(max(centre - left, 0), min(centre + right, length - 1) + 1)
    first = np.maximum(middle - left, 0)
    stop = np.minimum(middle + right, length - 1) + 1
    share = 1.0 / ((stop - first) * middle.size)
    steps = np.zeros(stop[-1] - first[0] + 1)
    np.add.at(steps, first - first[0], share)
    np.add.at(steps, stop - first[0], -share)
    return int(first[0]), np.cumsum(steps)[:-1].astype(np.float32)


def _make_weights(length: int, top: int) -> tuple[int, _Matrix]:
    """First pixel and (2, 8, n) weights of the grid points ``top`` to ``top + 7`` of an axis.

    Index 0 is the axis as it is, index 1 the axis read backwards, its points in forward order.
    """
    forward = [_tent(length, point) for point in range(top, top + _BLOCK)]
    mirrored = [_tent(length, GRID - 1 - point) for point in range(top, top + _BLOCK)]
    backward = [(length - first - w.size, w[::-1]) for first, w in mirrored]
    start = min(first for first, _ in forward + backward)
    stop = max(first + w.size for first, w in forward + backward)
    weights = np.zeros((2, _BLOCK, stop - start), np.float32)
    for direction, tents in enumerate((forward, backward)):
        for row, (first, w) in enumerate(tents):
            weights[direction, row, first - start : first - start + w.size] = w
    return start, weights


_cached_weights = lru_cache(maxsize=512)(_make_weights)


def _weights(length: int, top: int) -> tuple[int, _Matrix]:
    make = _cached_weights if length <= _CACHED_LENGTH else _make_weights
    return make(length, top)


@lru_cache(maxsize=1)
def _dct_basis() -> _Matrix:
    """(16, 64): the DCT-II basis vectors of frequency 1 to 16; the constant one is left out."""
    frequency = np.arange(1, COEFFICIENTS + 1)[:, None]
    phase = (2 * np.arange(GRID) + 1)[None, :]
    basis = np.sqrt(2.0 / GRID) * np.cos(np.pi / (2 * GRID) * frequency * phase)
    return cast(_Matrix, basis.astype(np.float32))


def _grids(pixels: Pixels, directions: int) -> _Matrix:
    """(directions, directions, 64, 64) float32: smoothed luma (Rec. 601, not rounded) at the grid.

    First index: rows read forwards (0) or backwards (1); second index: the same for columns.
    """
    import cv2

    height, width = pixels.shape[:2]
    if width > 8 * height:  # the longer axis goes first, or the intermediate would be huge
        return _grids(pixels.swapaxes(0, 1), directions).transpose(1, 0, 3, 2)
    narrow = np.empty((directions, GRID, width), np.float32)
    grids = np.empty((directions, directions, GRID, GRID), np.float32)
    for top in range(0, GRID, _BLOCK):
        start, weights = _weights(height, top)
        stop = start + weights.shape[2]
        block = np.ascontiguousarray(pixels[start:stop], dtype=np.float32)
        luma = cv2.cvtColor(block, cv2.COLOR_RGB2GRAY).reshape(stop - start, width)
        narrow[:, top : top + _BLOCK] = weights[:directions] @ luma
    for left in range(0, GRID, _BLOCK):
        start, weights = _weights(width, left)
        part = narrow[:, None, :, start : start + weights.shape[2]]
        grids[:, :, :, left : left + _BLOCK] = part @ weights[:directions].transpose(0, 2, 1)
    return grids


def _quality(grid: _Matrix) -> int:
    """0 to 100: sum of the steps between neighbouring grid points, in whole percent."""
    percent = grid * np.float32(100.0 / 255.0)
    steps = np.abs(np.diff(percent, axis=0)).astype(int).sum()
    steps += np.abs(np.diff(percent, axis=1)).astype(int).sum()
    return int(min(steps // 90, 100))


def _is_flat(grid: _Matrix) -> bool:
    """Whether the signs of the coefficients would be rounding noise."""
    return float(np.ptp(grid)) < 0.01


def _transform(grid: _Matrix) -> _Matrix:
    """(..., 16, 16) DCT coefficients of (..., 64, 64) grids."""
    basis = _dct_basis()
    return np.matmul(np.matmul(basis, grid), basis.T, dtype=np.float32)


def _pack(coefficients: _Matrix) -> Hash:
    """(32,) uint8: bits above the lower median, highest frequencies first (exchanged order)."""
    values = coefficients.ravel()
    median = np.partition(values, values.size // 2 - 1)[values.size // 2 - 1]
    return np.packbits((values > median)[::-1])


def hash_with_quality(pixels: Pixels) -> tuple[bytes, int]:
    """The PDQ hash of a picture and its quality.

    Args:
        pixels: ``(H, W, 3) uint8`` RGB as stored in the file: not turned by EXIF, no ICC applied.
            For exchange, with a short side of at least 512 pixels if the picture has as many.

    Returns:
        32 bytes (``.hex()`` is the text that exchanges use) and the quality, 0 to 100. A picture
        that is constant or has a side below 5 pixels has no signature: 32 zero bytes, quality 0.
    """
    if min(pixels.shape[:2]) < SMALLEST_SIDE:
        return bytes(32), 0
    grid = _grids(pixels, directions=1)[0, 0]
    if _is_flat(grid):
        return bytes(32), 0
    return _pack(_transform(grid)).tobytes(), _quality(grid)


def dihedral(pixels: Pixels) -> Hash:
    """``(8, 32) uint8``: hashes of the picture under the symmetries of the square.

    Row ``k`` is the hash of the picture after ``SYMMETRIES[k]``. All rows are zero where the
    picture has no signature.
    """
    none = np.zeros((8, 32), np.uint8)
    if min(pixels.shape[:2]) < SMALLEST_SIDE:
        return none
    grids = _grids(pixels, directions=2)
    if _is_flat(grids[0, 0]):
        return none
    # A reversed axis negates the odd frequencies along it; rows 0, 2, ... are frequencies 1, 3, ...
    sign = np.where(np.arange(COEFFICIENTS) % 2 == 0, -1, 1).astype(np.float32)
    upright, mirrored, flipped, half_turned = _transform(grids).reshape(4, COEFFICIENTS, -1)
    mirrored, flipped = mirrored * sign[None, :], flipped * sign[:, None]
    half_turned = half_turned * sign[None, :] * sign[:, None]
    variants = (
        upright,
        mirrored.T,
        half_turned,
        flipped.T,
        mirrored,
        flipped,
        upright.T,
        half_turned.T,
    )
    return np.stack([_pack(v) for v in variants])


def distance(a: bytes | Hash, b: bytes | Hash) -> int:
    """Hamming distance of two hashes of 32 bytes, 0 to 256."""
    left, right = (np.frombuffer(bytes(h), np.uint8) for h in (a, b))
    return int(np.bitwise_count(left ^ right).sum())


@register(
    Card(
        name="pdq",
        kind="descriptor",
        task="copy detection",
        claims="the same picture recompressed, resized or mildly recoloured; turned or mirrored",
        paper="Facebook, The TMK+PDQF Video-Hashing and the PDQ Image-Hashing Algorithm, 2019",
        code_licence="Apache-2.0",
        reads=("pixels",),
        cost=Cost(ms_per_mpx=2.0, mb=16.0, note="without decoding; all eight symmetries 1.6x"),
        status="stable",
        scope="equal to other PDQ hashes where computed at 512 or more pixels on the short side",
        fails_when="crop, rotation, border, overlay, pasted pictures; flat pictures have none",
        thresholds={"distance": 31, "quality": TRUSTED_QUALITY},
    )
)
class Pdq:
    """The PDQ hash of a picture's stored pixels: 256 bits in 32 bytes, most significant first."""

    dimension = 256

    def describe(self, image: Image) -> Hash:
        """``(32,) uint8``; all zero where the picture has no signature (too flat or too small)."""
        pixels = image.reduced(HASHED_SHORT_SIDE, managed=False, oriented=False)
        return np.frombuffer(hash_with_quality(pixels)[0], np.uint8)

    def variants(self, image: Image) -> Hash:
        """``(8, 32) uint8``: hashes under the symmetries of the square, see :func:`dihedral`."""
        return dihedral(image.reduced(HASHED_SHORT_SIDE, managed=False, oriented=False))
