"""Describing a batch of files: what a worker process does, or this one for a few files."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from originlens.core.errors import InputError, InternalError, OriginLensError
from originlens.core.image import Image
from originlens.core.processors import one_blas_thread
from originlens.core.registry import DEFAULT_DESCRIPTOR
from originlens.match.describe import Description, describe

#: A file changed less than so long ago may change again within one tick of its clock: its time of
#: change is then not trusted, and the next run looks at its bytes.
_FRESH_NS = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Task:
    """A file to describe; ``explicit`` if the user named it.

    ``known`` is the SHA-256 of its bytes at the last visit; if it is still that, nothing is
    described.
    """

    path: str
    explicit: bool
    known: str | None = None


@dataclass(frozen=True, slots=True)
class Same:
    """The bytes are those of the last visit."""

    sha256: str


@dataclass(frozen=True, slots=True)
class Described:
    """What became of a task: a description, or why there is none.

    ``size`` in bytes and ``mtime_ns`` are the file's before it was read (None: not reliable);
    ``own_id`` is the EXIF field that was asked for, as text.
    """

    task: Task
    result: Description | Same | OriginLensError
    size: int | None = None
    mtime_ns: int | None = None
    own_id: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """How to describe: proxies, regions, the EXIF field that holds the own id, the descriptor."""

    proxies: bool = True
    regions: bool = False
    exif_field: str | None = None
    descriptor: str = DEFAULT_DESCRIPTOR


@one_blas_thread()
def describe_files(tasks: Sequence[Task], settings: Settings) -> list[Described]:
    """Describe a batch of files in this process; one entry per task, in order."""
    try:
        return _describe_batch(tasks, settings)
    except Exception as error:  # noqa: BLE001  whatever one file does, the others are described
        if len(tasks) > 1:
            return [d for task in tasks for d in describe_files([task], settings)]
        fault = InternalError(f"{tasks[0].path}: {type(error).__name__}: {error}")
        return [Described(tasks[0], fault)]


def _describe_batch(tasks: Sequence[Task], settings: Settings) -> list[Described]:
    done: dict[int, Described] = {}
    opened: list[tuple[int, Described, dict[str, str]]] = []

    def pictures() -> Iterator[Image]:
        for place, task in enumerate(tasks):
            size, mtime_ns = _visited(task.path)
            try:
                image = Image.open(task.path)
                own_id = _exif_id(image, settings.exif_field)
                if task.known == image.sha256:
                    done[place] = Described(task, Same(image.sha256), size, mtime_ns, own_id)
                    continue
                meta = image.embedded_metadata
            except InputError as error:
                done[place] = Described(task, error)
                continue
            empty = Described(task, Same(""), size, mtime_ns, own_id)
            opened.append((place, empty, meta))
            yield image

    results = describe(
        pictures(),
        proxies=settings.proxies,
        regions=settings.regions,
        descriptor=settings.descriptor,
        threads=1,
    )
    for (place, visit, meta), result in zip(opened, results, strict=True):
        if isinstance(result, Description):
            result = replace(result, meta={**meta, **result.meta})
        done[place] = replace(visit, result=result)
    return [done[place] for place in range(len(tasks))]


def _visited(path: str) -> tuple[int | None, int | None]:
    """Size and time of change before reading; the time is None if it is too fresh to rely on."""
    try:
        status = os.stat(path)
    except OSError:
        return None, None
    fresh = time.time_ns() - status.st_mtime_ns < _FRESH_NS
    return status.st_size, None if fresh else status.st_mtime_ns


def _exif_id(image: Image, field: str | None) -> str | None:
    if field is None:
        return None
    value = image.exif.get(field)
    if value is None or not str(value).strip():
        raise InputError(
            f"{image.path}: has no EXIF field {field!r} to take its id from; name another field, "
            "or leave --id-from out"
        )
    return str(value).strip()
