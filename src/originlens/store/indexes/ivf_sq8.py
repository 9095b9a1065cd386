"""Approximate search by inner product: inverted lists of 8-bit scalar-quantised vectors.

Method: inverted file of Sivic and Zisserman, "Video Google", ICCV 2003, with the scalar quantiser
of FAISS (Douze et al., "The Faiss library", 2024, arXiv:2401.08281).
Why it works: a query is compared only with the vectors of the nearest cells, one byte per value.
When it fails: a query that lies far from its original (a hard edit) may fall into a cell that is
not visited; 8 bits move a similarity by about 0.001, so near-ties may change places.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core.registry import Card, Cost, register
from originlens.store.indexes import _faiss

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
#: Below this many vectors one cell is kept: the scan is exhaustive.
ONE_CELL = 4096


@register(
    Card(
        name="ivf-sq8",
        kind="index",
        task="nearest-neighbours",
        claims="nearest neighbours by inner product, approximately",
        paper="Sivic, Zisserman 2003, ICCV; Douze et al. 2024, arXiv:2401.08281",
        code_licence="Apache-2.0",
        reads=("vectors",),
        cost=Cost(0.6, 0.27, "ms per query and MB per 1 000 vectors at 100 000 x 256"),
        status="stable",
        scope="float32 vectors of one length, from about 20 000 on",
        fails_when="the query is far from its original, so that its cell is not visited",
        thresholds={"recall": 0.95},
    )
)
class IvfSq8:
    """FAISS ``IVF,SQ8`` with inner product; ``probe`` is the share of cells that a query visits."""

    larger_is_nearer = True

    def __init__(self, *, probe: float = 0.125) -> None:
        self.probe = probe
        self._index: Any = None

    def build(self, vectors: Vectors, ids: Rows) -> None:
        """Replace the contents by ``vectors`` (N, d) float32 numbered ``ids`` (N,), ascending."""
        faiss = _faiss.library()
        vectors = np.ascontiguousarray(vectors, dtype=np.float32)
        count, dimension = vectors.shape
        cells = 1 if count < ONE_CELL else round(float(np.sqrt(count)))
        index = faiss.index_factory(dimension, f"IVF{cells},SQ8", faiss.METRIC_INNER_PRODUCT)
        index.by_residual = False  # one table for all cells: faster, and no worse at 8 bits
        index.cp.min_points_per_centroid = 1  # silences a warning on standard error
        index.cp.max_points_per_centroid = 100  # more does not change recall, only training time
        if count:
            index.train(vectors)
            index.add_with_ids(vectors, np.ascontiguousarray(ids, dtype=np.int64))
        self._index = index

    def search(
        self, queries: Vectors, k: int, exclude: Rows | None = None, only: Rows | None = None
    ) -> tuple[Rows, Vectors]:
        """Ids and inner products, each (Q, k), largest first; -1 and -inf pad.

        With ``only`` every cell is visited: a filter leaves few entries in each, so this stays
        cheap and nothing is lost to the cells.
        """
        faiss = _faiss.library()
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        count, cells = self._index.ntotal, self._index.nlist
        if not count or not len(queries) or (only is not None and not len(only)):
            return (
                np.full((len(queries), k), -1, np.int64),
                np.full((len(queries), k), -np.inf, np.float32),
            )
        options: dict[str, Any] = {"nprobe": max(1, round(cells * self.probe))}
        excluded = np.empty(0, np.int64) if exclude is None else np.asarray(exclude, np.int64)
        if only is not None:
            bits = _faiss.bitmap(np.setdiff1d(only, excluded))
            options = {"nprobe": cells, "sel": faiss.IDSelectorBitmap(bits)}
        elif len(excluded):
            options["sel"] = faiss.IDSelectorNot(faiss.IDSelectorBatch(excluded))
        params = faiss.SearchParametersIVF(**options)
        scores, found = self._index.search(queries, min(k, count), params=params)
        return _faiss.drop(found, scores, np.empty(0, np.int64), k, -np.inf)

    def save(self, path: str) -> None:
        """Write to one file."""
        _faiss.write(self._index, path)

    @classmethod
    def load(cls, path: str, mmap: bool = True) -> IvfSq8:
        """Read what :meth:`save` wrote; the inverted lists stay on disk until they are visited."""
        self = cls()
        self._index = _faiss.read(path, mmap=mmap)
        return self
