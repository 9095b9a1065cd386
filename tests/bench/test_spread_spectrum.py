"""The baseline watermark: quality, keys, and a p-value that means what it says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom
from skimage import data

from originlens.bench.metrics import _fidelity
from originlens.bench.peers.spread_spectrum import SpreadSpectrum
from originlens.core.errors import InputError, UsageError
from originlens.core.image import Image
from originlens.testing import textured_image

PAYLOAD = bytes.fromhex("c0ffee42")


@pytest.fixture(scope="module")
def photo() -> Image:
    return Image.from_array(data.astronaut())


@pytest.fixture(scope="module")
def marked(photo) -> Image:
    return Image.from_array(SpreadSpectrum().embed(photo, PAYLOAD))


@pytest.mark.parametrize("psnr", [36.0, 40.0, 44.0])
def test_quality_is_the_one_asked_for(photo, psnr):
    pixels = SpreadSpectrum(psnr=psnr).embed(photo, PAYLOAD)
    assert _fidelity.psnr(photo.pixels, pixels) == pytest.approx(psnr, abs=0.6)


def test_a_marked_photograph_is_certain_and_only_under_its_key(marked):
    reading = SpreadSpectrum().read(marked)
    assert reading.payload == PAYLOAD
    assert reading.p_value is not None and reading.p_value < 1e-6
    other = SpreadSpectrum(key="another").read(marked)
    assert other.payload is None
    assert other.p_value is not None and other.p_value > 1e-3


def test_p_values_of_unmarked_pictures_are_super_uniform():
    """Under random keys, which the bound is about, at every level."""
    pictures = [Image.from_array(data.coffee()), textured_image(3), textured_image(4, 80, 70)]
    p_values = [
        SpreadSpectrum(key=f"{key}").read(image).p_value for image in pictures for key in range(150)
    ]
    found = np.array(p_values, dtype=np.float64)
    assert found.min() > 0
    for level in (0.001, 0.01, 0.05, 0.1, 0.2, 0.5, 0.8):
        assert (found <= level).sum() <= binom.ppf(0.9999, found.size, level)
    # Nor is it so cautious that it says nothing.
    assert found.min() < 0.2


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_flat_picture_is_no_evidence(value):
    flat = Image.from_array(np.full((300, 200, 3), value, np.uint8))
    reading = SpreadSpectrum().read(flat)
    assert reading.payload is None
    # What rounding leaves of it is no evidence either.
    assert reading.p_value is not None and reading.p_value > 0.1


def test_resizing_keeps_the_payload(marked):
    import cv2

    for size in ((256, 256), (900, 700)):
        pixels = np.asarray(cv2.resize(marked.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
        assert SpreadSpectrum().read(Image.from_array(pixels)).payload == PAYLOAD


def test_what_it_refuses():
    small = Image.from_array(np.zeros((63, 900, 3), np.uint8))
    with pytest.raises(InputError, match="64 pixels"):
        SpreadSpectrum().embed(small, PAYLOAD)
    assert SpreadSpectrum().read(small).p_value == 1.0
    with pytest.raises(UsageError, match="4, 6 or 8"):
        SpreadSpectrum().embed(textured_image(1), b"12345")
