"""Costs that must be judged on the raw bytes, before a decoder library sees them.

Decoder libraries allocate and loop as a file tells them to. Each check here answers one way in
which few bytes can cost much; the pixel count itself is checked where the header is read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from originlens.core._jpeg_scans import MARKER
from originlens.core._sniff import webp_size
from originlens.core.errors import CorruptImage, ImageTooLarge

_SOS = b"\xff\xda"
#: Bytes of application segments a JPEG may carry (each is copied several times when it is read).
_JPEG_SEGMENT_BYTES = 64 * 1024 * 1024
#: Numbers in a TIFF's tags; each becomes an object of some 40 bytes.
_TIFF_NUMBERS = 2_000_000
_TIFF_TYPE_BYTES = {
    1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4,
    10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8,
}  # fmt: skip
_TIFF_BYTE_TYPES = (1, 2, 6, 7)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a decode may cost.

    ``pixels`` of one picture, ``bytes`` of the file (the default holds 40 megapixels of four
    16-bit samples), ``scans`` of a progressive JPEG (each is a pass over all coefficients) and
    ``seconds`` of processor time for each pass over the file (header, pixels, metadata), so that a
    busy machine refuses nothing that an idle one reads.
    """

    pixels: int = 40_000_000
    bytes: int = 350_000_000
    scans: int = 200
    seconds: float = 10.0


def check_pixels(width: int, height: int, name: str, limits: Limits) -> None:
    """Raise where the size is nothing or exceeds the limit."""
    if width < 1 or height < 1:
        raise CorruptImage(f"{name}: the picture is {width} x {height} pixels; get an intact copy")
    if width * height > limits.pixels:
        raise ImageTooLarge(
            f"{name}: {width} x {height} pixels exceed the limit of {limits.pixels}; "
            "scale the picture down or raise the limit"
        )


def check_bytes(data: bytes, kind: str, name: str, limits: Limits) -> None:
    """Raise ImageTooLarge (or CorruptImage) for bytes that a decoder should not be given."""
    if kind == "JPEG":
        _check_jpeg(data, name, limits)
    elif kind == "TIFF":
        _check_tiff(data, name, limits)
    elif kind == "WEBP" and (size := webp_size(data)) is not None:
        # The library allocates two canvases when it opens a file.
        check_pixels(*size, name, limits)


def _check_jpeg(data: bytes, name: str, limits: Limits) -> None:
    position, segments = 2, 0
    while data[position : position + 1] == b"\xff":
        marker = data[position + 1] if position + 1 < len(data) else 0xDA
        if marker == 0xFF:  # fill byte
            position += 1
            continue
        if marker == 0xDA:
            break
        position += 2 + max(2, int.from_bytes(data[position + 2 : position + 4], "big"))
        segments += 1
        if position > _JPEG_SEGMENT_BYTES or segments > 100_000:
            raise ImageTooLarge(f"{name}: too much stands before the picture in this JPEG")
    # Every scan costs a pass over the picture, however few bytes it has ("progressive bomb"). What
    # follows the picture (other frames, a film) is not counted, which takes a closer look.
    if data.count(_SOS, position) > limits.scans:
        _check_scans(_count_scans(data, position), name, limits)


def _count_scans(data: bytes, position: int) -> int:
    """Scans from ``position`` (at a marker) to the end of the picture (ITU-T T.81 annex B)."""
    scans = 0
    while (found := MARKER.search(data, position)) is not None:
        marker, position = data[found.end() - 1], found.end()
        if marker == 0xD9:
            break
        scans += marker == 0xDA
        position += int.from_bytes(data[position : position + 2], "big")
    return scans


def _check_scans(scans: float, name: str, limits: Limits) -> None:
    if scans > limits.scans:
        raise ImageTooLarge(f"{name}: {scans:.0f} scans exceed the limit of {limits.scans}")


def _check_tiff(data: bytes, name: str, limits: Limits) -> None:
    """TIFF 6.0 section 2: numbers in tags, tile buffers, and scans of JPEG-compressed strips."""
    tags: dict[int, _Tag] = {}
    numbers = 0
    for tag in _tiff_tags(data):
        tags.setdefault(tag.number, tag)
        if tag.type not in _TIFF_BYTE_TYPES and tag.count * _TIFF_TYPE_BYTES[tag.type] <= len(data):
            numbers += tag.count
        if numbers > _TIFF_NUMBERS:
            raise ImageTooLarge(f"{name}: the tags of this TIFF hold too many numbers")

    def first(number: int) -> int:
        return next(iter(tags[number].values(data)), 0) if number in tags else 0

    if first(322) * first(323) > limits.pixels:
        raise ImageTooLarge(f"{name}: tiles of {first(322)} x {first(323)} pixels are too large")
    if first(259) in (6, 7):  # JPEG
        offsets, counts = (273, 279) if 273 in tags else (324, 325)
        if offsets in tags and counts in tags:
            strips = zip(tags[offsets].values(data), tags[counts].values(data), strict=False)
            _check_strips(data, list(strips), name, limits)


def _check_strips(data: bytes, strips: list[tuple[int, int]], name: str, limits: Limits) -> None:
    """Strips share the picture's area, so that their mean number of scans is what counts."""
    if sum(length for _, length in set(strips)) > 2 * len(data):
        raise CorruptImage(f"{name}: the strips of this TIFF overlap; get an intact copy")
    scans = {strip: data.count(_SOS, strip[0], strip[0] + strip[1]) for strip in set(strips)}
    if strips:
        _check_scans(sum(scans[strip] for strip in strips) / len(strips), name, limits)


@dataclass(frozen=True, slots=True)
class _Tag:
    number: int
    type: int
    count: int
    offset: int
    order: str

    def values(self, data: bytes) -> Iterator[int]:
        """The numbers of an unsigned integer tag; nothing for other types."""
        code = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}.get(self.type)
        end = self.offset + self.count * _TIFF_TYPE_BYTES[self.type]
        if code is not None and end <= len(data):
            for (value,) in struct.iter_unpack(self.order + code, data[self.offset : end]):
                yield value


def _tiff_tags(data: bytes) -> Iterator[_Tag]:
    """The entries of the first directory, classic or BigTIFF; stops where the bytes end."""
    order = "<" if data[:2] == b"II" else ">"
    is_big = 43 in data[2:4]
    head, entry, inline = ("Q", "HHQ", 8) if is_big else ("I", "HHI", 4)
    start = 8 if is_big else 4
    width = struct.calcsize("<" + entry) + inline
    try:
        (position,) = struct.unpack_from(order + head, data, start)
        (count,) = struct.unpack_from(order + ("Q" if is_big else "H"), data, position)
        position += 8 if is_big else 2
        for _ in range(min(count, 65_536)):
            number, kind, values = struct.unpack_from(order + entry, data, position)
            offset = position + width - inline
            if kind in _TIFF_TYPE_BYTES:
                if values * _TIFF_TYPE_BYTES[kind] > inline:
                    (offset,) = struct.unpack_from(order + head, data, offset)
                yield _Tag(number, kind, values, offset, order)
            position += width
    except (struct.error, OverflowError):
        return
