"""Hostile bytes: nothing but our errors, whatever they are; bounded time and memory."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from originlens.core import errors
from originlens.core.image import Image, Limits
from originlens.testing import textured_image

SHARED = Path(os.environ.get("ORIGINLENS_SHARED", Path(__file__).parents[3] / "shared"))
ROBUST = SHARED / "data" / "robust"


def encode(kind: str, picture: Pillow.Image | None = None, **options: Any) -> bytes:
    buffer = io.BytesIO()
    (picture or Pillow.fromarray(textured_image(3, 40, 56).pixels)).save(buffer, kind, **options)
    return buffer.getvalue()


def seeds() -> list[bytes]:
    """One small file of each way of coding."""
    record = Pillow.Exif()
    record[0x0112], record[0x013B] = 6, "somebody"
    options: list[tuple[str, dict[str, Any]]] = [
        ("JPEG", {"exif": record, "icc_profile": b"x" * 200}), ("JPEG", {"progressive": True}),
        ("PNG", {"exif": record}), ("PNG", {"interlace": 1}), ("GIF", {}), ("BMP", {}),
        ("WEBP", {"exif": record.tobytes()}), ("WEBP", {"lossless": True}), ("AVIF", {"speed": 10}),
        ("TIFF", {"exif": record}), ("TIFF", {"compression": "tiff_deflate"}),
        ("TIFF", {"compression": "jpeg"}), ("TIFF", {"compression": "tiff_lzw"}),
    ]  # fmt: skip
    return [encode(kind, **o) for kind, o in options]


SEEDS = seeds()


def use_everything(data: bytes) -> str | None:
    """Every property of the picture, or the name of our error."""
    try:
        image = Image(data, path="fuzz")
        assert image.pixels.shape == (image.height, image.width, 3)
        assert image.reduced(512, managed=False, oriented=False).dtype == np.uint8
        json.dumps([image.exif, image.embedded_metadata, image.notes], allow_nan=False)
        assert image.jpeg is None or 1 <= image.jpeg.quality <= 100
    except errors.InputError as error:
        assert str(error).startswith("fuzz: ")
        return error.type
    return None


@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_only_our_errors(data: bytes) -> None:
    assert use_everything(data) is not None


@given(st.sampled_from([s[:16] for s in SEEDS]), st.binary(max_size=300))
def test_arbitrary_bytes_behind_a_signature_raise_only_our_errors(head: bytes, rest: bytes) -> None:
    use_everything(head + rest)


mutations = st.lists(
    st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8), st.booleans()), max_size=6
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=300)
@given(st.sampled_from(SEEDS), mutations, st.floats(0, 1), st.booleans())
def test_mutated_files_raise_only_our_errors(
    data: bytes, edits: list[tuple[float, bytes, bool]], cut: float, is_cut: bool
) -> None:
    changed = bytearray(data)
    for where, new, insert in edits:
        # Squared: most structure is near the start of a file.
        at = int(where * where * len(changed))
        changed[at : at if insert else at + len(new)] = new
    use_everything(bytes(changed[: int(cut * len(changed))] if is_cut else changed))


@pytest.mark.parametrize("index", range(len(SEEDS)))
def test_truncated_files_are_never_shown_in_part(index: int) -> None:
    data = SEEDS[index]
    for share in (0.3, 0.6, 0.9):
        cut = data[: int(share * len(data))]
        try:
            pixels = Image(cut).pixels
        except errors.CorruptImage:
            continue
        # A TIFF keeps its directory, which nothing needs, behind its pixels: all are there.
        assert np.array_equal(pixels, Image(data).pixels)


def test_a_jpeg_that_was_closed_early_is_noted() -> None:
    data = encode("JPEG")
    scan = data.index(b"\xff\xda")
    cut = data[: scan + (len(data) - scan) // 3] + b"\xff\xd9"
    image = Image(cut)
    assert (image.pixels[-8:] == 128).all()
    assert image.notes == ("the lower part is plain grey: the file may be incomplete",)
    assert Image(data).notes == ()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "an empty file"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"PK\x03\x04" + bytes(40), "a ZIP archive"),
        (b"8BPS\0\1" + bytes(40), "Photoshop"),
        (b"\0\0\1\0\1\0" + bytes(40), "an icon"),
        (b"P6 1 1 255\n\0\0\0", "not a picture"),
        (b"BMW is a car maker, and this is a text", "text"),
        (b"hello, world", "text"),
        (b"  <svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\0\0\0\x18ftypmp42" + bytes(40), "video"),
    ],
)
def test_what_is_no_listed_picture_is_named(data: bytes, words: str) -> None:
    with pytest.raises(errors.UnsupportedFormat, match=words) as caught:
        Image(data)
    assert "read are JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF and HEIC" in str(caught.value)


def test_heic_without_the_extra_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    with pytest.raises(errors.UnsupportedFormat, match=r"pip install 'originlens\[heic\]'"):
        Image(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))


HEIC = SHARED / "data" / "exif" / "heic" / "samplefilehub.heif"


@pytest.mark.skipif(not HEIC.is_file(), reason="needs ../shared/data/exif (ORIGINLENS_SHARED)")
def test_heic_with_the_extra_is_read() -> None:
    pytest.importorskip("pi_heif", reason="needs the extra heic")
    data = HEIC.read_bytes()
    image = Image(data)
    assert (image.format, image.pixels.shape) == ("HEIC", (426, 640, 3))
    assert image.pixels.std() > 10
    with pytest.raises(errors.CorruptImage):
        assert Image(data[: len(data) // 2]).pixels.size


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, *before: bytes, rows: bytes = b"") -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(rows or bytes((width + 1) * height), 9))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(before) + body + chunk(b"IEND", b"")


def webp_canvas(side: int) -> bytes:
    size = (side - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + bytes(4) + size + size
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tiff(*tags: tuple[int, int, int, int], tail: bytes = b"") -> bytes:
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + entries + bytes(4) + tail


def gif(side: int) -> bytes:
    screen = struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes(6)
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
    return b"GIF89a" + screen + frame + b"\x3b"


def scans(count: int) -> bytes:
    data = encode("JPEG", progressive=True)
    last = data[data.rfind(b"\xff\xda") : -2]
    return data[:-2] + last * count + data[-2:]


TILED = tiff(
    (256, 3, 1, 16), (257, 3, 1, 16), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1),
    (277, 3, 1, 1), (322, 4, 1, 60_000), (323, 4, 1, 60_000), (324, 4, 1, 8), (325, 4, 1, 4),
)  # fmt: skip
BOMBS: dict[str, bytes] = {
    "png-65535": png(65535, 65535, rows=b"x"),
    "png-one-pixel-too-many": png(40_000_001, 1, rows=b"x"),
    "webp-16384": webp_canvas(16384),
    "gif-65535": gif(65535),
    "jpeg-scans": scans(5000),
    "jpeg-segments": b"\xff\xd8" + (b"\xff\xe1\xff\xff" + bytes(65533)) * 1100 + b"\xff\xda",
    "tiff-numbers": tiff((273, 4, 3_000_000, 100), tail=bytes(12_000_100)),
    "tiff-tiles": TILED,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_before_they_go_off(name: str) -> None:
    started = time.process_time()
    with pytest.raises(errors.ImageTooLarge):
        Image(BOMBS[name])
    assert time.process_time() - started < 2


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_compressed_text_does_not_unfold(kind: bytes) -> None:
    body = b"name\0\0" + zlib.compress(bytes(50_000_000), 9)
    with pytest.raises(errors.CorruptImage, match="too large"):
        Image(png(3, 3, chunk(kind, body)))


def test_scans_of_what_follows_the_picture_do_not_count() -> None:
    film = b"\xff\xda" * 5000  # a motion photo carries a film behind its picture
    image = Image(encode("JPEG") + film)
    assert image.pixels.shape == (40, 56, 3)
    assert Image(scans(100)).pixels.shape == (40, 56, 3)


def test_a_decoder_that_reads_in_pieces_is_stopped_in_time() -> None:
    slow = png(3, 3, chunk(b"teSt", b"") * 300_000)
    started = time.monotonic()
    with pytest.raises(errors.DecodeTimeout, match=r"more than 0\.05 s"):
        Image(slow, limits=Limits(seconds=0.05))
    assert time.monotonic() - started < 2


def test_forty_megapixels_fit_into_a_gigabyte() -> None:
    """Peak memory of a fresh process that decodes the largest picture there may be."""
    program = """
    import io, resource, sys
    from PIL import Image as Pillow
    buffer = io.BytesIO()
    kind, options = sys.argv[1], eval(sys.argv[2])
    Pillow.new(sys.argv[3], (8000, 5000), 77).save(buffer, kind, **options)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    from originlens.core.image import Image
    assert Image(buffer.getvalue()).pixels.shape == (5000, 8000, 3)
    print(max(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) // 1024)
    """
    if sys.platform == "win32":
        pytest.skip("peak memory is read from the resource module, which Windows lacks")
    lines = [line.strip() for line in program.splitlines() if line.strip()]
    for kind, options, mode in (("PNG", {"compress_level": 1}, "RGBA"), ("WEBP", {}, "RGB")):
        done = subprocess.run(
            [sys.executable, "-c", "\n".join(lines), kind, repr(options), mode],
            capture_output=True, text=True, check=True, timeout=120,
        )  # fmt: skip
        peak = int(done.stdout) // (1024 if sys.platform == "darwin" else 1)
        assert peak < 1000, f"{kind}: {peak} MB"


LISTED = {"JPEG", "MPO", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF"}
CORPUS = """
import json, os, resource, sys, time, warnings
warnings.simplefilter("ignore")
from PIL import Image as Pillow
from originlens.core.errors import InputError
from originlens.core.image import Image
listed = set(sys.argv[2].split(","))
for folder, _, files in sorted(os.walk(sys.argv[1])):
    for name in sorted(files):
        path = os.path.join(folder, name)
        try:
            with Pillow.open(path) as picture:
                wanted = picture.format in listed and picture.width * picture.height <= 40_000_000
                if wanted:
                    picture.load()
        except Exception:
            wanted = False
        started = time.monotonic()
        try:
            image = Image.open(path)
            fine = image.pixels.shape == (image.height, image.width, 3)
            json.dumps([image.exif, image.embedded_metadata], allow_nan=False)
        except InputError as error:
            fine = False
        seconds = time.monotonic() - started
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps([path, wanted, fine, seconds, peak]), flush=True)
"""


@pytest.mark.skipif(not ROBUST.is_dir(), reason="needs ../shared/data/robust (ORIGINLENS_SHARED)")
def test_robust_corpus_agrees_with_pillow_in_bounded_time_and_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CORPUS, str(ROBUST), ",".join(sorted(LISTED))],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False, timeout=600,
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"crashed after {lines[-1][0] if lines else 'nothing'}"
    assert len(lines) == sum(len(files) for _, _, files in os.walk(ROBUST))
    assert [line[0] for line in lines if line[1] != line[2]] == []
    assert max(line[3] for line in lines) < 20
    assert lines[-1][4] // 1024 < 1000
