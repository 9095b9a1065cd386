"""A copy of a data set in which the file says nothing about the class, by construction.

Sets of real and generated pictures mostly differ in format, quality and size (real: JPEG of many
sizes, generated: PNG of one), and detectors learn that (Grommelt et al. 2024, "Fake or JPEG?",
arXiv:2403.17608). Every picture, whatever its class, goes through the same steps:

1. decoded, upright, in sRGB, transparency on white; nothing else of the file is kept;
2. a square is cut out whose side is ``side`` x a factor drawn from ``shrink``, at a position drawn
   evenly over the picture, so that the phase of an earlier JPEG's 8 x 8 grid is even too;
3. scaled to ``side`` x ``side`` by one kernel (Lanczos, antialiased);
4. saved by one codec; JPEG at a quality drawn from ``quality`` with one chroma subsampling and the
   library's standard tables, baseline, without metadata.

Factors and qualities are not drawn one by one: within each class they are spread evenly over their
range in a random order, so that all classes have the same distribution, not only the same
expectation. A picture too small for the largest factor is left out whatever its own draw, as a
smaller upper factor for small pictures would tell sizes. New names tell nothing either.

What remains: traces of an earlier compression or resampling inside the pixels (weaker the larger
``shrink``), and bytes per pixel as far as the content itself is easier to code.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from originlens.bench.protocols.manifest import Manifest, Row
from originlens.bench.runner import Answer, Progress, as_they_come
from originlens.core.errors import InputError, ReadError, UsageError
from originlens.core.image import Image, Pixels

Codec = Literal["jpeg", "png", "webp"]

_SETTINGS = "settings.json"
#: The last is Pillow's number for the subsampling.
_SUBSAMPLING = {"4:4:4": 0, "4:2:2": 1, "4:2:0": 2}


@dataclass(frozen=True, slots=True)
class Recipe:
    """What every picture becomes.

    ``side`` in pixels; ``shrink`` (low, high) >= 1, the range of crop side / ``side``; ``quality``
    (low, high) in 1..100, whole numbers, both included (of no effect for PNG); ``subsampling``
    4:4:4, 4:2:2 or 4:2:0 (JPEG only).

    Raises:
        UsageError: a value outside its range.
    """

    side: int = 128
    shrink: tuple[float, float] = (1.25, 2.0)
    codec: Codec = "jpeg"
    quality: tuple[int, int] = (75, 95)
    subsampling: str = "4:2:0"

    def __post_init__(self) -> None:
        if self.side < 8:
            raise UsageError(f"side {self.side} is too small: use 8 or more")
        if not 1 <= self.shrink[0] <= self.shrink[1]:
            raise UsageError(f"shrink {self.shrink} is no range from 1 on: nothing is enlarged")
        if not 1 <= self.quality[0] <= self.quality[1] <= 100:
            raise UsageError(f"quality {self.quality} is no range within 1..100")
        if self.codec not in ("jpeg", "png", "webp"):
            raise UsageError(f"codec {self.codec!r}: use jpeg, png or webp")
        if self.subsampling not in _SUBSAMPLING:
            raise UsageError(f"subsampling {self.subsampling!r}: use {', '.join(_SUBSAMPLING)}")

    @property
    def smallest(self) -> int:
        """The short side that a picture needs."""
        return round(self.side * self.shrink[1])


@dataclass(frozen=True, slots=True)
class Equalised:
    """The manifest of the copy, and the rows left out with the reason of each."""

    manifest: Manifest
    failed: tuple[tuple[Row, InputError], ...]


@dataclass(frozen=True, slots=True)
class _Draw:
    factor: float
    quality: int
    x: float
    y: float


def equalise(
    manifest: Manifest,
    folder: str | os.PathLike[str],
    recipe: Recipe = Recipe(),
    *,
    seed: int = 0,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Equalised:
    """Write the equalised copy into a folder: ``pictures/``, ``manifest.csv``, ``masks/``.

    The same manifest, recipe and seed give the same files. A run that was stopped is continued:
    files that are there are whole (written aside, then renamed) and are not made again. Pictures
    that cannot be read or are too small stand in ``failed.csv``, their rows with a column
    ``error``. The new manifest keeps all columns and adds ``original``, the old path.

    Args:
        manifest: the set.
        folder: an empty one, or that of the run to continue.
        recipe: what every picture becomes.
        seed: of the draws.
        jobs: processes; 1 works in this one.
        progress: called with (pictures done, of how many).

    Raises:
        UsageError: the manifest has no rows, or the folder holds a copy of another manifest, recipe
            or seed.
        ReadError: none of the pictures is there, or the folder cannot be written.
    """
    target = Path(folder)
    _check(manifest)
    draws = _draws(manifest, recipe, seed)
    told = progress or (lambda *_: None)
    try:
        _claim(target, manifest, recipe, seed)
        copier = _Copier(Manifest((), manifest.root), recipe, target)
        asked = [(str(i), pair) for i, pair in enumerate(zip(manifest.rows, draws, strict=True))]
        made: dict[int, Answer] = {}
        told(0, len(asked))
        for key, answer in as_they_come(copier, asked, jobs):
            made[int(key)] = answer
            told(len(made), len(asked))
        results = [made[i] for i in range(len(asked))]
        kept = [answer["row"] for answer in results if answer["error"] is None]
        failed = [
            (row, answer["error"])
            for row, answer in zip(manifest.rows, results, strict=True)
            if answer["error"] is not None
        ]
        result = Manifest(tuple(kept), target)
        result.write(target / "manifest.csv")
        _report(manifest, failed, target)
    except OSError as error:
        raise ReadError(f"{target}: cannot be written: {error.strerror or error}") from error
    return Equalised(result, tuple(failed))


@dataclass(frozen=True, slots=True)
class _Copier:
    """Copies one row: a worker of the runner. ``manifest`` tells only where files lie."""

    manifest: Manifest
    recipe: Recipe
    target: Path

    def answer(self, question: tuple[Row, _Draw]) -> Answer:
        """``{"row", "error"}``: the new row, or why there is none."""
        try:
            row = _copy(self.manifest, *question, self.recipe, self.target)
        except InputError as error:
            return {"row": None, "error": error}
        return {"row": row, "error": None}


def _check(manifest: Manifest) -> None:
    """Refuse, before anything is written, what can only give an empty copy."""
    if not manifest.rows:
        raise UsageError("the manifest has no rows: there is nothing to copy")
    if not any(manifest.file(row).exists() for row in manifest.rows):
        raise ReadError(
            f"none of the {len(manifest)} pictures is there, first: "
            f"{manifest.file(manifest.rows[0])}: paths are relative to the manifest's folder"
        )


def _draws(manifest: Manifest, recipe: Recipe, seed: int) -> list[_Draw]:
    """The parameters of each row, spread evenly within its class."""
    draws: list[_Draw | None] = [None] * len(manifest)
    classes: dict[str, list[int]] = {}
    for index, row in enumerate(manifest.rows):
        classes.setdefault(row.label, []).append(index)
    for label, members in sorted(classes.items()):
        rng = np.random.default_rng([seed, *hashlib.sha256(label.encode()).digest()[:8]])
        factors = _spread(len(members), *recipe.shrink, rng)
        low, high = recipe.quality
        qualities = np.minimum(_spread(len(members), low, high + 1, rng).astype(int), high)
        places = rng.random((len(members), 2))
        for index, f, q, (x, y) in zip(members, factors, qualities, places, strict=True):
            draws[index] = _Draw(float(f), int(q), float(x), float(y))
    return [draw for draw in draws if draw is not None]


def _spread(
    count: int, low: float, high: float, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """(count,) values, one in each of ``count`` equal parts of [low, high], in random order."""
    return low + (high - low) * (rng.permutation(count) + rng.random(count)) / max(count, 1)


def _claim(target: Path, manifest: Manifest, recipe: Recipe, seed: int) -> None:
    """Make the folder this run's own, or refuse one that belongs to another."""
    digest = hashlib.sha256()
    for row in manifest.rows:
        digest.update(f"{row.path}\0{row.label}\0{row.mask}\n".encode("utf-8", "surrogateescape"))
    settings = {"recipe": asdict(recipe), "seed": seed, "rows": digest.hexdigest()}
    text = json.dumps(settings, indent=1, sort_keys=True)
    path = target / _SETTINGS
    if path.is_file():
        if path.read_text(encoding="utf-8") != text:
            raise UsageError(
                f"{target}: holds a copy with another manifest, recipe or seed: "
                "name an empty folder"
            )
        return
    if target.is_dir() and any(target.iterdir()):
        raise UsageError(f"{target}: is not empty: name an empty folder")
    for name in ("pictures", *(["masks"] if any(row.mask for row in manifest.rows) else ())):
        (target / name).mkdir(parents=True, exist_ok=True)
    _write(path, text.encode())


