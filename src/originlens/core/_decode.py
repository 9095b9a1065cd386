"""The one door to the decoders: bounded in pixels, bytes, frames, scans and seconds.

A header is read and judged before anything is allocated for pixels. Decoders are fed by a stream
that stops at a deadline, so a decoder that reads in pieces can be stopped; those that work in one
call (WebP, AVIF, libtiff) are bounded by the size limits that were checked before.
"""

from __future__ import annotations

import io
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from originlens.core._bounds import Limits, check_bytes, check_pixels
from originlens.core._jpeg_scans import without_refinements
from originlens.core._sniff import LISTED, describe_unlisted, sniff
from originlens.core.errors import (
    CorruptImage,
    DecodeTimeout,
    ImageTooLarge,
    OriginLensError,
    UnsupportedFormat,
)

if TYPE_CHECKING:
    from PIL.Image import Exif
    from PIL.ImageFile import ImageFile

_ORIENTATION = 0x0112


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says about its picture before it is decoded.

    ``size`` is (width, height) as stored, before the EXIF ``orientation`` (1..8) is applied.
    """

    format: str
    mode: str
    size: tuple[int, int]
    orientation: int
    profile: bytes | None
    notes: tuple[str, ...]


class _Stream(io.BytesIO):
    """The file's bytes; reading past the deadline raises DecodeTimeout."""

    def __init__(self, data: bytes, name: str, seconds: float) -> None:
        super().__init__(data)
        self._message = f"{name}: decoding took more than {seconds:g} s; raise the limit to read it"
        self._deadline = time.thread_time() + seconds

    def read(self, size: int | None = -1, /) -> bytes:
        if time.thread_time() > self._deadline:
            raise DecodeTimeout(self._message)
        return super().read(size)


_MOST_WARNINGS = 4
_quiet_lock = threading.Lock()
_quiet_users = 0
_quiet_filters: warnings.catch_warnings[None] | None = None
_heard = threading.local()


@contextmanager
def _quiet() -> Iterator[list[str]]:
    """Collect the warnings that Pillow gives in this thread instead of showing them.

    ``warnings.catch_warnings`` alone is not safe with threads, so that the filter for Pillow's
    modules is shared and counted, and what it catches is handed to the thread that caused it.
    """
    global _quiet_users, _quiet_filters
    messages: list[str] = []
    outer = getattr(_heard, "messages", None)
    _heard.messages = messages
    with _quiet_lock:
        _quiet_users += 1
        if _quiet_users == 1:
            _quiet_filters = warnings.catch_warnings()
            _quiet_filters.__enter__()
            warnings.filterwarnings("always", module=r"PIL\.")
            shown = warnings.showwarning

            def show(message: Any, *args: Any, **kwargs: Any) -> None:
                heard = getattr(_heard, "messages", None)
                if heard is None:
                    shown(message, *args, **kwargs)
                elif len(heard) < _MOST_WARNINGS:
                    heard.append(" ".join(str(message).split())[:200])

            warnings.showwarning = show
    try:
        yield messages
    finally:
        _heard.messages = outer
        with _quiet_lock:
            _quiet_users -= 1
            if _quiet_users == 0 and _quiet_filters is not None:
                _quiet_filters.__exit__(None, None, None)
                _quiet_filters = None


@contextmanager
def own_errors(name: str) -> Iterator[list[str]]:
    """Nothing but errors of our tree leaves; yields the list of Pillow's warnings."""
    try:
        with _quiet() as messages:
            yield messages
    except OriginLensError:
        raise
    except MemoryError as error:
        raise ImageTooLarge(f"{name}: not enough memory to decode it") from error
    except Exception as error:  # decoders raise anything on hostile bytes
        if type(error).__name__ == "DecompressionBombError":
            raise ImageTooLarge(f"{name}: {error}") from error
        # Pillow names the stream's address where it cannot read a header.
        unknown = type(error).__name__ == "UnidentifiedImageError"
        reason = "its header is broken" if unknown else " ".join(str(error).split())[:200]
        reason = reason or type(error).__name__
        raise CorruptImage(f"{name}: cannot be decoded: {reason}; get an intact copy") from error


def read_header(data: bytes, name: str, limits: Limits) -> Header:
    """Judge a file by its first bytes and header, without decoding pixels.

    Raises:
        UnsupportedFormat: in no listed format (or HEIC without the extra).
        CorruptImage: the header cannot be read.
        ImageTooLarge: more pixels, bytes or scans than the limits allow.
    """
    if len(data) > limits.bytes:
        raise ImageTooLarge(f"{name}: {len(data)} bytes exceed the limit of {limits.bytes} bytes")
    with own_errors(name) as messages:
        check_bytes(data, sniff(data) or "", name, limits)
        picture = _open(data, name, limits)
        width, height = picture.size
        check_pixels(width, height, name, limits)
        orientation = _orientation(picture, data)
        # Pillow turns TIFFs itself and reports the turned size.
        if picture.format == "TIFF" and orientation > 4:
            width, height = height, width
        profile = picture.info.get("icc_profile")
        notes = [*_frame_notes(picture), *dict.fromkeys(messages)]
        kind = "HEIC" if picture.format == "HEIF" else str(picture.format)
        return Header(
            kind, picture.mode, (width, height), orientation,
            profile if isinstance(profile, bytes) and profile else None, tuple(notes),
        )  # fmt: skip


