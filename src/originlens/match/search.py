"""Where does this picture come from? Retrieve low, verify, decide, explain.

The order is SImProv's (Black et al. 2022, arXiv:2206.14245): approximate retrieval, geometric
verification of a short list, then localisation of what was changed. Retrieval uses the exact
hashes, PDQ under the eight symmetries, and the global descriptor of the whole query, of its turns
and of its regions (:mod:`originlens.match.views`).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from originlens.core.evidence import Match, Relation, ReplicationLevel, SearchResult
from originlens.core.image import Image
from originlens.core.processors import available_cpus, one_blas_thread
from originlens.core.registry import make
from originlens.match import (
    Geometry,
    LocalFeatures,
    calibration,
    decision,
    replication,
)
from originlens.match import _closer as closer
from originlens.match._accounted import Accounted
from originlens.match._candidate import Candidate, why
from originlens.match._early import Early
from originlens.match._query import DEFAULT, THOROUGH, Effort, Query
from originlens.match._retrieval import retrieve, with_voted
from originlens.match.local import voting
from originlens.match.originals import asset_pixels, change_map, original_pixel_hash
from originlens.match.views import Box

if TYPE_CHECKING:
    from originlens.store import AssetRow, Store

_WHOLE = 0.9  # share of a view's content that certain copies must account for to close it
_EXPLAINED = 1  # copies whose edits are named in a quick search; each costs as two candidates
_FIRST, _ROUND = 2, 4  # candidates verified at a time, the same on every machine, as answers are
_MORE = 4  # candidates that closed views speak for and that are verified nevertheless
_SMALL, _CLOSER = 0.4, 3  # share of the query whose candidates get a second look, how many do
_ALSO = 0.85  # ... if their prior is at least this share of a certain copy's


class Searcher:
    """Searches one store; keeps local features of recently verified originals in memory.

    Args:
        store: an open store.
        verifier: name of a registered verifier.
        cached_features: how many originals' features are kept (about 0.5 MB each).
        threads: threads for verification; default: CPUs of the affinity mask.
    """

    def __init__(
        self,
        store: Store,
        *,
        verifier: str = "sift-magsac",
        cached_features: int = 2000,
        threads: int | None = None,
    ) -> None:
        self.store = store
        self.verifier = make("verifier", verifier)
        self.model = decision.shipped()
        self._cache: OrderedDict[int, LocalFeatures | None] = OrderedDict()
        self._cache_size = cached_features
        self._lock = Lock()
        self.threads = threads or available_cpus()

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.threads, thread_name_prefix="verify")

    @cached_property
    def _embedder(self) -> Any:
        # One thread an inference: a query's views are shared out among the pool's threads, which
        # is faster than many threads on one small picture.
        return make("descriptor", self.store.descriptor, threads=1)

    def warm_up(self) -> None:
        """Load now what the first search would load: libraries, the network, the segments."""
        import cv2

        cv2.setUseOptimized(True)
        vector = self._embedder.describe_batch([np.zeros((224, 224, 3), np.uint8)])
        self.store.search_vectors(vector, 1)
        self.store.search_hashes(np.zeros((1, 32), np.uint8), 1)
        voting.votes(voting.features(np.zeros((64, 64, 3), np.uint8)), self.store)

    @one_blas_thread()
    def search(
        self,
        image: Image,
        *,
        query: str | None = None,
        top: int = 10,
        max_false_positive_rate: float = 0.01,
        where: Mapping[str, str] | None = None,
        thorough: bool = False,
        diff: bool = False,
        exclude: Sequence[int] = (),
    ) -> SearchResult:
        """Candidates of the index for one picture, best first.

        Args:
            image: the query.
            query: name to report; default the image's path.
            top: how many candidates the list holds at most.
            max_false_positive_rate: highest share in (0, 1] of unrelated queries that may be
                called a copy; moves relations, never the list or its scores.
            where: metadata that an asset must carry.
            thorough: more regions and more verified candidates.
            diff: attach a change map to every verified match.
            exclude: rows to leave out (leave-one-out calibration).

        Raises:
            InputError: the query cannot be decoded.
            StoreError: the index cannot be read.
        """
        started = time.perf_counter()
        effort = THOROUGH if thorough else DEFAULT
        looked = self._query(image, effort)
        early = Early(self._pool, looked, self.store)
        kept, rows = self._shortlist(looked, max(effort.candidates, top), where, exclude, early)
        limit = self.threshold(max_false_positive_rate)
        scored = [self._match(looked, c, rows[c.row], limit) for c in kept]
        order = sorted(range(len(scored)), key=lambda i: _rank(scored[i]))[:top]
        copies = [i for i in order if scored[i].relation == "copy"]
        in_full = order if diff or thorough else copies[:_EXPLAINED]

        found = [kept[i] for i in order if scored[i].relation != "none"]
        of_row = self.store.vectors([c.row for c in found])
        vectors = {c.row: vector for c, vector in zip(found, of_row, strict=True)}

        def explained(i: int) -> Match:
            level = self._level(looked, kept[i], rows[kept[i].row], vectors.get(kept[i].row))
            match = replace(scored[i], why=why(scored[i], kept[i]), level=level)
            if i not in in_full:
                return match
            return self._explained(looked, rows[kept[i].row], match, diff, early)

        matches = list(self._pool.map(explained, order))
        return SearchResult(
            query=query if query is not None else (image.path or ""),
            sha256=image.sha256,
            decision=matches[0].relation if matches else "none",
            matches=tuple(matches),
            ms=(time.perf_counter() - started) * 1e3,
        )

    def threshold(self, rate: float) -> float:
        """Score at or above which a candidate is called a copy at that false-positive rate."""
        own = calibration.measured_scores(self.store, self.model)
        return calibration.threshold(self.model, rate, len(self.store), own)

    @one_blas_thread()
    def supports(
        self, image: Image, *, thorough: bool = False, exclude: Sequence[int] = ()
    ) -> list[tuple[int, decision.Support, bool]]:
        """What speaks for each verified candidate: (row, support, identical), best prior first.

        The raw material of the decision: calibration and the recipe that fits the model use it.
        """
        effort = THOROUGH if thorough else DEFAULT
        looked = self._query(image, effort)
        kept, _ = self._shortlist(looked, effort.candidates, None, exclude, None)
        return [(c.row, c.support, c.identical) for c in kept if c.verified or c.identical]

    def best_unrelated(self, image: Image, row: int) -> float | None:
        """Best score by chance of a picture of the index, with itself left out.

        Its certain duplicates are no chance, and other views of what it shows are never called
        a copy. None if nothing remains to compare with.
        """
        scores = [
            self.model.score(support)
            for _, support, identical in self.supports(image, exclude=(row,))
            if not identical and not self.model.is_other_view(support.geometry)
        ]
        return max((s for s in scores if s < self.model.certain_score), default=None)

    def _query(self, image: Image, effort: Effort) -> Query:
        """The query with hashes, vectors and features computed, shared out among the threads."""
        looked = self._new_query(image, effort)
        looked.pixels  # noqa: B018  decoded once, before the threads ask for it
        list(self._pool.map(lambda part: part(), looked.parts()))
        return looked

    def _new_query(self, image: Image, effort: Effort) -> Query:
        return Query(image, self._embedder, effort, self.verifier)

    def _shortlist(
        self,
        looked: Query,
        length: int,
        where: Mapping[str, str] | None,
        exclude: Sequence[int],
        early: Early | None,
    ) -> tuple[list[Candidate], dict[int, AssetRow]]:
        """The best candidates by prior; as many as the effort allows are verified."""
        candidates = retrieve(self.store, looked, where, set(exclude))
        candidates.sort(key=lambda c: (-c.prior, c.row))
        kept = with_voted(candidates, looked.effort.candidates)[:length]
        rows = {r.row: r for r in self.store.rows([c.row for c in kept])}
        kept = [c for c in kept if c.row in rows]
        self._mark_identical(looked, kept, rows)
        self._verify(looked, kept[: looked.effort.candidates], rows, early)
        return kept, rows

    # -- verification -------------------------------------------------------------------------

    def _mark_identical(
        self, looked: Query, candidates: list[Candidate], rows: dict[int, AssetRow]
    ) -> None:
        """Compare pixel hashes, but only where a near-equal hash and equal size make it likely."""
        for c in candidates:
            row = rows[c.row]
            if c.identical or c.pdq_distance is None or c.pdq_distance > 4:
                continue
            if (row.width, row.height) != (looked.image.width, looked.image.height):
                continue
            stored = row.pixel_hash or original_pixel_hash(row)
            c.identical = stored is not None and stored == looked.image.pixel_hash

    def _verify(
        self,
        looked: Query,
        candidates: list[Candidate],
        rows: dict[int, AssetRow],
        early: Early | None,
    ) -> None:
        """Verify in order of prior, a few at a time, until nothing is left to find.

        Once a certain copy accounts for the part of the query that speaks for a candidate, that
        candidate is looked at only if its prior says that it may be a copy too; what speaks for
        another part, as in a collage, goes on being looked at.
        """

        def work(c: Candidate) -> None:
            features = self._features(rows[c.row])
            if features is None:
                c.lacked = "no proxy and no original to verify against"
                return
            c.geometry = self._geometry(looked, c, features)
            c.verified = True

        if looked.effort.thorough:
            list(self._pool.map(work, candidates))
            return
        waiting, size = list(candidates), _FIRST
        accounted, least = Accounted(looked.features), 0.0
        boxes = looked.boxes
        alike: set[int] = set()
        while waiting:
            now, waiting, size = waiting[:size], waiting[size:], _ROUND
            list(self._pool.map(work, now))
            certain = [c for c in now if self._is_certain(c)]
            for c in certain:
                transform = None if c.identical else c.geometry.transform
                accounted.add(transform, (rows[c.row].height, rows[c.row].width))
                least = max(least, _ALSO * c.prior)
            if least == 0:
                continue
            if early is not None and certain:
                best = max(certain, key=lambda c: self.model.score(c.support))
                early.begin(best, rows[best.row])
            for c in waiting:
                box = c.box(boxes)
                if accounted.share(box) < _WHOLE:
                    continue
                if c.prior >= least and len(alike) < _MORE:
                    alike.add(c.row)
                elif c.row not in alike:
                    c.lacked = "not verified: other candidates explain what it resembles"
            waiting = [c for c in waiting if not c.lacked]
        self._look_closer(looked, candidates, rows, accounted)

    def _look_closer(
        self,
        looked: Query,
        candidates: list[Candidate],
        rows: dict[int, AssetRow],
        accounted: Accounted,
    ) -> None:
        """Verify again, in the small part that speaks for each, what the whole left in doubt."""

        def again(c: Candidate, box: Box) -> None:
            features = self._features(rows[c.row])
            if features is not None:
                found = closer.look(self.verifier, looked, box, features)
                if found.inliers >= max(decision.JUDGED_INLIERS, c.geometry.inliers):
                    c.geometry = found

        doubted, boxes = [], looked.boxes
        for c in candidates:
            box = c.box(boxes)
            small = (box[2] - box[0]) * (box[3] - box[1]) <= _SMALL
            weak = c.verified and c.geometry.inliers < decision.SHARED_INLIERS
            if small and weak and accounted.share(box) < _WHOLE:
                doubted.append((c, box))
        doubted = doubted[:_CLOSER]
        list(self._pool.map(looked.features_of, {box for _, box in doubted}))
        list(self._pool.map(lambda pair: again(*pair), doubted))

    def _geometry(self, looked: Query, c: Candidate, features: LocalFeatures) -> Geometry:
        negative = c.negative or looked.effort.thorough
        return self.verifier.verify(looked.features, features, negative=negative)

    def _is_certain(self, c: Candidate) -> bool:
        """Whether a candidate is a copy beyond doubt."""
        return c.identical or (
            c.verified
            and not self.model.is_other_view(c.geometry)
            and self.model.score(c.support) > self.model.certain_score
        )

    def _features(self, row: AssetRow) -> LocalFeatures | None:
        with self._lock:
            if row.row in self._cache:
                self._cache.move_to_end(row.row)
                return self._cache[row.row]
        pixels = asset_pixels(self.store, row)
        features = None
        if pixels is not None:
            features = self.verifier.features(pixels, full_size=(row.height, row.width))
        with self._lock:
            self._cache[row.row] = features
            while len(self._cache) > self._cache_size:
                self._cache.popitem(last=False)
        return features

    # -- decision -----------------------------------------------------------------------------

    def _match(self, looked: Query, c: Candidate, row: AssetRow, limit: float) -> Match:
        score = self.model.score(c.support)
        if c.identical:
            relation: Relation = "identical"
            score = 40.0
        elif row.status == "hash-only":
            relation, score = _hash_relation(c.pdq_distance)
        else:
            relation = self.model.relation(score, limit, c.support)
        return Match(
            asset=row.asset,
            path=row.path or "",
            meta=dict(row.meta),
            relation=relation,
            score=score,
            probability=1.0 if c.identical else self.model.probability(score),
            pdq_distance=c.pdq_distance,
            pdq_quality=row.pdq_quality,
            transform=_transform(c, row, looked.image),
            inliers=c.geometry.inliers,
            coverage=c.geometry.coverage_query,
        )

    def _level(
        self, looked: Query, c: Candidate, row: AssetRow, vector: npt.NDArray[np.float32] | None
    ) -> ReplicationLevel | None:
        """The replication level of a reported match; None where nothing was verified."""
        if c.identical:
            return replication.IDENTICAL
        features = self._features(row) if c.verified and vector is not None else None
        if features is None or vector is None:
            return None
        return replication.shipped().level(
            replication.measure(
                looked.vectors, vector, c.pdq_distance, c.geometry, looked.features, features
            )
        )

    def _explained(
        self, looked: Query, row: AssetRow, match: Match, diff: bool, early: Early
    ) -> Match:
        if match.transform is None or match.relation == "none":
            return match
        if match.relation != "related":  # nobody edited one view of a thing into another
            named = early.result(row, match.transform)
            if named is None:
                return match
            match = replace(match, edits=named.edits, direction=named.direction)
        if diff:
            match = replace(match, change_map=change_map(looked.image, row, self.store, match))
        return match


def _transform(c: Candidate, row: AssetRow, image: Image) -> npt.NDArray[np.float64] | None:
    if c.identical and (row.width, row.height) == (image.width, image.height):
        return np.eye(3)
    return c.geometry.transform


def _rank(match: Match) -> tuple[float, str]:
    return (-match.score, match.asset)


def _hash_relation(distance: int | None) -> tuple[Relation, float]:
    """Hash-only assets: the exchange's threshold (31 bits) decides, the distance ranks."""
    if distance is None:
        return "none", -20.0
    relation: Relation = "copy" if distance <= 31 else "none"
    return relation, float((31 - distance) / 4)
