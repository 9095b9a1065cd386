"""A search that knows a pattern: more views of the query, a second look, a moved decision."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core.image import Image
from originlens.match import Geometry, LocalFeatures, decision, views
from originlens.match._candidate import Candidate
from originlens.match._query import DEFAULT, Effort, Query
from originlens.match._retrieval import background_of, retrieve
from originlens.match.in_context import Pattern
from originlens.match.search import Searcher

Vectors = npt.NDArray[np.float32]

_TURNS = 4  # the first vectors of a query: of the whole, by quarter turns
_NEIGHBOURS = 24
_STRANGERS = 3  # pictures of the index that an example's replica is verified against


class ConditionedQuery(Query):
    """A query with the views that a pattern adds, after all others."""

    def __init__(
        self, image: Image, embedder: Any, effort: Effort, verifier: Any, pattern: Pattern
    ) -> None:
        super().__init__(image, embedder, effort, verifier)
        self._pattern = pattern

    @cached_property
    def restored(self) -> tuple[Vectors, LocalFeatures] | None:
        """The restored query's vector (1, D) and local features; None without a restoration."""
        if self._pattern.restoration is None:
            return None
        pixels = self._pattern.restoration(self.pixels)
        size = (self.image.height, self.image.width)
        vector = np.asarray(self._embedder.describe_batch([pixels]), np.float32)
        return vector, self._verifier.features(pixels, full_size=size)

    @property
    def vectors(self) -> Vectors:
        """Those of every query, then the whole and its turns as they were before the pattern."""
        plain = super().vectors
        before = plain[:_TURNS] - self._pattern.shift
        before /= np.maximum(np.linalg.norm(before, axis=1, keepdims=True), 1e-9)
        if self.restored is None:
            return np.vstack([plain, before])
        return np.vstack([plain, before, self.restored[0]])

    @property
    def boxes(self) -> list[views.Box]:
        """Which part of the query each of :attr:`vectors` describes."""
        added = _TURNS + (self._pattern.restoration is not None)
        return [*super().boxes, *[views.WHOLE] * added]

    def parts(self) -> list[Callable[[], Any]]:
        """What can be computed at the same time, the longest first."""
        return [*super().parts(), lambda: self.restored]


class ConditionedSearcher(Searcher):
    """A searcher with a pattern; it shares the other's store, threads and cache.

    Args:
        searcher: the one to condition; it stays as it is.
        pattern: what examples taught.
    """

    def __init__(self, searcher: Searcher, pattern: Pattern) -> None:
        searcher._pool, searcher._embedder  # noqa: B018  made now, so that both share them
        self.__dict__.update(searcher.__dict__)
        self.model = pattern.model
        self._pattern = pattern

    def _new_query(self, image: Image, effort: Effort) -> ConditionedQuery:
        return ConditionedQuery(image, self._embedder, effort, self.verifier, self._pattern)

    def _geometry(self, looked: Query, c: Candidate, features: LocalFeatures) -> Geometry:
        """The better one of the query's and the restored query's."""
        found = [super()._geometry(looked, c, features)]
        if isinstance(looked, ConditionedQuery) and looked.restored is not None:
            found.append(self.verifier.verify(looked.restored[1], features))

        def score(geometry: Geometry) -> float:
            support = decision.Support(c.similarity, c.excess, c.pdq_distance, geometry)
            return self.model.score(support)

        return max(found, key=score)

    def example(
        self, original: Image, replica: Image, vector: Vectors, features: LocalFeatures
    ) -> tuple[decision.Support, list[decision.Support]]:
        """What speaks for an example's original, as if it were indexed, and for the index's own.

        Args:
            original: the original.
            replica: what was made of it.
            vector: (D,), the original's.
            features: the original's.

        Returns:
            The original's support, and that of the best few pictures of the index that are not it.
        """
        looked = self._query(replica, DEFAULT)
        vectors = looked.vectors
        rows, similarity = self.store.search_vectors(vectors, _NEIGHBOURS)
        background = background_of(rows, similarity)[:, 0]
        own = vectors @ vector
        copy = Candidate(-1, float(own.max()), float((own - background).max()))
        copy.pdq_distance = _hash_distance(original, looked)
        copy.geometry = self._geometry(looked, copy, features)
        same = {r.row for i in (original, replica) for r in self.store.by_sha256(i.sha256)}
        wrong = sorted(retrieve(self.store, looked, None, same), key=lambda c: (-c.prior, c.row))
        strangers = []
        for row in self.store.rows([c.row for c in wrong[:_STRANGERS]]):
            c = next(c for c in wrong if c.row == row.row)
            there = self._features(row)
            if there is not None:
                c.geometry = self._geometry(looked, c, there)
                strangers.append(c.support)
        # What the index holds under other bytes is no stranger.
        return copy.support, [
            s for s in strangers if self.model.score(s) < self.model.certain_score
        ]


def _hash_distance(original: Image, looked: Query) -> int | None:
    """Bits between the original's PDQ and the nearest of the query's; None if one is flat."""
    from originlens.match.descriptors import pdq

    stored = original.reduced(pdq.HASHED_SHORT_SIDE, managed=False, oriented=False)
    digest, quality = pdq.hash_with_quality(stored)
    if not quality or looked.hashes is None:
        return None
    return min(pdq.distance(h, digest) for h in looked.hashes)
