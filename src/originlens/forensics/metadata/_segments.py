"""The parts of a picture file, walked without decoding: JPEG segments, PNG and WebP chunks.

Sources: ITU-T T.81 annex B (markers), W3C PNG 3rd edition section 5 (chunks), RFC 9649 (WebP).
Hostile input: lengths are checked against the file's end, the number of parts is bounded, and a
broken structure ends the walk with what was found so far.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

_MOST_PARTS = 20_000
#: A marker inside entropy-coded data: not stuffing, not a restart, not fill (T.81, B.1.1).
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


@dataclass(frozen=True, slots=True)
class Part:
    """A segment or chunk: its name (``APP1``, ``iTXt``, ``EXIF`` ...) and where its body lies."""

    name: str
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Walk:
    """The parts of a file, and where the first picture ends (None: it never ends properly)."""

    parts: tuple[Part, ...]
    end: int | None


def walk(data: bytes) -> Walk:
    """The parts of a JPEG, PNG or WebP; nothing for other formats."""
    if data[:2] == b"\xff\xd8":
        return _jpeg(data)
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _png(data)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp(data)
    return Walk((), len(data))


def _jpeg(data: bytes) -> Walk:
    parts: list[Part] = []
    position = 2
    while position + 4 <= len(data) and len(parts) < _MOST_PARTS:
        if data[position] != 0xFF:
            return Walk(tuple(parts), None)
        code = data[position + 1]
        if code == 0xFF:  # fill byte
            position += 1
            continue
        if code == 0xD9:
            return Walk(tuple(parts), position + 2)
        if code == 0x01 or 0xD0 <= code <= 0xD8:  # markers without a body
            position += 2
            continue
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        parts.append(Part(_jpeg_name(code), position + 4, max(0, length - 2)))
        position += 2 + max(2, length)
        if code == 0xDA:
            found = _MARKER.search(data, position)
            if found is None:
                return Walk(tuple(parts), None)
            position = found.start()
    ended = data[position : position + 2] == b"\xff\xd9"
    return Walk(tuple(parts), position + 2 if ended else None)


def _jpeg_name(code: int) -> str:
    if 0xE0 <= code <= 0xEF:
        return f"APP{code - 0xE0}"
    names = {0xDA: "SOS", 0xDB: "DQT", 0xC4: "DHT", 0xDD: "DRI", 0xFE: "COM"}
    if code in names:
        return names[code]
    return (
        f"SOF{code - 0xC0}" if 0xC0 <= code <= 0xCF and code not in (0xC8, 0xCC) else f"{code:02X}"
    )


def _png(data: bytes) -> Walk:
    parts: list[Part] = []
    position = 8
    while position + 12 <= len(data) and len(parts) < _MOST_PARTS:
        length, name = struct.unpack_from(">I4s", data, position)
        if position + 12 + length > len(data):
            break
        parts.append(Part(name.decode("latin-1"), position + 8, length))
        position += 12 + length
        if name == b"IEND":
            return Walk(tuple(parts), position)
    return Walk(tuple(parts), None)


def _webp(data: bytes) -> Walk:
    end = 8 + int.from_bytes(data[4:8], "little")
    parts: list[Part] = []
    position = 12
    while position + 8 <= min(end, len(data)) and len(parts) < _MOST_PARTS:
        name, length = struct.unpack_from("<4sI", data, position)
        parts.append(Part(name.decode("latin-1"), position + 8, length))
        position += 8 + length + length % 2
    end += end % 2
    return Walk(tuple(parts), end if end <= len(data) else None)


def png_texts(data: bytes, parts: tuple[Part, ...]) -> dict[str, str]:
    """Texts of tEXt, zTXt and iTXt chunks by keyword, each at most 64 KiB."""
    texts: dict[str, str] = {}
    for part in parts:
        if part.name not in ("tEXt", "zTXt", "iTXt") or len(texts) >= 64:
            continue
        body = data[part.start : part.start + part.length]
        keyword, _, rest = body.partition(b"\0")
        text = _png_text(part.name, rest)
        if keyword and text is not None:
            texts.setdefault(keyword.decode("latin-1"), text)
    return texts


def _png_text(name: str, rest: bytes) -> str | None:
    if name == "tEXt":
        return rest[:65536].decode("latin-1")
    if name == "zTXt":
        plain = _inflated(rest[1:]) if rest[:1] == b"\0" else None
        return None if plain is None else plain.decode("latin-1")
    is_packed, rest = rest[:1] == b"\1", rest[2:]
    _, _, rest = rest.partition(b"\0")  # language
    _, _, rest = rest.partition(b"\0")  # translated keyword
    plain = _inflated(rest) if is_packed else rest[:65536]
    return None if plain is None else plain.decode("utf-8", "replace")


def _inflated(packed: bytes) -> bytes | None:
    """At most 64 KiB of a deflate stream, whatever it would expand to."""
    import zlib

    try:
        return zlib.decompressobj().decompress(packed, 65536)
    except zlib.error:
        return None
