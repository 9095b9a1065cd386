"""WAVES's eight distortions: their ranges, pinned, and what each does to pixels."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageEnhance, ImageFilter
from skimage import data

from originlens.bench import Attacked
from originlens.core.image import Image
from originlens.core.registry import method

#: Reported parameter and its values at strengths 0+, 0.5 and 1 (WAVES, arXiv:2401.08573).
PUBLISHED = {
    "waves-rotation": ("degrees", (0, 22.5, 45)),
    "waves-resizedcrop": ("scale", (1, 0.75, 0.5)),
    "waves-erasing": ("area", (0, 0.125, 0.25)),
    "waves-brightness": ("factor", (1, 1.5, 2)),
    "waves-contrast": ("factor", (1, 1.5, 2)),
    "waves-blurring": ("radius", (0, 10, 20)),
    "waves-noise": ("sigma", (0, 0.05, 0.1)),
    "waves-compression": ("quality", (90, 50, 10)),
}


@pytest.fixture(scope="module")
def square() -> Image:
    """A photograph, 256 x 256, as WAVES's pictures are square."""
    return Image.from_array(np.ascontiguousarray(data.astronaut()[:256, 100:356]))


def attack(name: str, image: Image, strength: float, seed: int = 1) -> Attacked:
    result: Attacked = (
        method("attack", name).cls().apply(image, strength, np.random.default_rng(seed))
    )
    return result


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_ranges_are_those_of_the_paper(name: str, square: Image) -> None:
    parameter, values = PUBLISHED[name]
    for strength, value in zip((1e-9, 0.5, 1.0), values, strict=True):
        found = attack(name, square, strength).parameters[parameter]
        assert found == pytest.approx(value, abs=1e-6)
        assert isinstance(found, int) == (name in ("waves-blurring", "waves-compression"))


@pytest.mark.parametrize("strength", [0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.95])
def test_whole_parameters_survive_floating_point(strength: float, square: Image) -> None:
    assert attack("waves-blurring", square, strength).parameters["radius"] == round(20 * strength)
    assert attack("waves-compression", square, strength).parameters["quality"] == round(
        90 - 80 * strength
    )


def test_fractions_are_cut_off(square: Image) -> None:
    assert attack("waves-blurring", square, 0.099).parameters["radius"] == 1
    assert attack("waves-compression", square, 0.51).parameters["quality"] == 49


def test_rotation_is_counter_clockwise_nearest_on_a_black_canvas(square: Image) -> None:
    result = attack("waves-rotation", square, 2 / 3)
    expected = Pillow.fromarray(square.pixels).rotate(30)
    assert np.array_equal(result.image.pixels, np.asarray(expected))
    assert (result.image.pixels[result.mask] == 0).all()
    # A dot above the centre goes to the left of it.
    dot = np.zeros((101, 101, 3), np.uint8)
    dot[20:23, 49:52] = 255
    turned = attack("waves-rotation", Image.from_array(dot), 1.0)
    rows, columns = np.nonzero(turned.image.pixels[..., 0])
    x, y, _ = turned.transform @ [50, 21, 1]
    assert (columns.mean(), rows.mean()) == pytest.approx((x, y), abs=0.5)
    assert x < 50


def test_resized_crop_keeps_the_frame_and_its_square(square: Image) -> None:
    result = attack("waves-resizedcrop", square, 1.0)
    assert result.image.pixels.shape == square.pixels.shape
    x0, y0, x1, y1 = result.parameters["box"]
    assert x1 - x0 == y1 - y0 == round(256 * 0.5**0.5)
    corners = np.array([[x0 - 0.5, y0 - 0.5, 1], [x1 - 0.5, y1 - 0.5, 1]]).T
    mapped = (result.transform @ corners)[:2].T
    np.testing.assert_allclose(mapped, [[-0.5, -0.5], [255.5, 255.5]], atol=1e-9)
    assert attack("waves-resizedcrop", square, 1.0, seed=2).parameters["box"] != [x0, y0, x1, y1]


def test_resized_crop_of_a_long_picture_takes_the_middle_square() -> None:
    long = Image.from_array(np.ascontiguousarray(data.astronaut()[:100, :300]))
    result = attack("waves-resizedcrop", long, 0.2)
    assert result.parameters["box"] == [100, 0, 200, 100]
    assert result.image.pixels.shape == (100, 300, 3)


def test_erasing_blackens_its_share_and_nothing_else(square: Image) -> None:
    result = attack("waves-erasing", square, 0.8)
    assert result.mask.mean() == pytest.approx(0.2, abs=0.005)
    assert (result.image.pixels[result.mask] == 0).all()
    assert np.array_equal(result.image.pixels[~result.mask], square.pixels[~result.mask])


def test_photometric_distortions_are_pillows(square: Image) -> None:
    picture = Pillow.fromarray(square.pixels)
    for name, expected in (
        ("waves-brightness", ImageEnhance.Brightness(picture).enhance(1.3)),
        ("waves-contrast", ImageEnhance.Contrast(picture).enhance(1.3)),
        ("waves-blurring", picture.filter(ImageFilter.GaussianBlur(6))),
    ):
        assert np.array_equal(attack(name, square, 0.3).image.pixels, np.asarray(expected))


def test_noise_has_the_stated_deviation() -> None:
    grey = Image.from_array(np.full((200, 200, 3), 128, np.uint8))
    result = attack("waves-noise", grey, 0.5).image.pixels.astype(float)
    assert result.std() / 255 == pytest.approx(0.05, rel=0.02)
    assert result.mean() == pytest.approx(128, abs=0.3)


def test_compression_is_pillows_jpeg(square: Image) -> None:
    result = attack("waves-compression", square, 0.75)
    buffer = io.BytesIO()
    Pillow.fromarray(square.pixels).save(buffer, "JPEG", quality=30)
    assert result.image.data == buffer.getvalue()