def _open(data: bytes, name: str, limits: Limits) -> ImageFile:
    kind = sniff(data)
    if kind is None:
        raise UnsupportedFormat(f"{name}: {describe_unlisted(data)}; read are {LISTED}")
    stream = _Stream(data, name, limits.seconds)
    if kind == "HEIC":
        return _open_heic(stream, name)
    from PIL import Image as Pillow

    return Pillow.open(stream, formats=(kind,))


def _open_heic(stream: io.BytesIO, name: str) -> ImageFile:
    try:
        from pi_heif import HeifImageFile
    except ImportError as error:
        raise UnsupportedFormat(
            f"{name}: reading HEIC needs an extra: pip install 'originlens[heic]'"
        ) from error
    return HeifImageFile(stream)  # type: ignore[no-any-return]


def _exif(picture: ImageFile, data: bytes) -> Exif:
    from PIL import Image as Pillow

    if picture.format == "PNG":
        # Pillow decodes a whole PNG to look for EXIF behind its pixels: only where some may be.
        keys = (b"eXIf", b"XML:com.adobe.xmp", b"Raw profile type exif")
        if not any(data.rfind(key) > data.find(b"IDAT") for key in keys):
            return Pillow.Image.getexif(picture)
    return picture.getexif()


def _orientation(picture: ImageFile, data: bytes) -> int:
    """EXIF (or XMP) orientation 1..8; 1 where there is none or it is not a valid value."""
    try:
        value = int(_exif(picture, data).get(_ORIENTATION, 1))
    except OriginLensError:
        raise
    except Exception:  # noqa: BLE001  broken EXIF never makes a picture unreadable
        return 1
    return value if value in range(1, 9) else 1


def _frame_notes(picture: ImageFile) -> list[str]:
    try:
        if getattr(picture, "is_animated", False):
            return ["several frames or pages: only the first is examined"]
    except OriginLensError:
        raise
    except Exception:  # noqa: BLE001  a broken later frame does not spoil the first
        return ["frames after the first are broken and were not examined"]
    return []


def scale_for(header: Header, short_side: int | None) -> int:
    """The DCT scale (1, 2, 4 or 8) whose short side is still >= ``short_side``; 1 for None."""
    if short_side is None or header.format not in ("JPEG", "MPO"):
        return 1
    ratio = min(header.size) // max(1, short_side)
    return next(scale for scale in (8, 4, 2, 1) if ratio >= scale or scale == 1)


def load(data: bytes, name: str, limits: Limits, scale: int) -> tuple[ImageFile, list[str]]:
    """Decode the first frame: (Pillow picture in its own mode, what Pillow warned of).

    ``scale`` > 1 decodes a JPEG at 1/scale by DCT scaling; from 4 on a progressive one without the
    scans that only refine. The orientation is not applied, except in TIFFs, which Pillow turns
    itself.

    Raises:
        CorruptImage, ImageTooLarge, DecodeTimeout.
    """
    with own_errors(name) as messages:
        picture = _open(data, name, limits)
        width, height = picture.size
        if scale >= 4 and picture.format == "JPEG" and picture.info.get("progressive"):
            picture = _open(without_refinements(data), name, limits)
        if scale > 1:
            picture.draft(None, (width // scale, height // scale))
        expected = (-(-width // scale), -(-height // scale))
        picture.load()
        if picture.size != expected:
            raise CorruptImage(f"{name}: {picture.size} pixels decoded, {expected} announced")
        return picture, [*_missing_part(picture), *dict.fromkeys(messages)]


def _missing_part(picture: ImageFile) -> list[str]:
    """A note where a JPEG ends early although it has an end marker.

    libjpeg fills blocks without data with exact mid-grey and Pillow does not tell.
    """
    width, height = picture.size
    if picture.format not in ("JPEG", "MPO") or picture.mode not in ("RGB", "L") or height < 17:
        return []
    low = picture.crop((0, height - 8, width, height)).getextrema()
    ranges = [low] if picture.mode == "L" else low
    is_grey = all(band == (128, 128) for band in ranges)
    return ["the lower part is plain grey: the file may be incomplete"] if is_grey else []


@contextmanager
def opened(data: bytes, name: str, limits: Limits) -> Iterator[tuple[ImageFile, Exif]]:
    """The picture with its header read, and its EXIF (empty where unreadable)."""
    from PIL import Image as Pillow

    with own_errors(name):
        picture = _open(data, name, limits)
        try:
            exif = _exif(picture, data)
        except OriginLensError:
            raise
        except Exception:  # noqa: BLE001  broken EXIF is as good as none
            exif = Pillow.Exif()
        yield picture, exif
