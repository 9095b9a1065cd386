"""Descriptions: what is kept of a picture, from one decode; a broken one never stops the batch."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
from PIL import Image as Pillow
from skimage import data

from originlens.core.errors import CorruptImage
from originlens.core.image import Image
from originlens.match.describe import PROXY_SIDE, Description, describe, make_proxy
from originlens.match.descriptors import pdq


def jpeg(pixels: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, "JPEG", **{"quality": 85, **options})
    return buffer.getvalue()


@pytest.fixture(scope="module")
def described() -> dict[str, Description]:
    pictures = {"astronaut": data.astronaut(), "coffee": data.coffee(), "cat": data.chelsea()}
    pictures["cropped"] = np.ascontiguousarray(pictures["astronaut"][60:420, 80:460])
    found = describe([Image(jpeg(pixels)) for pixels in pictures.values()], threads=1)
    return dict(zip(pictures, found, strict=True))


def test_edited_copy_is_nearer_than_any_other_picture(described):
    query = described["cropped"].vectors[0]
    similarity = {name: float(d.vectors[0] @ query) for name, d in described.items()}
    assert similarity["astronaut"] > max(similarity["coffee"], similarity["cat"]) + 0.1


def test_fields_are_those_of_the_file(described):
    found = described["coffee"]
    content = jpeg(data.coffee())
    assert found.sha256 == hashlib.sha256(content).hexdigest()
    assert (found.height, found.width) == data.coffee().shape[:2]
    assert (found.format, found.orientation) == ("JPEG", 1)
    assert found.pixel_hash == Image(content).pixel_hash
    assert len(found.pdq) == 32 and 0 < found.pdq_quality <= 100
    assert found.vectors.shape == (1, 256) and found.vectors.dtype == np.float32
    assert np.linalg.norm(found.vectors[0]) == pytest.approx(1, abs=1e-5)


def test_batch_equals_single(described):
    alone = describe([Image(jpeg(data.chelsea()))], threads=1)[0]
    assert isinstance(alone, Description)
    assert np.abs(alone.vectors - described["cat"].vectors).max() < 1e-4
    assert (alone.pdq, alone.proxy) == (described["cat"].pdq, described["cat"].proxy)


def test_threads_change_nothing_but_rounding(described):
    two = describe([Image(jpeg(data.coffee()))], threads=2)[0]
    assert isinstance(two, Description)
    assert np.abs(two.vectors - described["coffee"].vectors).max() < 1e-4
    assert two.pdq == described["coffee"].pdq


def test_broken_picture_is_an_error_in_its_place():
    whole = jpeg(data.coffee())
    first, broken, last = describe([Image(whole), Image(whole[: len(whole) // 2]), Image(whole)])
    assert isinstance(first, Description) and isinstance(last, Description)
    assert isinstance(broken, CorruptImage)
    assert describe([]) == []


def test_pictures_are_taken_one_by_one_and_not_kept():
    import gc
    import weakref

    alive: list[weakref.ref[Image]] = []
    most = 0

    def pictures():
        nonlocal most
        for _ in range(4):
            image = Image(jpeg(data.coffee()))
            alive.append(weakref.ref(image))
            yield image
            del image
            gc.collect()
            most = max(most, sum(ref() is not None for ref in alive))

    assert len(describe(pictures(), threads=1)) == 4
    assert most <= 2


def test_turned_picture_is_described_upright_but_hashed_as_stored():
    upright = data.coffee()
    stored = np.ascontiguousarray(np.rot90(upright))
    exif = Pillow.Exif()
    exif[0x0112] = 6
    found = describe([Image(jpeg(stored, quality=95, exif=exif))])[0]
    plain = describe([Image(jpeg(upright, quality=95))])[0]
    assert isinstance(found, Description) and isinstance(plain, Description)
    assert (found.width, found.height, found.orientation) == (plain.width, plain.height, 6)
    assert float(found.vectors[0] @ plain.vectors[0]) > 0.97
    assert pdq.distance(found.pdq, pdq.hash_with_quality(stored)[0]) <= 10
    proxy = Pillow.open(io.BytesIO(found.proxy or b""))
    assert proxy.size == Pillow.open(io.BytesIO(plain.proxy or b"")).size
    assert not proxy.getexif()


def test_large_jpeg_is_not_decoded_in_full():
    large = np.kron(data.coffee(), np.ones((4, 4, 1), np.uint8))
    found = describe([Image(jpeg(large))])[0]
    assert isinstance(found, Description)
    assert (found.height, found.width) == large.shape[:2]
    assert found.pixel_hash is None
    full, _ = pdq.hash_with_quality(large)
    assert pdq.distance(found.pdq, full) <= 10


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (1, 5000), (3000, 2)])
def test_tiny_and_narrow_pictures(size):
    pixels = np.full((*size, 3), 90, np.uint8)
    found = describe([Image.from_array(pixels)])[0]
    assert isinstance(found, Description)
    assert found.pdq_quality == 0 and np.isfinite(found.vectors).all()
    assert max(Pillow.open(io.BytesIO(found.proxy or b"")).size) == min(max(size), PROXY_SIDE)


def test_no_proxies():
    found = describe([Image.from_array(data.coffee())], proxies=False)[0]
    assert isinstance(found, Description) and found.proxy is None


def test_proxy_keeps_colours_and_size():
    pixels = data.astronaut()
    proxy = np.asarray(Pillow.open(io.BytesIO(make_proxy(pixels))))
    assert proxy.shape == pixels.shape
    assert np.abs(proxy.mean((0, 1)) - pixels.mean((0, 1))).max() < 1.5