def _copy(manifest: Manifest, row: Row, draw: _Draw, recipe: Recipe, target: Path) -> Row:
    # Neither the old name nor the place in the list may tell the class.
    name = hashlib.sha256(row.path.encode("utf-8", "surrogateescape")).hexdigest()[:24]
    picture = target / "pictures" / f"{name}.{_suffix(recipe.codec)}"
    mask = target / "masks" / f"{name}.png" if row.mask else None
    if not picture.is_file() or (mask is not None and not mask.is_file()):
        pixels = Image.open(manifest.file(row)).pixels
        height, width = pixels.shape[:2]
        if min(height, width) < recipe.smallest:
            raise InputError(
                f"{row.path}: {width} x {height} pixels are fewer than the recipe's "
                f"{recipe.smallest}: use a smaller side or shrink for all"
            )
        if mask is not None:
            _write(mask, _masked(manifest, row, draw, recipe, (height, width)))
        # The picture last: where it is, its mask is too.
        _write(picture, _encoded(_scaled(pixels, draw, recipe), draw.quality, recipe))
    return replace(
        row,
        path=picture.relative_to(target).as_posix(),
        mask="" if mask is None else mask.relative_to(target).as_posix(),
        extra={**row.extra, "original": row.path},
    )


def _suffix(codec: Codec) -> str:
    return "jpg" if codec == "jpeg" else codec


