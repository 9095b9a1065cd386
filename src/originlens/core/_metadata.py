"""What a file says about its picture in words: EXIF, IPTC-IIM, XMP, and a JPEG's coding tables.

Every field is optional, hostile and kept short. XML is read by expat with document types and
entities refused, so nothing expands.

Sources: EXIF 2.32; IPTC-NAA IIM 4.2 (datasets 2:5, 2:80, 2:105, 2:110, 2:116); XMP part 1 and 2
(dc, photoshop, xmpRights); ITU-T T.81 annex K.1 for the standard tables and their scaling.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL.Image import Exif
    from PIL.ImageFile import ImageFile

_LONGEST_TEXT = 1000
_LONGEST_LIST = 64
_MOST_TAGS = 500
_LARGEST_PACKET = 1024 * 1024

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns# "
_DC = "http://purl.org/dc/elements/1.1/ "
_PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/ "
_RIGHTS = "http://ns.adobe.com/xap/1.0/rights/ "
_CC = "http://creativecommons.org/ns# "
#: XMP property -> our field; where several name one field, the first that is present wins.
_XMP_FIELDS = {
    _PHOTOSHOP + "Credit": "credit",
    _DC + "creator": "creator",
    _DC + "rights": "copyright",
    _CC + "license": "licence",
    _RIGHTS + "WebStatement": "licence",
    _RIGHTS + "UsageTerms": "licence",
    _DC + "title": "title",
    _PHOTOSHOP + "Headline": "title",
}
#: IIM dataset of record 2 -> our field.
_IIM_FIELDS = {110: "credit", 80: "creator", 116: "copyright", 5: "title", 105: "title"}
# Not ImageDescription: cameras fill it with their own name.
_EXIF_FIELDS = {0x013B: "creator", 0x8298: "copyright"}
FIELDS = ("credit", "creator", "copyright", "licence", "title")


def read_exif(exif: Exif) -> dict[str, Any]:
    """EXIF tags by name with JSON-safe values; the GPS block is a dict under ``GPSInfo``."""
    from PIL import ExifTags

    found = {**_named(dict(exif), ExifTags.TAGS)}
    for pointer, names in ((0x8769, ExifTags.TAGS), (0x8825, ExifTags.GPSTAGS)):
        try:
            block = _named(dict(exif.get_ifd(pointer)), names)
        except Exception:  # noqa: BLE001  a broken block is as good as none
            continue
        if pointer == 0x8825:
            found.pop("GPSInfo", None)
            if block:
                found["GPSInfo"] = block
        else:
            found.pop("ExifOffset", None)
            found.update(block)
    return found


def _named(tags: dict[int, Any], names: dict[int, str]) -> dict[str, Any]:
    safe: dict[str, Any] = {}
    for tag, value in list(tags.items())[:_MOST_TAGS]:
        try:
            safe[names.get(tag, f"0x{tag:04x}")] = _json_safe(value)
        except Exception:  # noqa: BLE001  one odd value does not spoil the others
            continue
    return safe


def _json_safe(value: Any) -> Any:
    if isinstance(value, bool | int) or value is None:
        return value
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, bytes):
        text = value.rstrip(b"\0")
        printable = bool(text) and all(32 <= byte < 127 for byte in text[:_LONGEST_TEXT])
        return _clean(text.decode("ascii", "replace")) if printable else f"<{len(value)} bytes>"
    if isinstance(value, tuple | list):
        return [_json_safe(item) for item in value[:_LONGEST_LIST]]
    if isinstance(value, dict):
        return {str(key): _json_safe(item) for key, item in list(value.items())[:_LONGEST_LIST]}
    number = float(value)  # IFDRational
    return number if math.isfinite(number) else None


def _clean(text: str) -> str:
    """Text without control characters and lone surrogates, at most ``_LONGEST_TEXT`` long."""
    text = text[: 4 * _LONGEST_TEXT].encode("utf-8", "replace").decode("utf-8", "replace")
    kept = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(kept.split())[:_LONGEST_TEXT]


def read_embedded(picture: ImageFile, exif: Exif) -> dict[str, str]:
    """Rights metadata: those of ``FIELDS`` that are stated, XMP before IPTC-IIM before EXIF."""
    found: dict[str, str] = {}
    for read in (_from_xmp, _from_iim):
        try:
            values = read(picture)
        except Exception:  # noqa: BLE001  a broken packet is as good as none
            continue
        for field, text in values.items():
            found.setdefault(field, text)
    for tag, field in _EXIF_FIELDS.items():
        value = exif.get(tag)
        if isinstance(value, str) and (text := _clean(value)):
            found.setdefault(field, text)
    return {field: found[field] for field in FIELDS if found.get(field)}


def xmp_packet(picture: ImageFile) -> bytes | None:
    """The XMP packet, from wherever the format keeps it; None if absent or over 1 MiB."""
    packet = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp")
    if packet is None and hasattr(picture, "tag_v2"):
        packet = picture.tag_v2.get(700)
    if isinstance(packet, str):
        packet = packet.encode("utf-8", "surrogatepass")
    if isinstance(packet, tuple):
        packet = bytes(packet)
    if not isinstance(packet, bytes) or len(packet) > _LARGEST_PACKET:
        return None
    return packet.strip(b"\0 \r\n\t")


def read_xmp(picture: ImageFile, names: Collection[str]) -> dict[str, list[str]]:
    """Texts of those XMP properties ("namespace-URI name") that the picture's packet states."""
    packet = xmp_packet(picture)
    try:
        texts = _XmpReader(names).read(packet) if packet else {}
    except Exception:  # noqa: BLE001  a broken packet is as good as none
        return {}
    return {name: [_clean(text) for text in found] for name, found in texts.items() if found}


