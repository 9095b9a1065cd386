"""Every attack's truth, checked on pixels: the transform, the mask, strength 0, seeds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage import data

from originlens.bench import Attacked
from originlens.core.errors import UsageError
from originlens.core.image import Image
from originlens.core.registry import Method, methods

#: Those that need no extra; gradient attacks have their own tests.
ATTACKS = [found for found in methods("attack") if found.card.extra is None]
NAMES = [found.card.name for found in ATTACKS]
#: Attacks whose pixels keep their colours (up to resampling and compression) outside the mask.
FAITHFUL = {
    "jpeg", "webp", "resize", "stretch", "crop", "rotate", "rotate90", "mirror", "flip", "text",
    "meme", "border", "screenshot", "paste", "overlay", "collage", "perspective", "shear",
    "sticker", "logo", "stripes", "rounded-corners", "splice", "copy-move", "removal",
    "local-recolour", "local-blur", "local-warp", "text-replaced",
    "waves-resizedcrop", "waves-erasing",
}  # fmt: skip
#: Attacks of the whole picture: nothing local, and the frame stays.
WHOLE = {
    "jpeg", "webp", "blur", "colour", "greyscale", "halftone", "invert", "noise", "pixelate",
    "posterise", "sharpen", "tint", "vignette", "waves-brightness", "waves-contrast",
    "waves-blurring", "waves-noise", "waves-compression",
}  # fmt: skip
LOCAL = {
    "splice", "copy-move", "removal", "local-recolour", "local-blur", "local-warp",
    "text-replaced",
}  # fmt: skip


@pytest.fixture(scope="module")
def photo() -> Image:
    """A photograph, 300 x 451."""
    return Image.from_array(np.ascontiguousarray(data.chelsea()))


@pytest.fixture(scope="module")
def smooth_photo() -> Image:
    """The same without fine detail, so that resampling alone changes it little."""
    return Image.from_array(np.asarray(cv2.GaussianBlur(data.chelsea(), (0, 0), 3)))


def attack(found: Method, image: Image, strength: float, seed: int = 5) -> Attacked:
    result: Attacked = found.cls().apply(image, strength, np.random.default_rng(seed))
    return result


@pytest.mark.parametrize("found", ATTACKS, ids=NAMES)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_transform_explains_every_pixel_outside_the_mask(
    found: Method, seed: int, smooth_photo: Image
) -> None:
    result = attack(found, smooth_photo, 0.4, seed)
    height, width = result.mask.shape
    assert (result.image.height, result.image.width) == (height, width)
    assert result.transform[2, 2] == 1
    expected = cv2.warpPerspective(
        smooth_photo.pixels, result.transform, (width, height), flags=cv2.INTER_LINEAR
    )
    seen = ~cv2.dilate(result.mask.astype(np.uint8), np.ones((5, 5))).astype(bool)
    seen[[0, 1, -2, -1]] = seen[:, [0, 1, -2, -1]] = False
    assert seen.any()
    if found.card.name in FAITHFUL:
        error = np.abs(expected.astype(int) - result.image.pixels)[seen]
        assert np.percentile(error, 95) <= 10
    else:
        a = cv2.GaussianBlur(expected, (0, 0), 4)[seen].mean(axis=1)
        b = cv2.GaussianBlur(result.image.pixels, (0, 0), 4)[seen].mean(axis=1)
        assert abs(np.corrcoef(a, b)[0, 1]) > 0.7


@pytest.mark.parametrize("found", ATTACKS, ids=NAMES)
def test_the_mask_holds_the_local_change_and_nothing_else(found: Method, photo: Image) -> None:
    result = attack(found, photo, 0.4)
    name = found.card.name
    if name in LOCAL | {"text", "sticker", "overlay", "stripes", "logo"}:
        assert 0.005 < result.mask.mean() < 0.5
        moved = np.abs(result.image.pixels.astype(int) - photo.pixels).max(axis=2) > 8
        assert not (moved & ~result.mask).any()
        assert moved[result.mask].mean() > 0.5
    elif name in WHOLE:
        assert np.array_equal(result.transform, np.eye(3))
        assert not result.mask.any()


@pytest.mark.parametrize("found", ATTACKS, ids=NAMES)
def test_strength_zero_is_the_identity(found: Method, photo: Image) -> None:
    result = attack(found, photo, 0.0)
    assert np.array_equal(result.image.pixels, photo.pixels)
    assert np.array_equal(result.transform, np.eye(3))
    assert not result.mask.any()


@pytest.mark.parametrize("found", ATTACKS, ids=NAMES)
def test_a_seed_decides_everything_and_the_input_is_left_alone(found: Method, photo: Image) -> None:
    before = photo.pixels.copy()
    first, again = attack(found, photo, 0.6), attack(found, photo, 0.6)
    assert np.array_equal(first.image.pixels, again.image.pixels)
    assert np.array_equal(first.transform, again.transform)
    assert np.array_equal(first.mask, again.mask)
    assert first.parameters == again.parameters
    assert np.array_equal(photo.pixels, before)


@pytest.mark.parametrize("found", ATTACKS, ids=NAMES)
@pytest.mark.parametrize("size", [(1, 1), (8, 8), (1, 700), (500, 3)])
@pytest.mark.parametrize("strength", [0.01, 1.0])
def test_odd_sizes_are_edited_too(found: Method, size: tuple[int, int], strength: float) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    result = attack(found, Image.from_array(pixels), strength)
    assert result.image.pixels.shape == (*result.mask.shape, 3)
    assert np.isfinite(result.transform).all()


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_a_strength_outside_its_range_is_refused(strength: float, photo: Image) -> None:
    with pytest.raises(UsageError, match="outside"):
        attack(ATTACKS[0], photo, strength)


def test_given_pictures_serve_as_hosts(photo: Image) -> None:
    host = Image.from_array(np.full((200, 300, 3), (10, 200, 30), np.uint8), path="green.png")
    paste = next(found for found in ATTACKS if found.card.name == "paste")
    result = paste.cls(others=[host]).apply(photo, 0.5, np.random.default_rng(0))
    assert result.parameters["host"] == "green.png"
    assert (result.image.pixels[result.mask] == (10, 200, 30)).all()
    assert result.mask.mean() == pytest.approx(0.5, abs=0.01)


def test_strengths_mean_what_the_files_say(photo: Image) -> None:
    def named(name: str, strength: float) -> Attacked:
        return attack(next(f for f in ATTACKS if f.card.name == name), photo, strength)

    area = photo.width * photo.height
    crop = named("crop", 0.75).image
    assert crop.width * crop.height / area == pytest.approx(0.25, abs=0.01)
    small = named("resize", 0.75).image
    assert (small.width, small.height) == (round(photo.width / 4), round(photo.height / 4))
    assert named("jpeg", 0.9).parameters["quality"] == 10
    assert named("jpeg", 0.9).image.format == "JPEG"
    assert abs(named("rotate", 15 / 180).parameters["degrees"]) == pytest.approx(15)
    shot = named("screenshot", 0.5)
    assert (~shot.mask).mean() == pytest.approx(0.6, abs=0.03)
