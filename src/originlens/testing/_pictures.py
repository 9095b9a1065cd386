"""Pictures that conformance checks use, and what the checks of every kind share."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core.image import Image, Pixels
from originlens.core.registry import Method

Checks = dict[str, Callable[[Method], None]]


def awkward_images() -> dict[str, Image]:
    """Pictures that methods tend to trip over, by name; made anew by each call."""
    return {name: Image(data) for name, data in awkward_files().items()}


def textured_image(seed: int = 0, height: int = 240, width: int = 320) -> Image:
    """A picture with structure at every scale, unlike that of any other seed."""
    return Image.from_array(_texture(seed, height, width))


@lru_cache(maxsize=1)
def awkward_files() -> dict[str, bytes]:
    """The files of :func:`awkward_images`."""
    from PIL import Image as Pillow

    rng = np.random.default_rng(7)
    texture = _texture(1, 96, 128)
    alpha = np.dstack([texture, rng.integers(0, 256, (96, 128), dtype=np.uint8)])
    deep = rng.integers(0, 65536, (64, 48), dtype=np.uint16)
    arrays: dict[str, npt.NDArray[Any]] = {
        "1x1": rng.integers(0, 256, (1, 1, 3), dtype=np.uint8),
        "2x2": rng.integers(0, 256, (2, 2, 3), dtype=np.uint8),
        "8x8": rng.integers(0, 256, (8, 8, 3), dtype=np.uint8),
        "wide": rng.integers(0, 256, (2, 3000, 3), dtype=np.uint8),
        "tall": rng.integers(0, 256, (3000, 2, 3), dtype=np.uint8),
        "black": np.zeros((70, 90, 3), np.uint8),
        "white": np.full((65, 33, 3), 255, np.uint8),
        "noise": rng.integers(0, 256, (97, 101, 3), dtype=np.uint8),
        "grey": texture[..., 0],
        "rgba": alpha,
        "16-bit": deep,
        "texture": texture,
    }
    files = {}
    for name, array in arrays.items():
        buffer = io.BytesIO()
        Pillow.fromarray(array).save(buffer, "PNG")
        files[name] = buffer.getvalue()
    buffer = io.BytesIO()
    exif = Pillow.Exif()
    exif[0x0112] = 6
    Pillow.fromarray(texture).save(buffer, "JPEG", quality=85, exif=exif)
    files["turned-jpeg"] = buffer.getvalue()
    return files


def _texture(seed: int, height: int, width: int) -> Pixels:
    """Noise summed over octaves, which local features and frequency methods both can use."""
    import cv2

    rng = np.random.default_rng([20240229, seed])
    total = np.zeros((height, width, 3), np.float32)
    for octave in range(1, 7):
        cells = (max(1, height >> octave), max(1, width >> octave))
        layer = rng.standard_normal((*cells, 3)).astype(np.float32)
        total += cv2.resize(layer, (width, height), interpolation=cv2.INTER_LINEAR) * 2**octave
    low, high = np.quantile(total, [0.01, 0.99])
    return np.clip((total - low) / (high - low) * 255, 0, 255).astype(np.uint8)


def require(condition: object, message: str) -> None:
    """Raise AssertionError with the message unless the condition holds."""
    if not condition:
        raise AssertionError(message)


def make(method: Method) -> Any:
    """An instance with default options."""
    return method.cls()


class Untouched:
    """Context that checks that the pictures' pixels and bytes are the same afterwards."""

    def __init__(self, images: dict[str, Image]) -> None:
        self._images = images

    def __enter__(self) -> None:
        self._before = {n: (i.pixels.copy(), i.data) for n, i in self._images.items()}

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:
            return
        for name, image in self._images.items():
            pixels, data = self._before[name]
            same = np.array_equal(pixels, image.pixels) and data == image.data
            require(same, f"the input {name} was changed")