def _from_xmp(picture: ImageFile) -> dict[str, str]:
    packet = xmp_packet(picture)
    texts = _XmpReader(_XMP_FIELDS).read(packet) if packet else {}
    found: dict[str, str] = {}
    for name, field in _XMP_FIELDS.items():
        text = "; ".join(dict.fromkeys(texts.get(name, [])))
        if text:
            found.setdefault(field, _clean(text))
    return found


class _XmpReader:
    """Collects the texts of some properties from one packet."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self._texts: dict[str, list[str]] = {}
        self._property: str | None = None
        self._depth = 0
        self._property_depth = 0
        self._text: list[str] = []

    def read(self, packet: bytes) -> dict[str, list[str]]:
        """Properties with their texts; what stood before a syntax error is kept."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        # Of a truncated or malformed packet, what was read so far is still what the file says.
        with suppress(expat.ExpatError):
            parser.Parse(packet, True)
        return self._texts

    @staticmethod
    def _refuse(*_: Any) -> None:
        raise ValueError("document types and entities are not allowed in XMP")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > 64:
            raise ValueError("XMP is nested too deeply")
        for key, value in attributes.items():
            if key in self._names:
                self._add(key, value)
        if self._property is None and name in self._names:
            self._property, self._property_depth, self._text = name, self._depth, []
            if resource := attributes.get(_RDF + "resource"):
                self._add(name, resource)
        elif self._property is not None and name == _RDF + "li":
            self._text = []

    def _end(self, name: str) -> None:
        if self._property is not None:
            closes = self._depth == self._property_depth
            if name == _RDF + "li" or closes:
                self._add(self._property, "".join(self._text))
                self._text = []
            if closes:
                self._property = None
        self._depth -= 1

    def _characters(self, text: str) -> None:
        if self._property is not None and len(self._text) < _LONGEST_LIST * 16:
            self._text.append(text[:_LONGEST_TEXT])

    def _add(self, name: str, text: str) -> None:
        texts = self._texts.setdefault(name, [])
        if (text := text.strip()) and len(texts) < _LONGEST_LIST:
            texts.append(text)


def _from_iim(picture: ImageFile) -> dict[str, str]:
    block = picture.info.get("photoshop", {})
    data = block.get(0x0404) if isinstance(block, dict) else None
    if data is None and hasattr(picture, "tag_v2"):
        data = picture.tag_v2.get(33723)
        if isinstance(data, tuple):  # some writers declare LONGs
            data = b"".join(int(v).to_bytes(4, "little") for v in data[:_LARGEST_PACKET])
    return _read_iim(data) if isinstance(data, bytes) else {}


