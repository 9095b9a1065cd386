"""Toy sets: textures written as files, the classes alike in content."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow

from originlens.bench.protocols.manifest import Manifest, Row

Save = Callable[[Any, Path], Path]


def texture(rng: np.random.Generator, width: int = 64, height: int = 64) -> Any:
    """A colourful smooth picture with some grain."""
    small = Pillow.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
    smooth = np.asarray(small.resize((width, height), Pillow.Resampling.BICUBIC), dtype=float)
    noisy = smooth + rng.normal(0, 4, smooth.shape)
    return Pillow.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def png(picture: Any, stem: Path) -> Path:
    picture.save(stem.with_suffix(".png"))
    return stem.with_suffix(".png")


def jpeg(picture: Any, stem: Path, quality: int = 85) -> Path:
    picture.save(stem.with_suffix(".jpg"), quality=quality)
    return stem.with_suffix(".jpg")


def toy(
    folder: Path,
    rng: np.random.Generator,
    save: dict[str, Save],
    count: int = 40,
    size: tuple[int, int] = (64, 64),
) -> Manifest:
    """``count`` pictures of each class, each written as its class is."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for label, writer in save.items():
        for number in range(count):
            path = writer(texture(rng, *size), folder / f"{label}-{number:03d}")
            rows.append(Row(path.name, label))
    return Manifest(tuple(rows), folder)


def bmp(picture: Any, stem: Path) -> Path:
    """Equal bytes for equal sizes, whatever is shown."""
    picture.save(stem.with_suffix(".bmp"))
    return stem.with_suffix(".bmp")


def bright_corner(picture: Any, stem: Path) -> Path:
    """The same with a white square in the upper left corner."""
    pixels = np.array(picture)
    pixels[: pixels.shape[0] // 3, : pixels.shape[1] // 3] = 255
    return bmp(Pillow.fromarray(pixels), stem)
