"""A picture, decoded once and safely.

The only place in OriginLens that decodes pictures. Every input is hostile.
"""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core.errors import CorruptImage, ReadError

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Limits:
    """What a decode may cost: pixels, file bytes, frames, seconds."""

    pixels: int = 40_000_000
    bytes: int = 512 * 1024 * 1024
    frames: int = 1
    seconds: float = 20.0


DEFAULT_LIMITS = Limits()


class Image:
    """A picture: original bytes and lazily decoded pixels. Immutable.

    ``width`` and ``height`` are those of the full-size, EXIF-oriented picture.
    """

    def __init__(self, data: bytes, *, path: str | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
        self.path = path
        self.limits = limits
        self._data = data
        self._open()

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS) -> Image:
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise ReadError(f"{path}: cannot be read: {error.strerror}") from error
        return cls(data, path=os.fspath(path), limits=limits)

    @classmethod
    def from_array(cls, pixels: Pixels, *, path: str | None = None) -> Image:
        """A picture made of ``(H, W, 3) uint8`` sRGB pixels; its bytes are a PNG made on demand."""
        self = cls.__new__(cls)
        self.path, self.limits, self._data = path, DEFAULT_LIMITS, None
        self.format, self.orientation, self.notes = "PNG", 1, ()
        self.height, self.width = pixels.shape[:2]
        self.__dict__["pixels"] = np.ascontiguousarray(pixels)
        return self

    def _open(self) -> None:
        from PIL import Image as Pillow

        try:
            with Pillow.open(io.BytesIO(self._data)) as picture:
                self.format = picture.format or "?"
                self.orientation = int(picture.getexif().get(274, 1) or 1)
                width, height = picture.size
        except Exception as error:
            raise CorruptImage(f"{self.path}: {error}") from error
        if self.orientation not in range(1, 9):
            self.orientation = 1
        self.width, self.height = (height, width) if self.orientation > 4 else (width, height)
        self.notes: tuple[str, ...] = ()

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

    @cached_property
    def pixels(self) -> Pixels:
        """(H, W, 3) uint8 sRGB, EXIF-oriented, full size, read-only."""
        return self._decode(None, managed=True, oriented=True)

    def reduced(self, short_side: int, *, managed: bool = True, oriented: bool = True) -> Pixels:
        """Pixels at a size not below ``short_side`` (unless the picture is smaller): (h, w, 3) uint8.

        A large JPEG is decoded at the smallest DCT scale (1/2, 1/4, 1/8) whose short side is still
        >= ``short_side``; anything else is decoded in full. No resampling beyond that. The frame
        relates to the full-size one by ``x_full = (x + 0.5) * width / w - 0.5``.
        ``managed=False`` leaves colours as stored (no ICC), ``oriented=False`` leaves the stored
        orientation: what hash exchanges compute on.
        """
        return self._decode(short_side, managed=managed, oriented=oriented)

    def _decode(self, short_side: int | None, *, managed: bool, oriented: bool) -> Pixels:
        from PIL import Image as Pillow
        from PIL import ImageOps

        if self._data is None:
            return self.pixels
        try:
            with Pillow.open(io.BytesIO(self._data)) as picture:
                if oriented:
                    ImageOps.exif_transpose(picture, in_place=True)
                return np.asarray(picture.convert("RGB"))
        except Exception as error:
            raise CorruptImage(f"{self.path}: {error}") from error

    @cached_property
    def pixel_hash(self) -> str:
        """Hex SHA-256 over size and full-size oriented pixels: equal for equal decoded pictures."""
        digest = hashlib.sha256(f"{self.width}x{self.height}:".encode())
        digest.update(np.ascontiguousarray(self.pixels).data)
        return digest.hexdigest()

    @cached_property
    def exif(self) -> dict[str, Any]:
        """EXIF tags by name (strings, numbers, lists); empty if none or unreadable."""
        return {}
