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
        cost=Cost(0.13, 0.04, "memory per 1 000 hashes; at 100 000 x 256 bit", per="query"),
        status="stable",
        scope="bit strings of one length, packed into bytes",
        fails_when="more than about ten million hashes make an exhaustive scan too slow",
    )
)
class FlatBinary:
    """FAISS ``IndexBinaryIDMap2`` over ``IndexBinaryFlat``."""

    larger_is_nearer = False

    def __init__(self) -> None:
        self._mapped: Any = None
        self._index: Any = None
        self._ids: Rows = np.empty(0, np.int64)

    def build(self, vectors: Hashes, ids: Rows) -> None:
        """Replace the contents by ``vectors`` (N, B) uint8 numbered ``ids`` (N,), ascending."""
        faiss = _faiss.library()
        mapped = faiss.IndexBinaryIDMap2(faiss.IndexBinaryFlat(int(vectors.shape[1]) * 8))
        if len(ids):
            mapped.add_with_ids(
                np.ascontiguousarray(vectors, dtype=np.uint8),
                np.ascontiguousarray(ids, dtype=np.int64),
            )
        self._hold(mapped)

    def _hold(self, mapped: Any) -> None:
        faiss = _faiss.library()
        self._mapped = mapped
        self._index = faiss.downcast_IndexBinary(mapped.index)
        self._ids = faiss.vector_to_array(mapped.id_map)

    def search(
        self, queries: Hashes, k: int, exclude: Rows | None = None, only: Rows | None = None
    ) -> tuple[Rows, npt.NDArray[np.int32]]:
        """Ids and int32 distances, each (Q, k), smallest first; -1 and d + 1 pad."""
        queries = np.ascontiguousarray(queries, dtype=np.uint8)
        keep = _faiss.kept(self._ids, exclude, only)
        pad = self._index.d + 1
        return _faiss.search_kept(self._index.search, queries, k, self._ids, keep, pad)

    def save(self, path: str) -> None:
        """Write to one file."""
        _faiss.write(self._mapped, path, binary=True)

    @classmethod
    def load(cls, path: str, mmap: bool = True) -> FlatBinary:
        """Read what :meth:`save` wrote. Always into memory: 32 bytes an entry."""
        self = cls()
        self._hold(_faiss.read_binary(path))
        return self
