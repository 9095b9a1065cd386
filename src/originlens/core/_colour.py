"""From any mode that a decoder gives to sRGB pixels, in bands so that memory stays flat.

Transparent pixels are shown on white, as a page shows them. Deep greys are scaled to 8 bits by
the range of their format, never clipped. Colour profiles go to sRGB with the perceptual intent;
a profile that moves no colour of a 9x9x9 lattice by more than 2/255 is taken as sRGB and skipped.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

Pixels = npt.NDArray[np.uint8]

#: A band's copies stay in the processor's cache; much larger ones cost twice the time.
_BAND_PIXELS = 400_000
_LARGEST_PROFILE = 4 * 1024 * 1024
_DEEP_MODES = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
_ALPHA_MODES = ("RGBA", "LA", "PA", "La", "RGBa")
#: Colour space signature of an ICC profile header -> the Pillow mode it applies to.
_PROFILE_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}


def to_srgb(picture: Picture, profile: bytes | None, notes: list[str]) -> Pixels:
    """The picture's pixels as (H, W, 3) uint8.

    ``profile`` is the ICC profile to honour, None to leave colours as stored. What had to be
    decided on the way is appended to ``notes``.
    """
    to_base = _base_converter(picture, notes)
    has_alpha = picture.mode in _ALPHA_MODES or "transparency" in picture.info
    width, height = picture.size
    rows = max(1, _BAND_PIXELS // max(1, width))
    out: Pixels = np.empty((height, width, 3), np.uint8)  # every row is written below
    transparent = False
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        whole = top == 0 and bottom == height
        band = to_base(picture if whole else picture.crop((0, top, width, bottom)))
        band = _managed(band, profile, notes)
        if has_alpha and band.mode == "RGBA":
            band, seen = _on_white(band)
            transparent |= seen
        out[top:bottom] = np.asarray(band)
    if transparent:
        _say(notes, "transparent pixels are shown on white")
    return out


def _say(notes: list[str], note: str) -> None:
    if note not in notes:
        notes.append(note)


def _base_converter(picture: Picture, notes: list[str]) -> Callable[[Picture], Picture]:
    """A function from a band of this picture to mode L, RGB, RGBA or CMYK."""
    mode = picture.mode
    if mode in _DEEP_MODES:
        return _deep_converter(picture, notes)
    if mode == "LAB":
        return _apply(_lab_transform())
    if mode in _ALPHA_MODES or "transparency" in picture.info:
        return lambda band: band if band.mode == "RGBA" else band.convert("RGBA")
    if mode == "1":
        return lambda band: band.convert("L")
    if mode in ("L", "RGB", "CMYK"):
        return lambda band: band
    return lambda band: band.convert("RGB")


def _deep_converter(picture: Picture, notes: list[str]) -> Callable[[Picture], Picture]:
    """16-bit, 32-bit and float greys to L.

    16-bit samples are scaled by their stated depth. 32-bit and float samples state no range: the
    smallest of [0, 1] (float only), [0, 255], [0, 65535] and [0, 2^32 - 1] that holds all of them
    is taken; samples outside all of these are stretched from their smallest to their largest.
    """
    from PIL import Image as Pillow

    low, high = 0.0, 65535.0
    if picture.mode in ("I", "F"):
        low, high = _range(picture)
        _say(notes, f"samples of mode {picture.mode} scaled to 8 bits from [{low:g}, {high:g}]")
    else:
        high = float((1 << _stated_bits(picture)) - 1)
        _say(notes, "16-bit samples scaled to 8 bits")

    def convert(band: Picture) -> Picture:
        # The dtype of big-endian modes is big-endian; arithmetic brings it home.
        values = np.asarray(band).astype(np.float32)
        with np.errstate(invalid="ignore", over="ignore"):
            values = (values - np.float32(low)) * np.float32(255.0 / (high - low))
        values = np.nan_to_num(values, nan=0.0, posinf=255.0, neginf=0.0)
        return Pillow.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))

    return convert


def _stated_bits(picture: Picture) -> int:
    """Bits per sample that a TIFF states (12-bit samples are not stretched to 16); else 16."""
    bits = getattr(picture, "tag_v2", {}).get(258, (16,))
    first = bits[0] if isinstance(bits, tuple) and bits else bits
    return int(first) if isinstance(first, int) and 9 <= first <= 16 else 16


def _range(picture: Picture) -> tuple[float, float]:
    low, high = np.inf, -np.inf
    width, height = picture.size
    rows = max(1, _BAND_PIXELS // max(1, width))
    for top in range(0, height, rows):
        values = np.asarray(picture.crop((0, top, width, min(height, top + rows))))
        values = values[np.isfinite(values)]
        if values.size:
            low, high = min(low, float(values.min())), max(high, float(values.max()))
    if not np.isfinite(low) or high == low == 0:
        return 0.0, 1.0
    scales = (1.0, 255.0, 65535.0, 2.0**32 - 1)[0 if picture.mode == "F" else 1 :]
    fitting = [top for top in scales if low >= 0 and high <= top]
    if fitting:
        return 0.0, fitting[0]
    return (low, high) if high > low else (low, low + 1.0)


def _on_white(band: Picture) -> tuple[Picture, bool]:
    from PIL import Image as Pillow

    alpha = band.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return band.convert("RGB"), False
    white = Pillow.new("RGB", band.size, (255, 255, 255))
    white.paste(band.convert("RGB"), mask=alpha)
    return white, True


def _managed(band: Picture, profile: bytes | None, notes: list[str]) -> Picture:
    """The band in sRGB: mode RGB, or RGBA where it has alpha."""
    plain = "RGBA" if band.mode == "RGBA" else "RGB"
    if profile is not None:
        try:
            space = profile_mode(profile)
            if space == "RGB" and band.mode == "L":
                band = band.convert("RGB")
            if space == band.mode or (space == "RGB" and band.mode == "RGBA"):
                transform = _transform(profile, band.mode)
                if transform is not None:
                    band = _apply(transform)(band)
            else:
                _say(notes, f"colour profile for {space} ignored: the pixels are {band.mode}")
        except Exception as error:  # noqa: BLE001  whatever a broken profile does, the picture stays
            _say(notes, f"broken colour profile ignored: {_reason(error)}")
    return band if band.mode == plain else band.convert(plain)


def _reason(error: Exception) -> str:
    return str(error).split("\n")[0][:120] or type(error).__name__


def is_srgb(profile: bytes) -> bool:
    """Whether honouring the profile would change nothing in an RGB picture (or is impossible)."""
    try:
        return profile_mode(profile) == "RGB" and _transform(profile, "RGB") is None
    except Exception:  # noqa: BLE001  a broken profile is reported when pixels are converted
        return False


@lru_cache(maxsize=16)
def profile_mode(profile: bytes) -> str:
    """The Pillow mode that an ICC profile applies to: RGB, L, CMYK or LAB.

    Raises:
        ValueError: too large, or for another kind of colour.
        OSError: not a profile.
    """
    if len(profile) > _LARGEST_PROFILE:
        raise ValueError(f"{len(profile)} bytes are too many for a profile")
    # ICC.1:2010 section 7.2: bytes 16-19 name the colour space, 36-39 are the signature.
    space = profile[16:20].decode("latin-1").strip()
    if profile[36:40] != b"acsp" or space not in _PROFILE_MODES:
        raise ValueError(f"no usable profile header (colour space {space!r})")
    return _PROFILE_MODES[space]


@lru_cache(maxsize=1)
def _srgb_profile() -> Any:
    from PIL import ImageCms

    return ImageCms.createProfile("sRGB")


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> Any:
    """A transform from ``mode`` under ``profile`` to sRGB; None where it would change nothing."""
    from PIL import ImageCms

    source = ImageCms.getOpenProfile(io.BytesIO(profile))
    out_mode = "RGBA" if mode == "RGBA" else "RGB"
    transform = ImageCms.buildTransform(source, _srgb_profile(), mode, out_mode)
    return None if mode in ("RGB", "RGBA") and _changes_nothing(transform, mode) else transform


@lru_cache(maxsize=1)
def _lab_transform() -> Any:
    from PIL import ImageCms

    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), _srgb_profile(), "LAB", "RGB")


def _changes_nothing(transform: Any, mode: str) -> bool:
    from PIL import Image as Pillow

    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    lattice = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(27, 27, 3)
    before = Pillow.fromarray(lattice).convert(mode)
    after = np.asarray(_apply(transform)(before))[..., :3]
    return int(np.abs(after.astype(np.int16) - lattice).max()) <= 2


def _apply(transform: Any) -> Callable[[Picture], Picture]:
    from PIL import ImageCms

    def apply(band: Picture) -> Picture:
        converted = ImageCms.applyTransform(band, transform)
        if converted is None:
            raise ValueError("the colour engine returned nothing")
        return converted

    return apply
