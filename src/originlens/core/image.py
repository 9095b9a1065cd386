"""A picture, decoded once and safely.

The only place in OriginLens that decodes pictures. Every input is hostile: nothing but errors of
``core.errors`` is raised, and the cost of a decode is bounded by ``Limits``.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
import threading
from collections.abc import Collection
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from originlens.core import _decode, _metadata
from originlens.core._bounds import Limits
from originlens.core._metadata import JpegInfo
from originlens.core.errors import ImageTooLarge, ReadError

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

Pixels = npt.NDArray[np.uint8]

DEFAULT_LIMITS = Limits()

#: Requests below this share one decode: descriptors, proxies and verification all derive from it.
SHARED_SHORT_SIDE = 512
#: Decoded pictures up to this size are kept so that other colour/orientation variants derive.
_KEPT_PIXELS = 4_000_000


class Image:
    """A picture: original bytes and lazily decoded pixels. Immutable.

    ``width`` and ``height`` are those of the full-size, EXIF-oriented picture; ``orientation`` is
    the EXIF value 1..8 that was applied; ``format`` is JPEG, MPO, PNG, WEBP, TIFF, BMP, GIF, AVIF
    or HEIC, told by content. Transparent pixels are shown on white; of animations, multi-page files
    and MPOs the first frame is read (``notes`` says so).

    Raises:
        UnsupportedFormat, CorruptImage, ImageTooLarge: from the header, at construction.
        CorruptImage, ImageTooLarge, DecodeTimeout: from the pixels, where they are first used.
    """

    def __init__(
        self, data: bytes, *, path: str | None = None, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self.path = path
        self.limits = limits
        self._data: bytes | None = data
        self._header = _decode.read_header(data, self._name, limits)
        self.format = self._header.format
        self.orientation = self._header.orientation
        width, height = self._header.size
        self.width, self.height = (height, width) if self.orientation > 4 else (width, height)
        self._prepare()

    def _prepare(self) -> None:
        self._lock = threading.RLock()
        self._notes: list[str] = []
        self._variants: dict[tuple[int, bool, bool], Pixels] = {}
        self._decoded: dict[int, Picture] = {}

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS) -> Image:
        """Read a file; ``path`` is kept verbatim.

        Raises:
            ReadError: missing, a folder, not a regular file or unreadable.
            ImageTooLarge: more bytes than the limits allow (found before reading).
        """
        name = os.fspath(path)
        try:
            with open(name, "rb") as file:
                info = os.fstat(file.fileno())
                if not stat.S_ISREG(info.st_mode):
                    raise ReadError(f"{_printable(name)}: not a regular file")
                if info.st_size > limits.bytes:
                    raise ImageTooLarge(
                        f"{_printable(name)}: {info.st_size} bytes exceed the limit of "
                        f"{limits.bytes} bytes"
                    )
                data = file.read(limits.bytes + 1)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ReadError(f"{_printable(name)}: cannot be read: {reason}") from error
        return cls(data, path=name, limits=limits)

    @classmethod
    def from_array(cls, pixels: Pixels, *, path: str | None = None) -> Image:
        """A picture made of (H, W, 3) uint8 sRGB pixels (copied); ``data`` is a PNG of it.

        Raises:
            ValueError: another shape or dtype, or no pixels.
        """
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8 or not pixels.size:
            raise ValueError(f"pixels must be (H, W, 3) uint8, not {pixels.shape} {pixels.dtype}")
        self = cls.__new__(cls)
        self.path, self.limits, self._data = path, DEFAULT_LIMITS, None
        self.format, self.orientation = "PNG", 1
        self.height, self.width = pixels.shape[:2]
        self._header = _decode.Header("PNG", "RGB", (self.width, self.height), 1, None, ())
        self._prepare()
        self._variants[1, False, False] = _read_only(np.array(pixels, order="C"))
        return self

    @property
    def _name(self) -> str:
        return "picture" if self.path is None else _printable(self.path)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of results must know: first frame only, profile ignored, bits scaled ...

        Complete once pixels were decoded.
        """
        return tuple(dict.fromkeys((*self._header.notes, *self._notes)))

    @property
    def data(self) -> bytes:
        """The original bytes (for arrays: a PNG)."""
        if self._data is None:
            from PIL import Image as Pillow

            buffer = io.BytesIO()
            Pillow.fromarray(self.pixels).save(buffer, "PNG", compress_level=1)
            self._data = buffer.getvalue()
        return self._data

    @cached_property
    def sha256(self) -> str:
        """Hex SHA-256 of the original bytes."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def pixels(self) -> Pixels:
        """(H, W, 3) uint8 sRGB, EXIF-oriented, full size, read-only."""
        return self._variant(1, managed=True, oriented=True)

    def reduced(self, short_side: int, *, managed: bool = True, oriented: bool = True) -> Pixels:
        """(h, w, 3) uint8 pixels, read-only, of a short side >= ``short_side`` or the picture's.

        A large JPEG is decoded at the smallest DCT scale s (1/2, 1/4, 1/8) that satisfies this;
        anything else is decoded in full. No resampling beyond that. Requests below
        ``SHARED_SHORT_SIDE`` are answered as if they asked for it, so that all share one decode.
        The frame relates to the full-size one by ``x_full = (x + 0.5) * s - 0.5`` with s =
        ``scale(short_side)``; where s does not divide a side, the last column or row stands for
        fewer pixels (the first one, where the orientation flips that axis).
        ``managed=False`` leaves colours as stored (no ICC), ``oriented=False`` leaves the stored
        orientation: what hash exchanges compute on.
        """
        return self._variant(self.scale(short_side), managed=managed, oriented=oriented)

    def scale(self, short_side: int) -> int:
        """The factor 1, 2, 4 or 8 by which ``reduced(short_side)`` is smaller than the picture."""
        return _decode.scale_for(self._header, max(short_side, SHARED_SHORT_SIDE))

    def _variant(self, scale: int, *, managed: bool, oriented: bool) -> Pixels:
        key = (scale, managed and self._is_managed, oriented and self.orientation != 1)
        with self._lock:
            if key not in self._variants:
                self._variants[key] = _read_only(self._make(*key))
            return self._variants[key]

    @cached_property
    def _is_managed(self) -> bool:
        """Whether honouring the colour profile can change pixels."""
        from originlens.core._colour import is_srgb

        profile = self._header.profile
        return profile is not None and not is_srgb(profile)

    def _make(self, scale: int, managed: bool, oriented: bool) -> Pixels:
        # As decoded: the way the file stores it, except that Pillow turns TIFFs when it loads them.
        is_turned = self.format == "TIFF" and self.orientation != 1
        if oriented != is_turned:
            decoded = self._variants.get((scale, managed, is_turned))
            if decoded is None:
                decoded = self._convert(scale, managed)
                if decoded.size <= 3 * _KEPT_PIXELS:
                    self._variants[scale, managed, is_turned] = _read_only(decoded)
            turn = self.orientation if oriented else _INVERSE[self.orientation]
            return orient(decoded, turn)
        return self._convert(scale, managed)

    def _convert(self, scale: int, managed: bool) -> Pixels:
        from originlens.core._colour import to_srgb

        notes: list[str] = []
        picture = self._decoded.get(scale)
        if picture is None:
            picture, notes = _decode.load(self.data, self._name, self.limits, scale)
            # Colours as stored and managed colours both derive from one decode.
            if self._is_managed and picture.width * picture.height <= _KEPT_PIXELS:
                self._decoded[scale] = picture
        with _decode.own_errors(self._name) as messages:
            pixels = to_srgb(picture, self._header.profile if managed else None, notes)
        self._notes += [n for n in (*notes, *messages) if n not in self._notes]
        return pixels

    @cached_property
    def pixel_hash(self) -> str:
        """Hex SHA-256 over size and full-size oriented pixels: equal for equal decoded pictures."""
        digest = hashlib.sha256(f"{self.width}x{self.height}:".encode())
        digest.update(np.ascontiguousarray(self.pixels).data)
        return digest.hexdigest()

    @cached_property
    def exif(self) -> dict[str, Any]:
        """EXIF tags by name with JSON-safe values, GPS in a dict; empty if none or unreadable."""
        if self._data is None:
            return {}
        with _decode.opened(self._data, self._name, self.limits) as (_, exif):
            return _metadata.read_exif(exif)

    @cached_property
    def embedded_metadata(self) -> dict[str, str]:
        """Those of credit, creator, copyright, licence and title that XMP, IPTC or EXIF state."""
        if self._data is None:
            return {}
        with _decode.opened(self._data, self._name, self.limits) as (picture, exif):
            return _metadata.read_embedded(picture, exif)

    def xmp(self, names: Collection[str]) -> dict[str, list[str]]:
        """Texts of those XMP properties ("namespace-URI name") that the file states."""
        if self._data is None:
            return {}
        with _decode.opened(self._data, self._name, self.limits) as (picture, _):
            return _metadata.read_xmp(picture, names)

    @cached_property
    def jpeg(self) -> JpegInfo | None:
        """Quantisation tables, subsampling and quality of a JPEG; None for other formats."""
        if self._data is None or self.format not in ("JPEG", "MPO"):
            return None
        with _decode.opened(self._data, self._name, self.limits) as (picture, _):
            return _metadata.read_jpeg(picture)


_INVERSE = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}


def orient(pixels: Pixels, orientation: int) -> Pixels:
    """Turn stored pixels (H, W, 3) upright by the EXIF orientation (EXIF 2.32, tag 0x0112)."""
    if orientation == 1:
        return pixels
    import cv2

    if orientation in (5, 6, 7, 8):
        pixels = cv2.transpose(pixels)
    # 1: mirror left-right, 0: mirror top-bottom, -1: both
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return np.asarray(pixels if flip is None else cv2.flip(pixels, flip), dtype=np.uint8)


def _read_only(pixels: Pixels) -> Pixels:
    pixels.flags.writeable = False
    return pixels


def _printable(name: str | bytes) -> str:
    """A path for messages: undecodable bytes escaped so that the message can be printed."""
    return os.fsdecode(name).encode("utf-8", "backslashreplace").decode()
