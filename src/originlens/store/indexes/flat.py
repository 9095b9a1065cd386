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
        cost=Cost(4.2, 1.0, "ms per query and MB per 1 000 vectors at 100 000 x 256"),
        status="stable",
        scope="float32 vectors of one length",
        fails_when="the number of vectors makes an exhaustive scan too slow (beyond about 100 000)",
    )
)
class Flat:
    """FAISS ``IDMap2,Flat`` with inner product."""

    larger_is_nearer = True

    def __init__(self) -> None:
        self._index: Any = None
        self._ids: Rows = np.empty(0, np.int64)

    def build(self, vectors: Vectors, ids: Rows) -> None:
        """Replace the contents by ``vectors`` (N, d) float32 numbered ``ids`` (N,), ascending."""
        faiss = _faiss.library()
        index = faiss.IndexIDMap2(faiss.IndexFlatIP(int(vectors.shape[1])))
        self._ids = np.ascontiguousarray(ids, dtype=np.int64)
        if len(self._ids):
            index.add_with_ids(np.ascontiguousarray(vectors, dtype=np.float32), self._ids)
        self._index = index

    def search(
        self, queries: Vectors, k: int, exclude: Rows | None = None, only: Rows | None = None
    ) -> tuple[Rows, Vectors]:
        """Ids and inner products, each (Q, k), largest first; -1 and -inf pad."""
        faiss = _faiss.library()
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        count = len(self._ids)
        excluded = _faiss.among(exclude, self._ids)
        if not count or not len(queries) or (only is not None and not len(only)):
            return (
                np.full((len(queries), k), -1, np.int64),
                np.full((len(queries), k), -np.inf, np.float32),
            )
        params = None
        if only is not None:
            bits = _faiss.bitmap(np.setdiff1d(only, excluded))
            selector = faiss.IDSelectorBitmap(bits)
            params = faiss.SearchParameters(sel=selector)
        elif len(excluded) > _faiss.OVERFETCH:
            selector = faiss.IDSelectorNot(faiss.IDSelectorBatch(excluded))
            params = faiss.SearchParameters(sel=selector)
        wanted = k if params is not None else k + len(excluded)
        scores, ids = self._index.search(queries, max(1, min(wanted, count)), params=params)
        return _faiss.drop(ids, scores, excluded, k, -np.inf)

    def save(self, path: str) -> None:
        """Write to one file."""
        _faiss.write(self._index, path)

    @classmethod
    def load(cls, path: str, mmap: bool = True) -> Flat:
        """Read what :meth:`save` wrote."""
        faiss = _faiss.library()
        self = cls()
        self._index = _faiss.read(path, mmap=mmap)
        self._ids = faiss.vector_to_array(self._index.id_map)
        return self
