"""What the FAISS-backed indexes share: files, selectors, leaving ids out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from originlens.core.processors import available_cpus

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

Rows = npt.NDArray[np.int64]
Search = Callable[[npt.NDArray[Any], int], tuple[npt.NDArray[Any], Rows]]
#: So many more than asked for are searched at first where some ids are left out.
_SPARE = 32
#: From so many queries on they are shared out among threads.
_MANY = 16


def library() -> Any:
    """FAISS, whose generated classes are beyond a type checker."""
    import faiss

    return faiss


@contextmanager
def one_thread() -> Iterator[None]:
    """FAISS within uses the calling thread only.

    A search takes a millisecond or less; handing parts of it to other threads costs that much on an
    idle machine, and on a busy one a hundred times more, because they wait for each other.
    """
    faiss = library()
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    """As many threads as CPUs, in each of which FAISS uses that thread only."""
    from concurrent.futures import ThreadPoolExecutor

    begin = library().omp_set_num_threads
    return ThreadPoolExecutor(available_cpus(), "faiss", initializer=begin, initargs=(1,))


def _shared_out(search: Search, queries: npt.NDArray[Any], k: int) -> tuple[npt.NDArray[Any], Rows]:
    """``search(queries, k)``, many queries in as many parts as there are CPUs.

    By threads of ours, since FAISS's own do not wait for work without burning the CPU.
    """
    if len(queries) < _MANY or available_cpus() == 1:
        with one_thread():
            return search(queries, k)
    parts = np.array_split(queries, available_cpus())
    scores, places = zip(*_pool().map(lambda part: search(part, k), parts), strict=True)
    return np.concatenate(scores), np.concatenate(places)


def write(index: Any, path: str, *, binary: bool = False) -> None:
    """Write an index through a Python file, which takes any file name."""
    faiss = library()
    with open(path, "wb") as file:
        writer = faiss.PyCallbackIOWriter(file.write)
        (faiss.write_index_binary if binary else faiss.write_index)(index, writer)


def read(path: str, *, mmap: bool) -> Any:
    """Read a float index; mapped into memory where the file's name and FAISS allow it."""
    faiss = library()
    if mmap and path.isascii():
        flags = faiss.IO_FLAG_MMAP | getattr(faiss, "IO_FLAG_MMAP_IFC", 0)
        try:
            return faiss.read_index(path, flags)
        except RuntimeError:
            pass  # this kind of index cannot be mapped by this release of FAISS
    with open(path, "rb") as file:
        return faiss.read_index(faiss.PyCallbackIOReader(file.read))


def read_binary(path: str) -> Any:
    """Read a binary index into memory (32 bytes an entry: small enough)."""
    faiss = library()
    with open(path, "rb") as file:
        return faiss.read_index_binary(faiss.PyCallbackIOReader(file.read))


def kept(ids: Rows, exclude: Rows | None, only: Rows | None) -> npt.NDArray[np.bool_] | None:
    """Which of the ascending ``ids`` may appear; None if all may."""
    keep: npt.NDArray[np.bool_] | None = None
    if only is not None:
        keep = np.isin(ids, only)
    if exclude is not None and len(exclude) and len(ids):
        # Tombstones are few: look them up among the ids, not the ids among them.
        first = np.searchsorted(ids, exclude, "left")
        last = np.searchsorted(ids, exclude, "right")
        if keep is None and (first < last).any():
            keep = np.ones(len(ids), dtype=bool)
        if keep is not None:
            for start, end in zip(first, last, strict=True):
                keep[start:end] = False
    return keep


def nothing(
    queries: int, k: int, pad: float, dtype: npt.DTypeLike
) -> tuple[Rows, npt.NDArray[Any]]:
    """The answer where no entry may appear."""
    return np.full((queries, k), -1, np.int64), np.full((queries, k), pad, dtype)


def padded(
    ids: Rows, scores: npt.NDArray[Any], k: int, pad: float
) -> tuple[Rows, npt.NDArray[Any]]:
    """(Q, k) from (Q, fewer): -1 and ``pad`` fill up."""
    missing = ((0, 0), (0, k - ids.shape[1]))
    return np.pad(ids, missing, constant_values=-1), np.pad(scores, missing, constant_values=pad)


def search_kept(
    search: Search,
    queries: npt.NDArray[Any],
    k: int,
    ids: Rows,
    keep: npt.NDArray[np.bool_] | None,
    pad: float,
) -> tuple[Rows, npt.NDArray[Any]]:
    """The nearest ``k`` that may appear, found by asking for more until they are enough.

    ``search(queries, k)`` gives scores and places among ``ids``. FAISS's own selectors take its
    indexes off their fast paths (or are not supported), and a few tombstones must not cost that.
    """
    count = len(ids)
    left = count if keep is None else int(keep.sum())
    size = min(k, left)
    if size == 0 or not len(queries):
        dtype = np.float32 if np.isinf(pad) else np.int32
        return nothing(len(queries), k, pad, dtype)
    wanted = size if keep is None else min(count, size * count // left + _SPARE)
    while True:
        scores, places = _shared_out(search, queries, wanted)
        good = places >= 0
        if keep is not None:
            good &= keep[places]
        if wanted == count or (good.sum(axis=1) >= size).all():
            break
        wanted = min(count, wanted * 4)
    order = np.argsort(~good, axis=1, kind="stable")[:, :size]
    places, scores = np.take_along_axis(places, order, 1), np.take_along_axis(scores, order, 1)
    good = np.take_along_axis(good, order, 1)
    found = np.where(good, ids[places], -1)
    return padded(found, np.where(good, scores, np.asarray(pad, scores.dtype)), k, pad)
