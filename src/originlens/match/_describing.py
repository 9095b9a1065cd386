"""Describing files in worker processes, none of which can take the ingest down with it.

A worker is spawned, not forked (native libraries keep threads), and uses one thread each of ONNX
Runtime, OpenCV and BLAS: the processes are the parallelism. One that dies (a crash in native code,
the kernel's memory killer) costs only the file that it was reading: the files that were under way
are read again one by one, and the one that kills its worker a second time is reported.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType

from originlens.core.errors import InputError, InternalError, OriginLensError, WorkerDied
from originlens.core.image import Image
from originlens.match.describe import Description, describe

#: Files that go to a worker at once: enough to make one call of the network worth it.
BATCH = 8
#: Batches under way per worker: one being described, one waiting.
_AHEAD = 2
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Task:
    """A file to describe; ``explicit`` if the user named it."""

    path: str
    explicit: bool


@dataclass(frozen=True, slots=True)
class Described:
    """What became of a task: a description, or why there is none.

    ``size`` in bytes and ``mtime_ns`` are the file's before it was read; ``own_id`` is the EXIF
    field that was asked for, as text.
    """

    task: Task
    result: Description | OriginLensError
    size: int = 0
    mtime_ns: int = 0
    own_id: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """How to describe: whether to make proxies, and the EXIF field that holds the own id."""

    proxies: bool = True
    exif_field: str | None = None


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
    opened: list[tuple[int, int, int, str | None, dict[str, str]]] = []

    def pictures() -> Iterator[Image]:
        for place, task in enumerate(tasks):
            try:
                status = os.stat(task.path) if os.path.exists(task.path) else None
                image = Image.open(task.path)
                own_id = _exif_id(image, settings.exif_field)
                meta = image.embedded_metadata
            except InputError as error:
                done[place] = Described(task, error)
                continue
            size, mtime = (status.st_size, status.st_mtime_ns) if status else (len(image.data), 0)
            opened.append((place, size, mtime, own_id, meta))
            yield image

    results = describe(pictures(), proxies=settings.proxies, threads=1)
    for (place, size, mtime, own_id, meta), result in zip(opened, results, strict=True):
        if isinstance(result, Description):
            result.meta.update({k: v for k, v in meta.items() if k not in result.meta})
        done[place] = Described(tasks[place], result, size, mtime, own_id)
    return [done[place] for place in range(len(tasks))]


def _exif_id(image: Image, field: str | None) -> str | None:
    if field is None:
        return None
    value = image.exif.get(field)
    if value is None or not str(value).strip():
        raise InputError(
            f"{image.path}: has no EXIF field {field!r} to take its id from; name another field, or "
            "leave --id-from out"
        )
    return str(value).strip()


def describe_in_processes(
    tasks: Iterable[Task], settings: Settings, workers: int
) -> Iterator[list[Described]]:
    """Describe files with ``workers`` processes; batches come as they are finished."""
    batches = _batches(tasks, BATCH)
    pool = _pool(workers)
    running: dict[Future[list[Described]], list[Task]] = {}
    try:
        while True:
            while len(running) < _AHEAD * workers and (batch := next(batches, None)):
                try:
                    running[_submit(pool, batch, settings)] = batch
                except BrokenProcessPool:
                    lost = [*running.values(), batch]
                    running.clear()
                    yield from _one_by_one(lost, settings)
                    pool = _renewed(pool, workers)
            if not running:
                return
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            lost = []
            for future in finished:
                batch = running.pop(future)
                try:
                    yield future.result()
                except BrokenProcessPool:
                    lost.append(batch)
            if lost:
                lost += list(running.values())
                running.clear()
                yield from _one_by_one(lost, settings)
                pool = _renewed(pool, workers)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _one_by_one(batches: Iterable[list[Task]], settings: Settings) -> Iterator[list[Described]]:
    """Read again, each file alone, what was under way when a worker died."""
    pool = _pool(1)
    try:
        for task in (task for batch in batches for task in batch):
            try:
                yield _submit(pool, [task], settings).result()
            except BrokenProcessPool:
                message = (
                    f"{task.path}: the process that read it died twice (out of memory, or a crash in "
                    "native code); leave this file out"
                )
                yield [Described(task, WorkerDied(message))]
                pool = _renewed(pool, 1)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _batches(tasks: Iterable[Task], size: int) -> Iterator[list[Task]]:
    batch: list[Task] = []
    for task in tasks:
        batch.append(task)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _pool(workers: int) -> ProcessPoolExecutor:
    from multiprocessing import get_context

    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))


def _renewed(pool: ProcessPoolExecutor, workers: int) -> ProcessPoolExecutor:
    pool.shutdown(wait=False, cancel_futures=True)
    return _pool(workers)


def _submit(
    pool: ProcessPoolExecutor, batch: list[Task], settings: Settings
) -> Future[list[Described]]:
    with _quiet_spawn():
        return pool.submit(describe_files, batch, settings)


@contextmanager
def _quiet_spawn() -> Iterator[None]:
    """Processes started within: single-threaded, deaf to Ctrl-C, and without the caller's script.

    Ctrl-C goes to the whole terminal group; only the parent shall answer it. The signal is blocked
    (a mask is inherited), not ignored, so that the parent gets it afterwards. The main module is
    hidden because a spawned process would import it again: a user's script without the
    ``__name__`` guard would then run a second time.
    """
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    main, masks = sys.modules.get("__main__"), hasattr(signal, "pthread_sigmask")
    old = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if masks else None
    sys.modules["__main__"] = ModuleType("__main__")
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
        if main is not None:
            sys.modules["__main__"] = main
        if old is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, old)
