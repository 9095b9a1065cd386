"""Decoding: every format, mode and orientation; colour; scale; sharing; limits."""

from __future__ import annotations

import hashlib
import io
import threading
import warnings
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageCms, ImageOps

from originlens.core import errors
from originlens.core.image import Image, Limits, orient
from originlens.testing import textured_image

FORMATS: list[tuple[str, dict[str, Any]]] = [
    ("JPEG", {"quality": 92}),
    ("PNG", {}),
    ("WEBP", {"lossless": True}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("AVIF", {"quality": 90}),
]


def encode(picture: Pillow.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def photo(height: int = 75, width: int = 101) -> Pillow.Image:
    return Pillow.fromarray(textured_image(2, height, width).pixels)


def exif(orientation: int) -> Pillow.Exif:
    record = Pillow.Exif()
    record[0x0112] = orientation
    return record


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("kind", "options"), FORMATS)
def test_orientation_is_applied_once(kind: str, options: dict[str, Any], orientation: int) -> None:
    data = encode(photo(), kind, exif=exif(orientation), **options)
    image = Image(data)
    upright = ImageOps.exif_transpose(Pillow.open(io.BytesIO(data))).convert("RGB")
    assert (image.format, image.orientation) == (kind, orientation)
    assert (image.width, image.height) == upright.size
    assert np.array_equal(image.pixels, np.asarray(upright))
    stored = image.reduced(512, oriented=False)
    assert stored.shape == (75, 101, 3)
    assert np.array_equal(orient(stored, orientation), image.pixels)


def test_orientation_behind_the_pixels_of_a_png_is_found() -> None:
    data = encode(photo(), "PNG", exif=exif(6))
    start = data.index(b"eXIf") - 4
    length = 12 + int.from_bytes(data[start : start + 4], "big")
    chunk, rest = data[start : start + length], data[:start] + data[start + length :]
    late = rest[:-12] + chunk + rest[-12:]
    assert Image(late).orientation == 6
    assert np.array_equal(Image(late).pixels, Image(data).pixels)


def test_invalid_orientation_is_ignored() -> None:
    assert Image(encode(photo(), "JPEG", exif=exif(9))).orientation == 1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_png_modes_agree_with_pillow_on_opaque_pictures(mode: str) -> None:
    data = encode(photo().convert(mode), "PNG")
    expected = np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB"))
    assert np.array_equal(Image(data).pixels, expected)


@pytest.mark.parametrize("kind", ["BMP", "GIF", "TIFF"])
def test_other_containers(kind: str) -> None:
    data = encode(photo(), kind)
    expected = np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB"))
    assert np.array_equal(Image(data).pixels, expected)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_are_shown_on_white(mode: str) -> None:
    clear = Pillow.new("RGBA", (20, 10), (0, 0, 0, 0))
    clear.paste((0, 0, 0, 255), (0, 0, 10, 10))
    image = Image(encode(clear.convert(mode), "PNG"))
    assert (image.pixels[:, :10] == 0).all()
    assert (image.pixels[:, 10:] == 255).all()
    assert image.notes == ("transparent pixels are shown on white",)


def test_half_transparent_pixels_blend_with_white() -> None:
    half = Pillow.new("RGBA", (4, 4), (200, 100, 0, 128))
    assert Image(encode(half, "PNG")).pixels[0, 0].tolist() == [227, 177, 127]


@pytest.mark.parametrize(("kind", "order"), [("PNG", "<"), ("TIFF", "<"), ("TIFF", ">")])
def test_sixteen_bits_are_scaled_not_clipped(kind: str, order: str) -> None:
    ramp = np.arange(0, 65536, 257, dtype=np.uint16).reshape(16, 16)
    data = encode(Pillow.fromarray(ramp), kind)
    if order == ">":
        data = big_endian_tiff(ramp)
    image = Image(data)
    assert np.array_equal(image.pixels[..., 0], np.arange(256, dtype=np.uint8).reshape(16, 16))
    assert "16-bit samples scaled to 8 bits" in image.notes


def big_endian_tiff(values: np.ndarray) -> bytes:
    """The smallest TIFF 6.0 of 16-bit grey: one strip, big-endian."""
    height, width = values.shape
    pixels = values.astype(">u2").tobytes()
    tags = [
        (256, 3, width), (257, 3, height), (258, 3, 16), (259, 3, 1), (262, 3, 1),
        (273, 4, 8 + 2 + 9 * 12 + 4), (277, 3, 1), (278, 3, height), (279, 4, len(pixels)),
    ]  # fmt: skip
    entries = b"".join(
        tag.to_bytes(2, "big")
        + kind.to_bytes(2, "big")
        + (1).to_bytes(4, "big")
        + (value.to_bytes(2, "big") + b"\0\0" if kind == 3 else value.to_bytes(4, "big"))
        for tag, kind, value in tags
    )
    head = b"MM\0*" + (8).to_bytes(4, "big") + len(tags).to_bytes(2, "big")
    return head + entries + bytes(4) + pixels


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0]]), [0, 128, 255]),
        (np.array([[0.0, 51.0, 255.0]]), [0, 51, 255]),
        (np.array([[0.0, 32768.0, 65535.0]]), [0, 128, 255]),
        (np.array([[-1.0, 0.0, 1.0]]), [0, 128, 255]),
        (np.array([[np.nan, np.inf, 0.0, 200.0]]), [0, 255, 0, 200]),
        (np.array([[7.0, 7.0, 7.0]]), [7, 7, 7]),
        (np.array([[0.0, 0.0]]), [0, 0]),
    ],
)
def test_float_samples_take_the_smallest_range_that_holds_them(
    values: np.ndarray, expected: list[int]
) -> None:
    data = encode(Pillow.fromarray(values.astype(np.float32)), "TIFF")
    assert Image(data).pixels[0, :, 0].tolist() == expected


