"""What a picture's container shows before any pixel is decoded: its chunks, bit depth and colour.

JPEG: ITU-T T.81 annex B (markers, frame header); PNG: W3C 2003, section 5 (chunks, IHDR); WebP:
RIFF container specification. Every loop is bounded, every offset checked; a broken file gives what
was found up to there.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

#: Chunks or segments looked at in one file.
_MOST = 4096
_PNG_COLOUR = {0: "grey", 2: "colour", 3: "palette", 4: "grey+alpha", 6: "colour+alpha"}
_PNG_PIXELS = {"IHDR", "IDAT", "IEND", "PLTE"}
_JPEG_COLOUR = {1: "grey", 3: "colour", 4: "four channels"}
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}


@dataclass(frozen=True, slots=True)
class Container:
    """``parts`` are the kinds of segments or chunks besides the pixels, in order of appearance.

    ``bits`` per sample, 0 if unknown; ``colour`` names the channels, "" if unknown.
    """

    parts: tuple[str, ...] = ()
    bits: int = 0
    colour: str = ""


def container(data: bytes, kind: str) -> Container:
    """The container of a file's bytes; ``kind`` is its format as core names it."""
    if kind in ("JPEG", "MPO"):
        return _jpeg(data)
    if kind == "PNG":
        return _png(data)
    if kind == "WEBP":
        return _webp(data)
    return Container()


def _jpeg(data: bytes) -> Container:
    parts: dict[str, None] = {}
    bits, colour, at = 0, "", 2
    for _ in range(_MOST):
        if at + 4 > len(data) or data[at] != 0xFF:
            break
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xDA:
            break
        length = struct.unpack_from(">H", data, at + 2)[0]
        body = data[at + 4 : at + 2 + length]
        if marker in _FRAMES and len(body) >= 6:
            bits, colour = body[0], _JPEG_COLOUR.get(body[5], "")
        elif marker == 0xFE:
            parts["comment"] = None
        elif 0xE0 <= marker <= 0xEF:
            parts[f"APP{marker - 0xE0} {_tag(body)}".rstrip()] = None
        elif marker == 0xDD:
            parts["restart interval"] = None
        at += 2 + length
    return Container(tuple(parts), bits, colour)


def _tag(body: bytes) -> str:
    """The printable name at the start of an application segment: JFIF, Exif, ICC_PROFILE ..."""
    name = body[:16].split(b"\0")[0]
    if not name or any(not 32 < byte < 127 for byte in name):
        return ""
    text = name.decode("ascii")
    return "xmp" if text.startswith("http://ns.adob") else text


def _png(data: bytes) -> Container:
    parts: dict[str, None] = {}
    bits, colour, at = 0, "", 8
    for _ in range(_MOST):
        if at + 8 > len(data):
            break
        length, raw = struct.unpack_from(">I4s", data, at)
        name = raw.decode("latin-1")
        if name == "IHDR" and at + 18 <= len(data):
            bits, colour = data[at + 16], _PNG_COLOUR.get(data[at + 17], "")
        elif name not in _PNG_PIXELS and name.isascii() and name.isalpha():
            parts[name] = None
        at += 12 + length
    return Container(tuple(parts), bits, colour)


def _webp(data: bytes) -> Container:
    parts: dict[str, None] = {}
    at = 12
    for _ in range(_MOST):
        if at + 8 > len(data):
            break
        raw, length = struct.unpack_from("<4sI", data, at)
        name = raw.decode("latin-1").strip()
        if name.isascii() and name.isalnum():
            parts[name] = None
        at += 8 + length + (length & 1)
    colour = "colour+alpha" if "ALPH" in parts else "colour"
    return Container(tuple(parts), 8, colour)
