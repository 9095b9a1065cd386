"""What the three metadata detectors state about files made here, and about hostile ones."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL.PngImagePlugin import PngInfo

from originlens.core.evidence import Evidence
from originlens.core.image import Image
from originlens.core.registry import make
from originlens.forensics.metadata import _segments

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description xmlns:ext="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" ext:DigitalSourceType="{source}">'
    "<dc:creator><rdf:Seq><rdf:li>A. Person</rdf:li></rdf:Seq></dc:creator>"
    "</rdf:Description></rdf:RDF></x:xmpmeta>"
)


def saved(form: str = "JPEG", size: tuple[int, int] = (64, 48), **options: Any) -> bytes:
    rng = np.random.default_rng(3)
    small = Pillow.fromarray(rng.integers(0, 255, (6, 8, 3), dtype=np.uint8))
    buffer = io.BytesIO()
    small.resize(size, Pillow.Resampling.BICUBIC).save(buffer, form, **options)
    return buffer.getvalue()


def record(**changes: Any) -> Pillow.Exif:
    """An EXIF record of a camera; ``changes`` set entries of its sub-record by number."""
    exif = Pillow.Exif()
    exif[0x010F], exif[0x0110], exif[0x0132] = (
        "NIKON CORPORATION",
        "NIKON D750",
        "2021:05:01 10:00:00",
    )
    details = exif.get_ifd(0x8769)
    details[0x9003], details[0xA002], details[0xA003] = "2021:05:01 10:00:00", 64, 48
    details[0x829A] = 0.01
    for number, value in changes.items():
        details[int(number.removeprefix("tag_"), 16)] = value
    return exif


def inspect(name: str, data: bytes) -> Evidence:
    found = make("detector", name).inspect(Image(data, path="picture"))
    assert isinstance(found, Evidence)
    return found


def told(found: Evidence, key: str) -> str:
    return " ".join(found.details.get(key, ()))


def test_exif_states_camera_and_time() -> None:
    found = inspect("exif", saved(exif=record()))
    assert found.status == "ok" and found.claim == "metadata"
    assert "Camera: NIKON D750." in told(found, "observed")
    assert "2021:05:01 10:00:00" in told(found, "observed")
    assert "contradictions" not in found.details and "privacy" not in found.details


def test_exif_absent_is_not_applicable() -> None:
    found = inspect("exif", saved("PNG"))
    assert found.status == "not-applicable" and "no EXIF" in found.why


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tag_a002": 6016, "tag_a003": 4016}, "cropped or scaled"),
        ({"tag_9003": "2022:01:01 00:00:00"}, "before it was taken"),
    ],
)
def test_exif_contradictions(changes: dict[str, Any], words: str) -> None:
    assert words in told(inspect("exif", saved(exif=record(**changes))), "contradictions")


def test_exif_size_of_a_turned_picture_is_no_contradiction() -> None:
    exif = record()
    exif[0x0112] = 6
    found = inspect("exif", saved(exif=exif))
    assert "contradictions" not in found.details
    assert "turned by 90° clockwise" in told(found, "observed")


def test_exif_warns_of_place_and_serial_number() -> None:
    exif = record(tag_a431="2034112")
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (48.0, 51.0, 30.0), "W", (2.0, 21.0, 0.0)
    privacy = told(inspect("exif", saved(exif=exif)), "privacy")
    assert "latitude 48.85833, longitude -2.35000" in privacy and "2034112" in privacy


@pytest.mark.parametrize("place", [(0.0, 0.0), (400.0, 0.0, 0.0)])
def test_exif_broken_place_is_no_place(place: tuple[float, ...]) -> None:
    exif = record()
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", place, "E", place
    assert "privacy" not in inspect("exif", saved(exif=exif)).details


def test_exif_finds_the_thumbnail() -> None:
    small = saved(size=(16, 12))
    # A hand-made record: IFD0 with one entry, IFD1 with the two that point to the thumbnail.
    ifd0 = struct.pack("<H", 1) + struct.pack("<HHII", 0x0112, 3, 1, 1) + struct.pack("<I", 26)
    ifd1 = (
        struct.pack("<H", 2)
        + struct.pack("<HHII", 0x0201, 4, 1, 56)
        + struct.pack("<HHII", 0x0202, 4, 1, len(small))
        + struct.pack("<I", 0)
    )
    block = b"II*\0" + struct.pack("<I", 8) + ifd0 + ifd1
    data = saved(exif=b"Exif\0\0" + block.ljust(56, b"\0") + small)
    assert "thumbnail of 16 × 12 pixels" in told(inspect("exif", data), "observed")


def test_rights_and_source_type_are_stated() -> None:
    xmp = XMP.format(source=SOURCE_TYPE + "trainedAlgorithmicMedia").encode()
    found = inspect("iptc-xmp", saved(xmp=xmp))
    assert "Creator: A. Person." in told(found, "observed")
    assert "made by a trained model" in told(found, "derived")
    assert "contradictions" not in found.details


def test_generated_and_taken_by_a_camera_exclude_each_other() -> None:
    xmp = XMP.format(source=SOURCE_TYPE + "trainedAlgorithmicMedia").encode()
    found = inspect("iptc-xmp", saved(xmp=xmp, exif=record()))
    assert "NIKON D750" in told(found, "contradictions")


@pytest.mark.parametrize("packed", [False, True])
def test_generator_text_fields(packed: bool) -> None:
    info = PngInfo()
    info.add_text("parameters", "a cat, steps: 20", zip=packed)
    info.add_itxt("workflow", '{"nodes": []}', zip=packed)
    info.add_text("Comment", "holiday")
    found = inspect("iptc-xmp", saved("PNG", pnginfo=info))
    assert "a cat, steps: 20" in told(found, "observed") and "nodes" in told(found, "observed")
    assert "holiday" not in told(found, "observed")
    assert "image generator" in told(found, "derived")


def test_plain_files_have_no_descriptive_fields() -> None:
    assert inspect("iptc-xmp", saved()).status == "not-applicable"


@pytest.mark.parametrize("quality", [30, 75, 92])
@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_coding(quality: int, progressive: bool) -> None:
    data = saved(quality=quality, progressive=progressive, subsampling="4:2:2")
    details = inspect("container", data).details
    assert details["quality"] == quality and details["standard_tables"] is True
    assert details["subsampling"] == "4:2:2" and details["progressive"] is progressive
    assert details["trailing_bytes"] == 0


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (b"PK\x03\x04hello", "a ZIP archive"),
        (b"\0\0\0\x18ftypmp42....", "a video"),
        (b"secret message", "unknown kind"),
    ],
)
def test_data_after_the_end_is_found(form: str, tail: bytes, words: str) -> None:
    data = saved(form)
    found = inspect("container", data + tail)
    assert found.details["trailing_bytes"] == len(tail)
    assert words in told(found, "observed")
    assert inspect("container", data).details["trailing_bytes"] == 0


def test_progressive_and_restart_markers_do_not_end_the_picture() -> None:
    data = saved(size=(400, 300), progressive=True, restart_marker_rows=1)
    walked = _segments.walk(data)
    assert walked.end == len(data)
    assert sum(part.name == "SOS" for part in walked.parts) > 1


def test_a_manifest_store_is_seen_but_not_vouched_for() -> None:
    png = saved("PNG")
    body = b"\0\0\0\x1djumb....c2pa"
    chunk = struct.pack(">I", len(body)) + b"caBX" + body
    chunk += struct.pack(">I", zlib.crc32(b"caBX" + body))
    found = inspect("container", png[:33] + chunk + png[33:])
    assert "C2PA" in told(found, "observed") and "not verified" in told(found, "observed")


def test_compressed_text_does_not_expand_without_bound() -> None:
    bomb = zlib.compress(b"a" * 50_000_000)
    body = b"parameters\0\0" + bomb
    part = _segments.Part("zTXt", 0, len(body))
    assert len(_segments.png_texts(body, (part,))["parameters"]) == 65536


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_broken_structures_never_raise(form: str) -> None:
    data = saved(form, exif=record())
    rng = np.random.default_rng(11)
    for _ in range(300):
        broken = bytearray(data[: rng.integers(4, len(data))])
        for _ in range(int(rng.integers(0, 6))):
            broken[int(rng.integers(0, len(broken)))] = int(rng.integers(0, 256))
        walked = _segments.walk(bytes(broken))
        _segments.png_texts(bytes(broken), walked.parts)
        assert walked.end is None or 0 <= walked.end <= len(broken)