def _box(size: tuple[int, int], draw: _Draw, recipe: Recipe) -> tuple[int, int, int]:
    """(left, top, side) of the square to cut from a (height, width) picture."""
    side = min(round(recipe.side * draw.factor), *size)
    left = min(int(draw.x * (size[1] - side + 1)), size[1] - side)
    top = min(int(draw.y * (size[0] - side + 1)), size[0] - side)
    return left, top, side


def _scaled(pixels: Pixels, draw: _Draw, recipe: Recipe) -> Any:
    from PIL import Image as Pillow

    left, top, side = _box((pixels.shape[0], pixels.shape[1]), draw, recipe)
    cut = Pillow.fromarray(np.ascontiguousarray(pixels[top : top + side, left : left + side]))
    return cut.resize((recipe.side, recipe.side), Pillow.Resampling.LANCZOS)


def _masked(
    manifest: Manifest, row: Row, draw: _Draw, recipe: Recipe, size: tuple[int, int]
) -> bytes:
    from PIL import Image as Pillow

    flags = manifest.mask(row)
    if flags is None or flags.shape != size:
        raise InputError(f"{row.mask}: the mask has not the size of {row.path}")
    left, top, side = _box(size, draw, recipe)
    cut = flags[top : top + side, left : left + side].astype(np.uint8) * 255
    scaled = Pillow.fromarray(cut).resize((recipe.side, recipe.side), Pillow.Resampling.BOX)
    out = io.BytesIO()
    scaled.point(lambda level: 255 if level > 127 else 0).save(out, "PNG")
    return out.getvalue()


def _encoded(picture: Any, quality: int, recipe: Recipe) -> bytes:
    out = io.BytesIO()
    if recipe.codec == "jpeg":
        chroma = _SUBSAMPLING[recipe.subsampling]
        picture.save(out, "JPEG", quality=quality, subsampling=chroma)
    elif recipe.codec == "webp":
        picture.save(out, "WEBP", quality=quality)
    else:
        picture.save(out, "PNG")
    return out.getvalue()


def _write(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(data)
    os.replace(partial, path)


def _report(manifest: Manifest, failed: Sequence[tuple[Row, InputError]], target: Path) -> None:
    path = target / "failed.csv"
    if not failed:
        path.unlink(missing_ok=True)
        return
    rows = tuple(replace(row, extra={**row.extra, "error": str(error)}) for row, error in failed)
    Manifest(rows, manifest.root).write(path)
