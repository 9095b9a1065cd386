"""Leaving refinement scans out: near-equal small pictures, fewer bytes, nothing odd touched."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from skimage import data

from originlens.core._jpeg_scans import without_refinements
from originlens.core.errors import CorruptImage
from originlens.core.image import Image


def photograph(**options: object) -> bytes:
    stream = io.BytesIO()
    large = Pillow.fromarray(data.astronaut()).resize((2048, 2048))
    large.save(stream, "JPEG", **options)
    return stream.getvalue()


PROGRESSIVE = photograph(quality=85, progressive=True)


def decoded(jpeg: bytes, side: int) -> np.ndarray:
    picture = Pillow.open(io.BytesIO(jpeg))
    picture.draft(None, (side, side))
    return np.asarray(picture).astype(int)


@pytest.mark.parametrize("side", [512, 256])
def test_small_picture_moves_by_a_level_or_two(side):
    short = without_refinements(PROGRESSIVE)
    assert len(short) < 0.75 * len(PROGRESSIVE)
    assert np.abs(decoded(short, side) - decoded(PROGRESSIVE, side)).mean() < 2.0


def test_image_uses_it_when_reduced_and_never_in_full():
    image = Image(PROGRESSIVE)
    assert np.array_equal(image.reduced(512), decoded(without_refinements(PROGRESSIVE), 512))
    assert np.array_equal(Image(PROGRESSIVE).pixels, decoded(PROGRESSIVE, 2048))


@pytest.mark.parametrize(
    "jpeg", [photograph(quality=85), photograph(quality=85, optimize=True), b"", b"\xff\xd8\xff"]
)
def test_what_is_not_progressive_stays_as_it_is(jpeg):
    assert without_refinements(jpeg) is jpeg


@pytest.mark.parametrize("share", [0.3, 0.9, 0.999])
def test_file_that_ends_early_stays_as_it_is_and_is_reported(share):
    cut = PROGRESSIVE[: int(share * len(PROGRESSIVE))]
    assert without_refinements(cut) is cut
    with pytest.raises(CorruptImage):
        Image(cut).reduced(256)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(2, 3000))
def test_any_bytes_are_survived(noise, place):
    """What follows a progressive header may be anything: no error, and never more bytes."""
    for data_ in (noise, PROGRESSIVE[:place] + noise + PROGRESSIVE[place + len(noise) :]):
        assert len(without_refinements(data_)) <= len(data_)


def test_bytes_after_the_end_are_kept():
    assert without_refinements(PROGRESSIVE + b"tail").endswith(b"\xff\xd9tail")
