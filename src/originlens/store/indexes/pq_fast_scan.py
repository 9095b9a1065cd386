"""Approximate search by inner product: all 4-bit codes are scanned, the best are compared again.

Method: product quantisation (Jegou, Douze, Schmid 2011, IEEE TPAMI 33(1)) with 16 centroids for
every two values, so that look-up tables fit in vector registers (Andre, Kermarrec, Le Scouarnec,
"Quicker ADC", IEEE TPAMI 2019, arXiv:1812.09162); candidates are ranked again by 8-bit codes.
Why it works: every vector is looked at, so a hard edit whose descriptor has moved far is still
found (inverted files lose it with its cell); 64 bytes a vector are scanned at memory speed.
When it fails: cost grows with the number of vectors (0.3 ms a query at 100 000); deep in the list,
where similarities differ by less than 0.001, places may change.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core.registry import Card, Cost, register
from originlens.store.indexes import _faiss

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
#: Fewer vectors than this do not train 16 centroids well: they are kept as they are.
_TRAINABLE = 1024
_TRAINING = 20_000
#: A filter that leaves no more than this is searched exactly (on the 8-bit codes).
_DECODED = 20_000


@register(
    Card(
        name="pq-fast-scan",
        kind="index",
        task="nearest-neighbours",
        claims="nearest neighbours by inner product, approximately",
        paper="Jegou, Douze, Schmid 2011, IEEE TPAMI 33(1); Andre et al. 2019, arXiv:1812.09162",
        code_licence="Apache-2.0",
        reads=("vectors",),
        cost=Cost(0.27, 0.33, "memory per 1 000 vectors; at 100 000 x 256", per="query"),
        status="stable",
        scope="float32 vectors of one even length, from about 20 000 on",
        fails_when="neighbours deep in the list differ in similarity by less than 0.001",
        thresholds={"recall": 0.95},
    )
)
class PqFastScan:
    """FAISS ``PQ(d/2)x4fs,Refine(SQ8)``; ``refine`` times k candidates are compared again."""

    larger_is_nearer = True

    def __init__(self, *, refine: int = 8) -> None:
        self.refine = refine
        self._mapped: Any = None
        self._index: Any = None
        self._ids: Rows = np.empty(0, np.int64)
        self._codes: npt.NDArray[np.uint8] | None = None

    def build(self, vectors: Vectors, ids: Rows) -> None:
        """Replace the contents by ``vectors`` (N, d) float32 numbered ``ids`` (N,), ascending."""
        faiss = _faiss.library()
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        count, dimension = vectors.shape
        layout = "Flat" if count < _TRAINABLE else f"PQ{dimension // 2}x4fs,Refine(SQ8)"
        index = faiss.index_factory(dimension, layout, faiss.METRIC_INNER_PRODUCT)
        mapped = faiss.IndexIDMap2(index)
        with _faiss.one_thread():  # training is many tiny problems
            self._fill(mapped, vectors, ids)
        self._hold(mapped)

    @staticmethod
    def _fill(mapped: Any, vectors: Vectors, ids: Rows) -> None:
        count = len(vectors)
        if count >= _TRAINABLE:
            # Evenly spaced, and FAISS's k-means is seeded: the same vectors make the same file.
            step = max(1, count // _TRAINING)
            mapped.train(vectors[::step][:_TRAINING])
        if count:
            mapped.add_with_ids(vectors, np.ascontiguousarray(ids, dtype=np.int64))

    def _hold(self, mapped: Any) -> None:
        faiss = _faiss.library()
        self._mapped = mapped
        self._index = faiss.downcast_index(mapped.index)
        self._ids = faiss.vector_to_array(mapped.id_map)
        self._codes = None

    def search(
        self, queries: Vectors, k: int, exclude: Rows | None = None, only: Rows | None = None
    ) -> tuple[Rows, Vectors]:
        """Ids and inner products, each (Q, k), largest first; -1 and -inf pad."""
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        keep = _faiss.kept(self._ids, exclude, only)
        left = len(self._ids) if keep is None else int(keep.sum())
        if keep is not None and only is not None and left <= _DECODED:
            return self._exactly(queries, k, np.flatnonzero(keep))
        return _faiss.search_kept(self._nearest, queries, k, self._ids, keep, -np.inf)

    def _nearest(self, queries: Vectors, k: int) -> tuple[Vectors, Rows]:
        faiss = _faiss.library()
        if not hasattr(self._index, "refine_index"):
            return self._index.search(queries, k)
        wanted = faiss.IndexRefineSearchParameters(k_factor=self.refine)
        # One by one: FAISS's scan of several queries at once takes twice as long for each.
        found = [self._index.search(query[None], k, params=wanted) for query in queries]
        return np.concatenate([s for s, _ in found]), np.concatenate([i for _, i in found])

    def _exactly(self, queries: Vectors, k: int, places: Rows) -> tuple[Rows, Vectors]:
        """Compare with every vector at ``places``."""
        faiss = _faiss.library()
        size = min(k, len(places))
        if size == 0 or not len(queries):
            return _faiss.nothing(len(queries), k, -np.inf, np.float32)
        codes = self._index
        if hasattr(self._index, "refine_index"):
            codes = faiss.downcast_index(self._index.refine_index)
        if self._codes is None:
            self._codes = faiss.vector_to_array(codes.codes).reshape(len(self._ids), -1)
        vectors = codes.sa_decode(np.ascontiguousarray(self._codes[places]))
        with _faiss.one_thread():
            scores, at = faiss.knn(queries, vectors, size, metric=faiss.METRIC_INNER_PRODUCT)
        return _faiss.padded(self._ids[places][at], scores, k, -np.inf)

    def save(self, path: str) -> None:
        """Write to one file."""
        _faiss.write(self._mapped, path)

    @classmethod
    def load(cls, path: str, mmap: bool = True) -> PqFastScan:
        """Read what :meth:`save` wrote, mapped into memory where this release of FAISS can."""
        self = cls()
        self._hold(_faiss.read(path, mmap=mmap))
        return self
