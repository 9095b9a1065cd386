"""Exact search by inner product: compares the query with every vector.

Method: exhaustive scan with blocked matrix products, as in Johnson, Douze and Jegou, "Billion-scale
similarity search with GPUs", IEEE Trans. Big Data 2019, arXiv:1702.08734 (FAISS IndexFlatIP).
Why it works: nothing is approximated, so recall is 1 by construction.
When it fails: cost grows with the number of vectors (about 4 ms per query at 100 000 x 256).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core.registry import Card, Cost, register
from originlens.store.indexes import _faiss

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


@register(
    Card(
        name="flat",
        kind="index",
        task="nearest-neighbours",
        claims="exact nearest neighbours by inner product",
        paper="Johnson, Douze, Jegou 2019, IEEE Trans. Big Data, arXiv:1702.08734",
        code_licence="Apache-2.0",
        reads=("vectors",),
        cost=Cost(4.2, 1.0, "memory per 1 000 vectors; at 100 000 x 256", per="query"),
        status="stable",
        scope="float32 vectors of one length",
        fails_when="the number of vectors makes an exhaustive scan too slow (beyond about 100 000)",
    )
)
class Flat:
    """FAISS ``IDMap2,Flat`` with inner product."""

    larger_is_nearer = True

    def __init__(self) -> None:
        self._mapped: Any = None
        self._index: Any = None
        self._ids: Rows = np.empty(0, np.int64)

    def build(self, vectors: Vectors, ids: Rows) -> None:
        """Replace the contents by ``vectors`` (N, d) float32 numbered ``ids`` (N,), ascending."""
        faiss = _faiss.library()
        mapped = faiss.IndexIDMap2(faiss.IndexFlatIP(int(vectors.shape[1])))
        if len(ids):
            mapped.add_with_ids(
                np.ascontiguousarray(vectors, dtype=np.float32),
                np.ascontiguousarray(ids, dtype=np.int64),
            )
        self._hold(mapped)

    def _hold(self, mapped: Any) -> None:
        faiss = _faiss.library()
        self._mapped = mapped
        self._index = faiss.downcast_index(mapped.index)
        self._ids = faiss.vector_to_array(mapped.id_map)

    def search(
        self, queries: Vectors, k: int, exclude: Rows | None = None, only: Rows | None = None
    ) -> tuple[Rows, Vectors]:
        """Ids and inner products, each (Q, k), largest first; -1 and -inf pad."""
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        keep = _faiss.kept(self._ids, exclude, only)
        return _faiss.search_kept(self._index.search, queries, k, self._ids, keep, -np.inf)

    def save(self, path: str) -> None:
        """Write to one file."""
        _faiss.write(self._mapped, path)

    @classmethod
    def load(cls, path: str, mmap: bool = True) -> Flat:
        """Read what :meth:`save` wrote."""
        self = cls()
        self._hold(_faiss.read(path, mmap=mmap))
        return self
