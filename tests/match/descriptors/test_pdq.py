"""PDQ against the published implementation, its symmetries, and pictures without a signature.

The committed vectors are hashes of pictures made by integer arithmetic only, so that every platform
makes the same bytes and the check needs no peer.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from skimage import data

from originlens.core.image import Image
from originlens.match.descriptors import pdq

Pixels = np.ndarray


def _lattice(rows: np.ndarray, columns: np.ndarray, seed: int) -> np.ndarray:
    """Pseudo-random 0..255 at integer points (an integer hash with wrap-around)."""
    mixed = rows * 73856093 ^ columns * 19349663 ^ seed * 83492791
    mixed = (mixed ^ (mixed >> 13)) * 1274126177 & 0x7FFFFFFF
    return (mixed >> 8) & 255


def clouds(height: int, width: int, seed: int) -> Pixels:
    """(height, width, 3) uint8: three octaves of bilinear value noise per channel."""
    y, x = np.mgrid[:height, :width].astype(np.int64)
    channels = []
    for channel in range(3):
        total = np.zeros((height, width), np.int64)
        for octave, cell in enumerate((96, 40, 12)):
            top, left, v, u = y // cell, x // cell, y % cell, x % cell
            key = seed * 16 + channel * 4 + octave
            corners = [_lattice(top + i, left + j, key) for i in (0, 1) for j in (0, 1)]
            above = corners[0] * (cell - u) + corners[1] * u
            below = corners[2] * (cell - u) + corners[3] * u
            total += (above * (cell - v) + below * v) // (cell * cell) * (4 >> octave)
        channels.append(total // 7)
    return np.stack(channels, axis=2).astype(np.uint8)


def blocks(height: int, width: int, seed: int) -> Pixels:
    """(height, width, 3) uint8: a board of flat squares, a graphic with hard edges."""
    cell = max(2, min(height, width) // 9)
    y, x = np.mgrid[:height, :width].astype(np.int64)
    return np.stack([_lattice(y // cell, x // cell, seed * 4 + c) for c in range(3)], 2).astype(
        np.uint8
    )


def rings(height: int, width: int, seed: int) -> Pixels:
    """(height, width, 3) uint8: circles ever closer, a fine regular texture."""
    y, x = np.mgrid[:height, :width].astype(np.int64)
    squared = (x - width // 3) ** 2 + (y - height // 5) ** 2
    value = squared * (9 + seed) * 256 // (height * height + width * width) & 255
    return np.repeat(value[:, :, None], 3, axis=2).astype(np.uint8)


def ramp(height: int, width: int) -> Pixels:
    """(height, width, 3) uint8: a smooth ramp, hardly any structure but not flat."""
    y, x = np.mgrid[:height, :width].astype(np.int64)
    return np.repeat((x * 30 // width + y * 50 // height)[:, :, None], 3, axis=2).astype(np.uint8)


RECIPES = {"clouds": clouds, "blocks": blocks, "rings": rings}
SIZES = ((512, 512), (400, 512), (750, 1000), (131, 97), (64, 64), (63, 300), (20, 31), (1023, 640))

VECTORS = json.loads((Path(__file__).parent / "pdq_vectors.json").read_text())


@pytest.mark.parametrize("vector", VECTORS["pictures"], ids=lambda v: f"{v['recipe']}-{v['size']}")
def test_equals_published_implementation_on_committed_vectors(vector):
    pixels = RECIPES[vector["recipe"]](*vector["size"], vector["seed"])
    digest, quality = pdq.hash_with_quality(pixels)
    assert pdq.distance(digest, bytes.fromhex(vector["hex"])) <= 2
    assert abs(quality - vector["quality"]) <= 1


def test_equals_peer_on_photographs():
    peer = pytest.importorskip("pdqhash", reason="the conformance peer pdqhash is not installed")
    for pixels in (data.astronaut(), data.coffee(), data.chelsea(), clouds(733, 911, 5)):
        bits, quality = peer.compute(pixels)
        digest, own_quality = pdq.hash_with_quality(pixels)
        assert pdq.distance(digest, np.packbits(bits)) <= 2
        assert own_quality == quality


def turned(pixels: np.ndarray) -> list[np.ndarray]:
    """The picture after each of ``pdq.SYMMETRIES``."""
    half = np.rot90(pixels, 2)
    return [
        pixels,
        np.rot90(pixels),
        half,
        np.rot90(pixels, 3),
        pixels[:, ::-1],
        pixels[::-1],
        pixels.swapaxes(0, 1),
        half.swapaxes(0, 1),
    ]


@pytest.mark.parametrize("pixels", [data.coffee(), clouds(170, 141, 3), clouds(64, 90, 4)])
def test_dihedral_hashes_are_those_of_the_turned_pictures(pixels):
    own = pdq.dihedral(pixels)
    assert own.shape == (8, 32) and own.dtype == np.uint8
    for row, picture in zip(own, turned(pixels), strict=True):
        digest, _ = pdq.hash_with_quality(np.ascontiguousarray(picture))
        assert pdq.distance(row, digest) <= 2


def test_mirrored_jpeg_is_near_one_symmetry_and_far_from_others():
    import cv2

    pixels = data.chelsea()
    mirrored = np.ascontiguousarray(pixels[:, ::-1])
    _, jpeg = cv2.imencode(".jpg", mirrored, [cv2.IMWRITE_JPEG_QUALITY, 30])
    edited = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    original, _ = pdq.hash_with_quality(pixels)
    distances = [pdq.distance(row, original) for row in pdq.dihedral(edited)]
    assert np.argmin(distances) == pdq.SYMMETRIES.index("mirror")
    assert min(distances) <= 10
    assert sorted(distances)[1] > 60


@pytest.mark.parametrize("value", [0, 77, 255])
@pytest.mark.parametrize("size", [(600, 800), (1, 1), (7, 3000)])
def test_flat_picture_has_no_signature(value, size):
    flat = np.full((*size, 3), value, np.uint8)
    assert pdq.hash_with_quality(flat) == (bytes(32), 0)
    assert not pdq.dihedral(flat).any()


def test_smooth_ramp_is_not_to_be_trusted():
    assert pdq.hash_with_quality(ramp(480, 640))[1] < pdq.TRUSTED_QUALITY


@pytest.mark.parametrize("size", [(1, 1), (4, 4), (4, 900), (5, 5), (3, 20000), (20000, 5)])
def test_tiny_and_narrow_pictures(size):
    digest, quality = pdq.hash_with_quality(clouds(*size, 1))
    assert len(digest) == 32
    if min(size) < pdq.SMALLEST_SIDE:
        assert (digest, quality) == (bytes(32), 0)


def test_unrelated_pictures_are_far_apart():
    hashes = [pdq.hash_with_quality(clouds(300, 400, seed))[0] for seed in range(6)]
    for i, a in enumerate(hashes):
        assert all(pdq.distance(a, b) > 60 for b in hashes[:i])


def test_describe_reads_stored_pixels_and_leaves_them_unchanged():
    pixels = data.coffee()
    before = pixels.copy()
    described = pdq.Pdq().describe(Image.from_array(pixels))
    assert described.tobytes() == pdq.hash_with_quality(pixels)[0]
    assert np.array_equal(pixels, before)


def test_committed_vectors_cover_every_recipe_and_size():
    covered = {(v["recipe"], tuple(v["size"])) for v in VECTORS["pictures"]}
    assert covered == {(recipe, size) for recipe in RECIPES for size in SIZES}
