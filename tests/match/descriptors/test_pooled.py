"""The descriptor finds edited copies among other pictures; regions equal pictures of their own."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from originlens.match.descriptors._pooled import pooling
from originlens.match.descriptors.contrastive import CopyV2
from originlens.match.descriptors.gem_v0 import GemV0

PICTURES = (data.astronaut, data.coffee, data.chelsea, data.rocket)


@pytest.fixture(scope="module", params=[GemV0, CopyV2], ids=["gem-v0", "copy-v2"])
def descriptor(request) -> GemV0 | CopyV2:
    return request.param(threads=1)


@pytest.fixture(scope="module")
def references(descriptor):
    return descriptor.describe_batch([load() for load in PICTURES])


def edits(pixels):
    import cv2

    h, w = pixels.shape[:2]
    yield "crop", pixels[h // 5 : 4 * h // 5, w // 5 : 4 * w // 5]
    yield "mirror", np.ascontiguousarray(pixels[:, ::-1])
    yield "small", cv2.resize(pixels, (w // 4, h // 4), interpolation=cv2.INTER_AREA)
    yield "dark", (pixels * 0.4).astype(np.uint8)
    framed = cv2.copyMakeBorder(pixels, 40, 40, 40, 40, cv2.BORDER_CONSTANT, value=(255, 0, 0))
    yield "framed", framed


def test_edited_copies_are_nearest_to_their_original(descriptor, references):
    for index, load in enumerate(PICTURES):
        for name, edited in edits(load()):
            similarity = references @ descriptor.describe_batch([edited])[0]
            assert similarity.argmax() == index, name
            others = np.delete(similarity, index)
            assert similarity[index] > others.max() + 0.1, name


def test_unit_length_and_batch_equals_single(descriptor, references):
    assert np.allclose(np.linalg.norm(references, axis=1), 1, atol=1e-5)
    for row, load in zip(references, PICTURES, strict=True):
        assert np.allclose(row, descriptor.describe_batch([load()])[0], atol=1e-4)


def test_threads_do_not_change_the_vector(descriptor, references):
    two = type(descriptor)(threads=2).describe_batch([load() for load in PICTURES])
    assert np.abs(two - references).max() < 1e-4


def test_region_of_a_pasted_picture_finds_it(descriptor, references):
    import cv2

    page = cv2.resize(data.coffee(), (800, 600))
    page[300:600, 400:800] = cv2.resize(data.chelsea(), (400, 300))
    whole, region = descriptor.describe_regions(page, [(0, 0, 1, 1), (0.5, 0.5, 1, 1)])
    assert (references @ region).argmax() == 2
    assert region @ references[2] > whole @ references[2] + 0.2


def test_pooling_weights_cover_the_box():
    rows = pooling([(0, 0, 1, 1), (0.25, 0.5, 0.75, 1.0), (0.01, 0.01, 0.02, 0.02)], 4)
    assert np.allclose(rows.sum(1), 1)
    assert np.allclose(rows[0], 1 / 16)
    middle = rows[1].reshape(4, 4)
    assert np.allclose(middle[2:, 1:3], 0.25)
    assert middle[:2].sum() == 0
    assert rows[2].reshape(4, 4)[0, 0] == pytest.approx(1)


def test_no_boxes_no_vectors(descriptor):
    assert descriptor.describe_regions(data.coffee(), []).shape == (0, 256)


def test_what_the_network_is_shown_may_be_kept_in_place_of_the_picture(descriptor, references):
    """Ingest keeps the small square of each decoded picture, not its pixels."""
    for row, load in zip(references, PICTURES, strict=True):
        small = descriptor.network_input(load())
        assert small.shape == (descriptor.input_side, descriptor.input_side, 3)
        assert np.array_equal(descriptor.network_input(small), small)
        assert np.allclose(descriptor.describe_batch([small])[0], row, atol=1e-4)


def test_vectors_of_old_indexes_keep_the_size_they_were_made_at():
    assert GemV0.input_side == 224
