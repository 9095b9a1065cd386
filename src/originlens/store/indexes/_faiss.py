"""What the FAISS-backed indexes share: files, selectors, leaving ids out."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
#: Up to so many excluded ids are searched for and dropped; more are passed as a selector. FAISS
#: leaves its fast matrix path as soon as it gets one, so a few tombstones must not cost that.
OVERFETCH = 64


def library() -> Any:
    """FAISS, whose generated classes are beyond a type checker."""
    import faiss

    return faiss


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


def among(exclude: Rows | None, ids: Rows) -> Rows:
    """The sorted part of ``exclude`` that occurs in ``ids`` (ascending)."""
    if exclude is None or not len(exclude) or not len(ids):
        return np.empty(0, np.int64)
    at = np.minimum(np.searchsorted(ids, exclude), len(ids) - 1)
    return np.unique(np.asarray(exclude, dtype=np.int64)[ids[at] == exclude])


def drop(
    ids: Rows, scores: npt.NDArray[Any], exclude: Rows, k: int, pad: float
) -> tuple[Rows, npt.NDArray[Any]]:
    """Keep the first ``k`` of each line that are not excluded; pad with -1 and ``pad``."""
    bad = (ids < 0) | np.isin(ids, exclude)
    order = np.argsort(bad, axis=1, kind="stable")[:, :k]
    ids = np.where(bad, -1, ids)
    scores = np.where(bad, np.asarray(pad, scores.dtype), scores)
    ids, scores = np.take_along_axis(ids, order, 1), np.take_along_axis(scores, order, 1)
    missing = k - ids.shape[1]
    if missing > 0:
        ids = np.pad(ids, ((0, 0), (0, missing)), constant_values=-1)
        scores = np.pad(scores, ((0, 0), (0, missing)), constant_values=pad)
    return ids, scores


def bitmap(ids: Rows) -> npt.NDArray[np.uint8]:
    """Bit i set for every i in ``ids`` (non-negative), as FAISS's IDSelectorBitmap reads it."""
    bits = np.zeros(int(ids.max()) + 1 if len(ids) else 0, dtype=bool)
    bits[ids] = True
    return np.packbits(bits, bitorder="little")