def test_32_bit_samples() -> None:
    data = encode(Pillow.fromarray(np.array([[0, 65535, 257 * 9]], np.int32)), "TIFF")
    assert Image(data).pixels[0, :, 0].tolist() == [0, 255, 9]


def test_cmyk_jpeg_without_profile_is_what_pillow_shows() -> None:
    data = encode(photo().convert("CMYK"), "JPEG", quality=95)
    expected = np.asarray(Pillow.open(io.BytesIO(data)).convert("RGB"))
    assert np.array_equal(Image(data).pixels, expected)
    assert np.abs(Image(data).pixels.astype(int) - np.asarray(photo())).mean() < 6


def test_lab_tiff_is_shown_in_colour() -> None:
    source = photo()
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    picture = ImageCms.profileToProfile(source, srgb, lab, outputMode="LAB")
    assert picture is not None
    image = Image(encode(picture, "TIFF"))
    assert np.abs(image.pixels.astype(int) - np.asarray(source)).mean() < 6


def swapped_profile() -> bytes:
    """An sRGB profile whose red and blue primaries are exchanged: unmistakable if honoured."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = profile.index(b"rXYZ", 128), profile.index(b"bXYZ", 128)
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    return bytes(profile)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_colour_profile_is_honoured(kind: str) -> None:
    options: dict[str, Any] = {"WEBP": {"lossless": True}, "JPEG": {"quality": 95}}.get(kind, {})
    image = Image(encode(photo(), kind, icc_profile=swapped_profile(), **options))
    stored = image.reduced(512, managed=False)
    difference = np.abs(image.pixels.astype(int) - stored[..., ::-1].astype(int))
    assert difference.mean() < 2  # exchanged, up to the rounding of the colour engine
    assert np.abs(image.pixels.astype(int) - stored.astype(int)).mean() > 5


def test_srgb_profile_changes_nothing_and_shares_pixels() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image(encode(photo(), "PNG", icc_profile=profile))
    assert image.pixels is image.reduced(64, managed=False, oriented=False)
    assert np.array_equal(image.pixels, np.asarray(photo()))


@pytest.mark.parametrize("profile", [b"nonsense", b"\0" * 200, swapped_profile()[:300]])
def test_broken_profile_is_said_and_ignored(profile: bytes) -> None:
    image = Image(encode(photo(), "PNG", icc_profile=profile))
    assert np.array_equal(image.pixels, np.asarray(photo()))
    assert any("profile ignored" in note for note in image.notes)


def test_profile_of_another_colour_space_is_ignored() -> None:
    image = Image(encode(photo().convert("CMYK"), "JPEG", icc_profile=swapped_profile()))
    assert image.pixels.shape == (75, 101, 3)
    assert image.notes == ("colour profile for RGB ignored: the pixels are CMYK",)


def large(orientation: int = 1, mode: str = "RGB", **options: Any) -> Image:
    """An odd-sized picture whose short side allows a scale of 1/2 at 512."""
    picture = Pillow.fromarray(textured_image(4, 1031, 1403).pixels).convert(mode)
    return Image(encode(picture, "JPEG", quality=90, exif=exif(orientation), **options))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_reduced_frame_maps_back_as_documented(orientation: int) -> None:
    image = large(orientation)
    small = image.reduced(512)
    scale = image.scale(512)
    assert scale == 2
    assert small.shape == (-(-image.height // 2), -(-image.width // 2), 3)
    height, width = image.height // 2 * 2, image.width // 2 * 2
    # Where the orientation flips an odd axis, the partial row or column comes first.
    top = image.height % 2 if orientation in (3, 4, 7, 8) else 0
    left = image.width % 2 if orientation in (2, 3, 6, 7) else 0
    whole = image.pixels[top : top + height, left : left + width].astype(float)
    averaged = whole.reshape(height // 2, 2, width // 2, 2, 3).mean(axis=(1, 3))
    inner = small[top : top + height // 2, left : left + width // 2]
    assert np.abs(averaged - inner).mean() < 1.0


@pytest.mark.parametrize(
    ("mode", "options"), [("L", {}), ("CMYK", {}), ("RGB", {"progressive": 1})]
)
def test_reduced_agrees_with_full_size_in_every_mode(mode: str, options: dict[str, Any]) -> None:
    image = large(1, mode, **options)
    whole = image.pixels[:1030, :1402].astype(float).reshape(515, 2, 701, 2, 3).mean(axis=(1, 3))
    assert np.abs(whole - image.reduced(512)[:515, :701]).mean() < 1.5


def test_reduced_honours_the_profile() -> None:
    image = large(6, icc_profile=swapped_profile())
    managed = image.reduced(512, oriented=False).astype(int)
    stored = image.reduced(512, managed=False, oriented=False).astype(int)
    assert np.abs(managed - stored[..., ::-1]).mean() < 2
    assert np.array_equal(image.reduced(512), orient(managed.astype(np.uint8), 6))


def test_requests_share_one_decode_and_do_not_depend_on_their_order() -> None:
    asked = [(512, False, False), (224, True, True), (600, True, True), (64, False, True)]
    first, second = large(5), large(5)
    forward = {a: first.reduced(a[0], managed=a[1], oriented=a[2]) for a in asked}
    backward = {a: second.reduced(a[0], managed=a[1], oriented=a[2]) for a in reversed(asked)}
    assert all(np.array_equal(forward[a], backward[a]) for a in asked)
    assert first.reduced(224) is first.reduced(512)
    assert first.scale(600) == 1
    assert np.array_equal(first.reduced(600), first.pixels)


def test_pixels_cannot_be_written() -> None:
    for image in (Image(encode(photo(), "PNG")), large(6), textured_image(1)):
        for pixels in (image.pixels, image.reduced(512), image.reduced(8, oriented=False)):
            with pytest.raises(ValueError, match="read-only"):
                pixels[0, 0] = 0


def test_from_array_copies_and_round_trips() -> None:
    source = np.asarray(photo()).copy()
    image = Image.from_array(source)
    source[:] = 0
    assert image.pixels.any()
    again = Image(image.data)
    assert np.array_equal(again.pixels, image.pixels)
    assert again.pixel_hash == image.pixel_hash
    assert image.sha256 == hashlib.sha256(image.data).hexdigest()
    assert image.exif == image.embedded_metadata == {}
    for wrong in (source[..., 0], source.astype(float), source[:0]):
        with pytest.raises(ValueError, match="uint8"):
            Image.from_array(wrong)


def test_pixel_hash_tells_shape_and_pixels_apart() -> None:
    a = Image.from_array(np.zeros((2, 6, 3), np.uint8))
    b = Image.from_array(np.zeros((6, 2, 3), np.uint8))
    c = Image.from_array(np.ones((2, 6, 3), np.uint8))
    assert len({a.pixel_hash, b.pixel_hash, c.pixel_hash}) == 3
    lossless = {Image(encode(photo(), k, **o)).pixel_hash for k, o in FORMATS[1:5]}
    assert len(lossless) == 1


@pytest.mark.parametrize("size", [(1, 1), (20000, 1), (1, 20000)])
def test_extreme_shapes(size: tuple[int, int]) -> None:
    image = Image(encode(Pillow.new("RGB", size, (9, 8, 7)), "PNG"))
    assert image.pixels.shape == (size[1], size[0], 3)
    assert (image.pixels == (9, 8, 7)).all()


@pytest.mark.parametrize(
    ("kind", "options"), [("GIF", {}), ("WEBP", {}), ("PNG", {}), ("TIFF", {}), ("MPO", {})]
)
def test_first_frame_is_read_and_said(kind: str, options: dict[str, Any]) -> None:
    frames = [Pillow.new("RGB", (32, 24), (c, 0, 0)) for c in (250, 120, 10)]
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    image = Image(data)
    assert image.format == kind
    assert abs(int(image.pixels[0, 0, 0]) - 250) < 6
    assert image.notes[0] == "several frames or pages: only the first is examined"


def test_known_by_content_not_by_name(tmp_path: Any) -> None:
    path = tmp_path / "picture.txt"
    path.write_bytes(encode(photo(), "WEBP"))
    assert Image.open(path).format == "WEBP"
    assert Image.open(path).path == str(path)


def test_files_that_cannot_be_read(tmp_path: Any) -> None:
    with pytest.raises(errors.ReadError, match="No such file"):
        Image.open(tmp_path / "missing.jpg")
    with pytest.raises(errors.ReadError):
        Image.open(tmp_path)
    with pytest.raises(errors.ReadError):
        Image.open("nul\0byte.jpg")


def test_pillow_warnings_do_not_escape_and_user_filters_stay() -> None:
    data = encode(photo(), "JPEG", exif=exif(1))
    broken = data.replace(b"\x12\x01\x03\x00\x01\x00\x00\x00", b"\x12\x01\x03\x00\xff\xff\x00\x00")
    before = list(warnings.filters)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = Image(broken)
        assert image.pixels.shape == (75, 101, 3)
    assert warnings.filters == before


def test_threads_share_an_image_and_the_warning_filter() -> None:
    data = encode(photo(), "PNG", icc_profile=b"nonsense")
    image, found, before = Image(data), [], list(warnings.filters)

    def work() -> None:
        found.append((image.pixels, Image(data).pixels, image.notes))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(a is image.pixels and np.array_equal(a, b) for a, b, _ in found)
    assert warnings.filters == before


def test_limits_are_configurable() -> None:
    data = encode(photo(), "PNG")
    assert Image(data, limits=Limits(pixels=75 * 101)).width == 101
    with pytest.raises(errors.ImageTooLarge, match="101 x 75 pixels exceed the limit of 7574"):
        Image(data, limits=Limits(pixels=75 * 101 - 1))
    with pytest.raises(errors.ImageTooLarge, match="bytes"):
        Image(data, limits=Limits(bytes=len(data) - 1))
    with pytest.raises(errors.DecodeTimeout, match="more than 0 s"):
        Image(data, limits=Limits(seconds=0))
