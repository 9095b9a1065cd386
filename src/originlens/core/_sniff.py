"""What a file is, told from its first bytes and never from its name.

Sources: JFIF / ITU-T T.81 annex B, PNG (W3C, 2003) section 5.2, GIF89a, RIFF WebP container
specification, TIFF 6.0 section 2 and BigTIFF, ISO/IEC 23008-12 annex B (brands of ``ftyp``).
"""

from __future__ import annotations

import struct

#: The formats that are read, as messages name them.
LISTED = "JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF and HEIC"

_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs"}
_AVIF_BRANDS = {b"avif", b"avis"}
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"MM*\0", b"II\0*")

#: What people hand in by mistake: the start of the bytes and the name to say.
_OTHERS = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive or office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"8BPS", "a Photoshop document (PSD)"),
    (b"\0\0\1\0", "an icon (ICO)"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"%!PS", "a PostScript file"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML file"),
    (b"<!DOCTYPE", "an HTML page"),
    (b"<html", "an HTML page"),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (b"qoif", "a QOI picture"),
    (b"DDS ", "a DDS texture"),
    (b"v/1\x01", "an OpenEXR picture"),
)


def sniff(data: bytes) -> str | None:
    """The listed format that the bytes start like, by Pillow's name, or None.

    ``HEIC`` and ``AVIF`` share a container; the brands of its first box decide.
    """
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "GIF"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data.startswith(_TIFF_STARTS):
        return "TIFF"
    # A bitmap's header holds zero bytes; a text that begins with "BM" does not.
    if data.startswith(b"BM") and b"\0" in data[2:30]:
        return "BMP"
    if data[4:8] == b"ftyp":
        return _brand(data)
    return None


def _brand(data: bytes) -> str | None:
    length = min(struct.unpack(">I", data[:4])[0], 512)
    major = data[8:12]
    brands = {major} | {data[i : i + 4] for i in range(16, min(length, len(data)) - 3, 4)}
    if major in _AVIF_BRANDS:
        return "AVIF"
    if major in _HEIC_BRANDS:
        return "HEIC"
    if major in (b"mif1", b"msf1"):
        return "HEIC" if brands & _HEIC_BRANDS and not brands & _AVIF_BRANDS else "AVIF"
    return None


def describe_unlisted(data: bytes) -> str:
    """Words for bytes in no listed format: "a PDF document", "an empty file", "text" ..."""
    if not data:
        return "an empty file"
    for start, name in _OTHERS:
        if data[:64].lstrip().startswith(start) or data.startswith(start):
            return name
    if data[4:8] == b"ftyp":
        return "a video or another ISO media file"
    head = data[:256]
    if all(byte in (9, 10, 13) or 32 <= byte < 127 for byte in head):
        return "text"
    return "not a picture that is known here"


def webp_size(data: bytes) -> tuple[int, int] | None:
    """(width, height) of a WebP's canvas from its header, or None where the header is odd.

    Needed before any decoder is made: the library allocates two canvases when it opens a file.
    """
    kind = data[12:16]
    if kind == b"VP8X" and len(data) >= 30:
        return (
            1 + int.from_bytes(data[24:27], "little"),
            1 + int.from_bytes(data[27:30], "little"),
        )
    if kind == b"VP8 " and len(data) >= 30:
        width, height = struct.unpack("<HH", data[26:30])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and len(data) >= 25:
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return None
