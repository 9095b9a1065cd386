"""Exact search by Hamming distance: compares the query with every hash.

Method: exhaustive popcount scan (FAISS IndexBinaryFlat; Douze et al., "The Faiss library", 2024,
arXiv:2401.08281).
Why it works: 32 bytes an entry and one instruction per 64 bits: a million hashes in about 1 ms, so
nothing needs to be approximated.
When it fails: beyond about ten million hashes the scan costs more than 10 ms a query.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core.registry import Card, Cost, register
from originlens.store.indexes import _faiss

Hashes = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.int64]


@register(
    Card(
        name="flat-binary",
        kind="index",
        task="nearest-neighbours",
        claims="exact nearest neighbours by Hamming distance",
        paper="Douze et al. 2024, arXiv:2401.08281",
        code_licence="Apache-2.0",
        reads=("bits",),
        cost=Cost(0.13, 0.04, "ms per query and MB per 1 000 hashes at 100 000 x 256 bit"),
        status="stable",
        scope="bit strings of one length, packed into bytes",
        fails_when="more than about ten million hashes make an exhaustive scan too slow",
    )
)
class FlatBinary:
    """FAISS ``IndexBinaryIDMap2`` over ``IndexBinaryFlat``."""

    larger_is_nearer = False

    def __init__(self) -> None:
        self._index: Any = None
        self._ids: Rows = np.empty(0, np.int64)
        self._codes: Hashes = np.empty((0, 0), np.uint8)

    def build(self, vectors: Hashes, ids: Rows) -> None:
        """Replace the contents by ``vectors`` (N, B) uint8 numbered ``ids`` (N,), ascending."""
        faiss = _faiss.library()
        index = faiss.IndexBinaryIDMap2(faiss.IndexBinaryFlat(int(vectors.shape[1]) * 8))
        self._codes = np.ascontiguousarray(vectors, dtype=np.uint8)
        self._ids = np.ascontiguousarray(ids, dtype=np.int64)
        if len(self._ids):
            index.add_with_ids(self._codes, self._ids)
        self._index = index

    def search(
        self, queries: Hashes, k: int, exclude: Rows | None = None, only: Rows | None = None
    ) -> tuple[Rows, npt.NDArray[np.int32]]:
        """Ids and int32 distances, each (Q, k), smallest first; -1 and d + 1 pad."""
        faiss = _faiss.library()
        queries = np.ascontiguousarray(queries, dtype=np.uint8)
        pad = self._index.d + 1
        nothing = (
            np.full((len(queries), k), -1, np.int64),
            np.full((len(queries), k), pad, np.int32),
        )
        excluded = _faiss.among(exclude, self._ids)
        if not len(self._ids) or not len(queries):
            return nothing
        if only is None and len(excluded) <= _faiss.OVERFETCH:
            wanted = min(k + len(excluded), len(self._ids))
            distances, ids = self._index.search(queries, wanted)
            return _faiss.drop(ids, distances, excluded, k, pad)
        # Binary indexes take no selector in every FAISS release: scan the part that may appear.
        keep = ~np.isin(self._ids, excluded)
        if only is not None:
            keep &= np.isin(self._ids, only)
        part = np.flatnonzero(keep)
        if not len(part):
            return nothing
        distances, at = faiss.knn_hamming(queries, self._codes[part], min(k, len(part)))
        return _faiss.drop(self._ids[part][at], distances, np.empty(0, np.int64), k, pad)

    def save(self, path: str) -> None:
        """Write to one file."""
        _faiss.write(self._index, path, binary=True)

    @classmethod
    def load(cls, path: str, mmap: bool = True) -> FlatBinary:
        """Read what :meth:`save` wrote. Always into memory: 32 bytes an entry."""
        faiss = _faiss.library()
        self = cls()
        self._index = _faiss.read_binary(path)
        self._ids = faiss.vector_to_array(self._index.id_map)
        flat = faiss.downcast_IndexBinary(self._index.index)
        self._codes = faiss.vector_to_array(flat.xb).reshape(-1, self._index.d // 8)
        return self
