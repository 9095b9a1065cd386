"""What a file tells without a look at its pixels: format, coding, size, container parts."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from originlens.bench.protocols._container import container
from originlens.core.image import Image

#: A feature's value: a number, or a word of a category.
Value = float | str
Features = Mapping[str, Value]

#: A word seen in fewer files than this is "rare": it could only tell single files apart.
_FEWEST = 3
#: Words of a category that get a column of their own.
_MOST_WORDS = 30


def file_features(path: Path) -> dict[str, Value]:
    """The features of one file; pixels are not decoded.

    Raises:
        InputError: the file cannot be read or is no picture.
    """
    return features_of(Image.open(path))


def features_of(image: Image) -> dict[str, Value]:
    """The features of a picture's bytes."""
    data, jpeg = image.data, image.jpeg
    parts = container(data, image.format)
    pixels = image.width * image.height
    features: dict[str, Value] = {
        "format": image.format,
        "width": float(image.width),
        "height": float(image.height),
        "size": f"{image.width}x{image.height}",
        "aspect": image.width / image.height,
        "sides of whole 8x8 blocks": float(image.width % 8 == 0) + float(image.height % 8 == 0),
        "bytes per pixel": len(data) / pixels,
        "orientation": float(image.orientation),
        "bit depth": float(parts.bits),
        "colour mode": parts.colour,
        "EXIF tags": float(len(image.exif)),
        "container parts": " ".join(parts.parts),
    }
    features |= {f"part {name}": 1.0 for name in parts.parts}
    if jpeg is not None:
        tables = hashlib.sha256(b"".join(table.tobytes() for table in jpeg.tables))
        features |= {
            "JPEG quality": float(jpeg.quality),
            "JPEG tables": tables.hexdigest()[:8],
            "JPEG subsampling": jpeg.subsampling,
            "JPEG progressive": float(jpeg.progressive),
        }
    return features


@dataclass(frozen=True, slots=True)
class Column:
    """How a feature becomes numbers: a number as it is, a category by one column for each word."""

    name: str
    words: tuple[str, ...] | None

    def of(self, files: Sequence[Features]) -> npt.NDArray[np.float32]:
        """(N, K) float32 of N files; K = 1 for a number (absent: -1, or 0 for a part)."""
        values = [features.get(self.name) for features in files]
        if self.words is None:
            absent = 0.0 if self.name.startswith("part ") else -1.0
            numbers = [value if isinstance(value, float) else absent for value in values]
            return np.array(numbers, dtype=np.float32)[:, None]
        flags = [[str(value or "") == word for word in self.words] for value in values]
        return np.array(flags, dtype=np.float32).reshape(len(files), len(self.words))


def learned(files: Sequence[Features]) -> list[Column]:
    """The features of these files, with the words that are not rare among them."""
    names = dict.fromkeys(name for features in files for name in features)
    found = []
    for name in names:
        values = [features.get(name) for features in files]
        if any(isinstance(value, str) for value in values):
            counts = Counter(str(value or "") for value in values).most_common(_MOST_WORDS)
            found.append(Column(name, tuple(word for word, n in counts if n >= _FEWEST)))
        else:
            found.append(Column(name, None))
    return found


def columns(files: Sequence[Features]) -> dict[str, npt.NDArray[np.float32]]:
    """Each feature as (N, K) float32, see :class:`Column`; what never varies is left out."""
    found = {}
    for column in learned(files):
        matrix = column.of(files)
        varying = matrix[:, (matrix != matrix[:1]).any(axis=0)]
        if varying.shape[1]:
            found[column.name] = varying
    return found


def typical(values: Sequence[Value | None]) -> str:
    """The values of one class in words: the median of numbers, the commonest word and its share."""
    numbers = [value for value in values if isinstance(value, float)]
    if numbers and len(numbers) == len(values):
        return f"median {float(np.median(numbers)):.4g}"
    words = Counter("none" if value in (None, "") else str(value) for value in values)
    word, count = words.most_common(1)[0]
    return f"{word[:60]} {100 * count / len(values):.0f} %"