def _read_iim(data: bytes) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    encoding = "latin-1"
    position = 0
    while position + 5 <= min(len(data), _LARGEST_PACKET) and data[position] == 0x1C:
        record, dataset = data[position + 1], data[position + 2]
        length = int.from_bytes(data[position + 3 : position + 5], "big")
        if length & 0x8000:  # extended dataset: only pictures inside IIM use it
            break
        value = data[position + 5 : position + 5 + length]
        position += 5 + length
        if (record, dataset) == (1, 90) and value == b"\x1b%G":
            encoding = "utf-8"
        elif record == 2 and dataset in _IIM_FIELDS:
            texts = found.setdefault(_IIM_FIELDS[dataset], [])
            if len(texts) < _LONGEST_LIST:
                texts.append(_decode_text(value, encoding))
    return {
        field: _clean(texts[0] if field == "title" else "; ".join(texts))
        for field, texts in found.items()
    }


def _decode_text(value: bytes, encoding: str) -> str:
    try:
        # Many writers put UTF-8 without declaring it; Latin-1 text is hardly ever valid UTF-8.
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode(encoding, "replace")


@dataclass(frozen=True, slots=True, eq=False)
class JpegInfo:
    """How a JPEG was coded.

    ``tables`` are the quantisation tables by identifier order, each (8, 8) uint16, row = vertical
    frequency; ``subsampling`` is "4:4:4", "4:2:2", "4:2:0", "4:4:0", "4:1:1", "grey" or the
    sampling factors as "2x2,1x1,1x2"; ``quality`` 1..100 is the IJG setting whose luma table is
    nearest, ``is_standard`` whether it is equal.
    """

    tables: tuple[npt.NDArray[np.uint16], ...]
    subsampling: str
    progressive: bool
    quality: int
    is_standard: bool


# ITU-T T.81 table K.1 (luminance), row-major.
_LUMA = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
#: (horizontal, vertical) ratio of luma to chroma sampling -> its usual name.
_SUBSAMPLING: dict[tuple[float, float], str] = {
    (1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0", (1, 2): "4:4:0", (4, 1): "4:1:1",
}  # fmt: skip


def read_jpeg(picture: Any) -> JpegInfo | None:
    """Coding parameters of an opened JPEG or MPO; None where it has no tables."""
    tables = tuple(
        np.array(values, dtype=np.uint16).reshape(8, 8)
        for _, values in sorted(picture.quantization.items())
        if len(values) == 64
    )
    if not tables:
        return None
    for table in tables:
        table.flags.writeable = False
    factors = [(layer[1], layer[2]) for layer in picture.layer]
    quality, is_standard = _quality(tables[0])
    progressive = bool(picture.info.get("progressive", picture.info.get("progression", 0)))
    return JpegInfo(tables, _subsampling(factors), progressive, quality, is_standard)


def _subsampling(factors: list[tuple[int, int]]) -> str:
    if len(factors) == 1:
        return "grey"
    (width, height), (chroma_width, chroma_height) = factors[:2]
    if len(factors) == 3 and factors[1] == factors[2] and chroma_width and chroma_height:
        name = _SUBSAMPLING.get((width / chroma_width, height / chroma_height))
        if name:
            return name
    return ",".join(f"{h}x{v}" for h, v in factors)


def _quality(luma: npt.NDArray[np.uint16]) -> tuple[int, bool]:
    """The IJG quality (jcparam.c's scaling of table K.1) nearest in the sum of log ratios."""
    settings = np.arange(1, 101)
    scale = np.where(settings < 50, 5000 // settings, 200 - 2 * settings)
    standard = np.clip((_LUMA * scale[:, None, None] + 50) // 100, 1, 255)
    measured = np.maximum(luma.astype(np.float64), 1)
    distance = np.abs(np.log(measured / standard)).sum(axis=(1, 2))
    # Of equal tables (saturated at low settings) the highest setting is named.
    best = len(settings) - 1 - int(np.argmin(distance[::-1]))
    return int(settings[best]), bool(distance[best] == 0)
