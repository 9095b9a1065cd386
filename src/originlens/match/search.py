"""Where does this picture come from? Retrieve low, verify, decide, explain.

The order is SImProv's (Black et al. 2022, arXiv:2206.14245): approximate retrieval, geometric
verification of a short list, then localisation of what was changed. Retrieval uses the exact
hashes, PDQ under the eight symmetries, and the global descriptor of the whole query, of its turns
and of its regions (:mod:`originlens.match.views`).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from originlens.core import geometry
from originlens.core.errors import InputError
from originlens.core.evidence import Match, Relation, SearchResult
from originlens.core.image import Image, Pixels
from originlens.core.registry import make
from originlens.match import Geometry, LocalFeatures, calibration, decision, views
from originlens.match.descriptors.gem_v0 import available_cpus

if TYPE_CHECKING:
    from originlens.store import AssetRow, Store

WORKING_SIDE = 512
"""Short side asked of the query's decode; proxies have this long side."""
_PDQ_CANDIDATE = 88  # bits: below the smallest distance measured between unrelated pictures
_PDQ_NEIGHBOURS = 8
_VECTOR_NEIGHBOURS = 24
_WHOLE = 0.9  # share of the query that a candidate must explain for the search to be over
_ALSO = 0.6  # share of that candidate's prior from which others are verified nevertheless


@dataclass(frozen=True, slots=True)
class Effort:
    """How much a search tries: verified candidates, rectangles and the tile plan."""

    candidates: int
    rectangles: int
    thorough: bool


DEFAULT = Effort(candidates=12, rectangles=3, thorough=False)
THOROUGH = Effort(candidates=40, rectangles=6, thorough=True)


@dataclass(slots=True)
class _Candidate:
    row: int
    similarity: float = 0.0
    excess: float = 0.0
    pdq_distance: int | None = None
    identical: bool = False
    geometry: Geometry = field(default_factory=lambda: Geometry(transform=None))
    verified: bool = False
    lacked: str = ""

    @property
    def support(self) -> decision.Support:
        """The decision model's view of this candidate."""
        return decision.Support(self.similarity, self.excess, self.pdq_distance, self.geometry)

    @property
    def prior(self) -> float:
        """Rank for verification: excess similarity, or closeness of hashes, whichever is better."""
        if self.identical:
            return 10.0
        pdq = 0.0 if self.pdq_distance is None else max(0.0, 1 - self.pdq_distance / 100)
        return max(self.excess, pdq)


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
        return make("descriptor", "gem-v0", threads=1)

    def warm_up(self) -> None:
        """Load now what the first search would load: libraries, the network, the segments."""
        import cv2

        cv2.setUseOptimized(True)
        vector = self._embedder.describe_batch([np.zeros((224, 224, 3), np.uint8)])
        self.store.search_vectors(vector, 1)
        self.store.search_hashes(np.zeros((1, 32), np.uint8), 1)

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
        kept, rows = self._shortlist(looked, max(effort.candidates, top), where, exclude)
        limit = self.threshold(max_false_positive_rate)
        scored = [self._match(looked, c, rows[c.row], limit) for c in kept]
        order = sorted(range(len(scored)), key=lambda i: _rank(scored[i]))[:top]
        matches = list(
            self._pool.map(
                lambda i: self._explained(looked, kept[i], rows[kept[i].row], scored[i], diff),
                order,
            )
        )
        return SearchResult(
            query=query if query is not None else (image.path or ""),
            sha256=image.sha256,
            decision=matches[0].relation if matches else "none",
            matches=tuple(matches),
            ms=(time.perf_counter() - started) * 1e3,
        )

    def threshold(self, rate: float) -> float:
        """Score at or above which a candidate is called a copy at that false-positive rate."""
        state = self.store.state(calibration.STATE_KEY)
        own = state["scores"] if state else None
        return calibration.threshold(self.model, rate, len(self.store), own)

    def supports(
        self, image: Image, *, thorough: bool = False, exclude: Sequence[int] = ()
    ) -> list[tuple[int, decision.Support, bool]]:
        """What speaks for each verified candidate: (row, support, identical), best prior first.

        The raw material of the decision: calibration and the recipe that fits the model use it.
        """
        effort = THOROUGH if thorough else DEFAULT
        kept, _ = self._shortlist(self._query(image, effort), effort.candidates, None, exclude)
        return [(c.row, c.support, c.identical) for c in kept if c.verified or c.identical]

    def best_unrelated(self, image: Image, row: int) -> float | None:
        """Best score of a picture of the index with itself and its certain duplicates left out.

        None if nothing remains to compare with.
        """
        scores = [
            self.model.score(support)
            for _, support, identical in self.supports(image, exclude=(row,))
            if not identical
        ]
        return max((s for s in scores if s < self.model.certain_score), default=None)

    def _query(self, image: Image, effort: Effort) -> _Query:
        """The query with hashes, vectors and features computed, shared out among the threads."""
        looked = _Query(image, self._embedder, effort, self.verifier)
        looked.pixels  # noqa: B018  decoded once, before the threads ask for it
        list(self._pool.map(lambda part: part(), looked.parts()))
        return looked

    def _shortlist(
        self,
        looked: _Query,
        length: int,
        where: Mapping[str, str] | None,
        exclude: Sequence[int],
    ) -> tuple[list[_Candidate], dict[int, AssetRow]]:
        """The best candidates by prior; as many as the effort allows are verified."""
        candidates = self._retrieve(looked, where, set(exclude))
        candidates.sort(key=lambda c: (-c.prior, c.row))
        kept = candidates[:length]
        rows = {r.row: r for r in self.store.rows([c.row for c in kept])}
        kept = [c for c in kept if c.row in rows]
        self._mark_identical(looked, kept, rows)
        self._verify(looked, kept[: looked.effort.candidates], rows)
        return kept, rows

    # -- retrieval ----------------------------------------------------------------------------

    def _retrieve(
        self, looked: _Query, where: Mapping[str, str] | None, exclude: set[int]
    ) -> list[_Candidate]:
        found: dict[int, _Candidate] = {}

        def candidate(row: int) -> _Candidate:
            return found.setdefault(row, _Candidate(row))

        for row in self.store.by_sha256(looked.image.sha256):
            if where is None or all(row.meta.get(k) == v for k, v in where.items()):
                candidate(row.row).identical = True
        self._by_hash(looked, where, candidate)
        self._by_vector(looked, where, candidate)
        return [c for c in found.values() if c.row not in exclude]

    def _by_hash(self, looked: _Query, where: Mapping[str, str] | None, candidate: Any) -> None:
        if looked.hashes is None:
            return
        rows, distances = self.store.search_hashes(looked.hashes, _PDQ_NEIGHBOURS, where)
        for row, distance in zip(rows.ravel().tolist(), distances.ravel().tolist(), strict=True):
            if row < 0 or distance > _PDQ_CANDIDATE:
                continue
            known = candidate(row)
            if known.pdq_distance is None or distance < known.pdq_distance:
                known.pdq_distance = int(distance)

    def _by_vector(self, looked: _Query, where: Mapping[str, str] | None, candidate: Any) -> None:
        vectors = looked.vectors
        rows, similarity = self.store.search_vectors(vectors, _VECTOR_NEIGHBOURS, where)
        excess = _excess(rows, similarity)
        for view in range(len(vectors)):
            for row, s, e in zip(rows[view], similarity[view], excess[view], strict=True):
                if row < 0:
                    continue
                known = candidate(int(row))
                known.similarity = max(known.similarity, float(s))
                known.excess = max(known.excess, float(e))

    def _mark_identical(
        self, looked: _Query, candidates: list[_Candidate], rows: dict[int, AssetRow]
    ) -> None:
        """Compare pixel hashes, but only where a near-equal hash and equal size make it likely."""
        for c in candidates:
            row = rows[c.row]
            if c.identical or c.pdq_distance is None or c.pdq_distance > 4:
                continue
            if (row.width, row.height) != (looked.image.width, looked.image.height):
                continue
            stored = row.pixel_hash or _original_pixel_hash(row)
            c.identical = stored is not None and stored == looked.image.pixel_hash

    # -- verification -------------------------------------------------------------------------

    def _verify(
        self, looked: _Query, candidates: list[_Candidate], rows: dict[int, AssetRow]
    ) -> None:
        """Verify in order of prior, a few at a time, until nothing is left to find.

        Once a candidate that explains the whole query is certain, only those are still looked at
        whose prior says that they may be copies too; a query that is explained in part only, as a
        collage is, goes through all of them.
        """

        def work(c: _Candidate) -> None:
            features = self._features(rows[c.row])
            if features is None:
                c.lacked = "no proxy and no original to verify against"
                return
            c.geometry = self.verifier.verify(looked.features, features)
            c.verified = True

        waiting = list(candidates)
        round_ = 2 * self.threads
        while waiting:
            now, waiting = waiting[:round_], waiting[round_:]
            list(self._pool.map(work, now))
            least = max((c.prior for c in now if self._settles(c)), default=0.0) * _ALSO
            skipped = [c for c in waiting if c.prior < least]
            for c in skipped:
                c.lacked = "not verified: a far better candidate explains the whole picture"
            waiting = [c for c in waiting if c.prior >= least]

    def _settles(self, c: _Candidate) -> bool:
        """Whether a verified candidate is a copy for certain and accounts for the whole query."""
        return c.identical or (
            c.verified
            and c.geometry.coverage_query > _WHOLE
            and not decision.is_other_view(c.geometry)
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

    def _match(self, looked: _Query, c: _Candidate, row: AssetRow, limit: float) -> Match:
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

    def _explained(
        self, looked: _Query, c: _Candidate, row: AssetRow, match: Match, diff: bool
    ) -> Match:
        from originlens.match import edits

        match = replace(match, why=_why(match, c))
        if match.transform is None or match.relation == "none":
            return match
        pixels = asset_pixels(self.store, row)
        if pixels is None:
            return match
        named = edits.explain(looked.image, pixels, (row.height, row.width), match.transform)
        match = replace(match, edits=named.edits, direction=named.direction)
        if diff:
            match = replace(match, change_map=change_map(looked.image, row, self.store, match))
        return match


class _Query:
    """A query's hashes, vectors and features, each computed once and only if asked for."""

    _SHARES = 3  # parts of the views that are described at the same time

    def __init__(self, image: Image, embedder: Any, effort: Effort, verifier: Any) -> None:
        self.image = image
        self._embedder = embedder
        self.effort = effort
        self._verifier = verifier
        self._shares: dict[int, npt.NDArray[np.float32]] = {}

    @cached_property
    def pixels(self) -> Pixels:
        return self.image.reduced(WORKING_SIDE)

    @cached_property
    def hashes(self) -> npt.NDArray[np.uint8] | None:
        from originlens.match.descriptors import pdq

        stored = self.image.reduced(pdq.HASHED_SHORT_SIDE, managed=False, oriented=False)
        hashes = pdq.dihedral(stored)
        return hashes if hashes.any() else None

    @cached_property
    def _views(self) -> list[Pixels]:
        """The whole query, its quarter turns and its rectangles."""
        pixels = self.pixels
        turns = [np.ascontiguousarray(np.rot90(pixels, k)) for k in (1, 2, 3)]
        rectangles = views.rectangles(pixels, self.effort.rectangles)
        return [pixels, *turns, *(_crop(pixels, r.box) for r in rectangles)]

    @cached_property
    def _regions(self) -> npt.NDArray[np.float32]:
        boxes = [r.box for r in views.tiles(self.effort.thorough)]
        return np.asarray(self._embedder.describe_regions(self.pixels, boxes), np.float32)

    def _described(self, number: int) -> npt.NDArray[np.float32]:
        """Vectors of one share of the views, computed once."""
        if number not in self._shares:
            share = self._views[number :: self._SHARES]
            self._shares[number] = self._embedder.describe_batch(share)
        return self._shares[number]

    @cached_property
    def vectors(self) -> npt.NDArray[np.float32]:
        return np.vstack([*(self._described(k) for k in range(self._SHARES)), self._regions])

    def parts(self) -> list[Callable[[], Any]]:
        """What can be computed at the same time, the longest first."""
        self._views  # noqa: B018  the shares are cut from one list
        shares = [partial(self._described, k) for k in range(self._SHARES)]
        return [lambda: self._regions, lambda: self.features, *shares, lambda: self.hashes]

    @cached_property
    def features(self) -> LocalFeatures:
        return self._verifier.features(self.pixels, full_size=(self.image.height, self.image.width))


def _crop(pixels: Pixels, box: tuple[float, float, float, float]) -> Pixels:
    h, w = pixels.shape[:2]
    x0, y0 = int(box[0] * w), int(box[1] * h)
    x1, y1 = max(x0 + 1, round(box[2] * w)), max(y0 + 1, round(box[3] * h))
    return np.ascontiguousarray(pixels[y0:y1, x0:x1])


def _excess(
    rows: npt.NDArray[np.int64], similarity: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Similarity above the view's own neighbourhood (score normalisation, SSCD section 4.4).

    The background is the mean of the view's farther neighbours, so a flat tile that is like
    everything does not outrank a distinctive one; small indexes use what there is.
    """
    similarity = np.where(rows >= 0, similarity, np.nan)
    count = similarity.shape[1]
    if count < 8:
        return np.nan_to_num(similarity).astype(np.float32)
    with np.errstate(all="ignore"):
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            background = np.nanmean(similarity[:, 6:], axis=1, keepdims=True)
    return np.nan_to_num(similarity - np.nan_to_num(background)).astype(np.float32)


def _transform(c: _Candidate, row: AssetRow, image: Image) -> npt.NDArray[np.float64] | None:
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


def _why(match: Match, c: _Candidate) -> str:
    g = c.geometry
    if match.relation == "identical":
        return "same bytes or same decoded pixels"
    if not c.verified:
        reason = c.lacked or "not among the candidates that were verified"
        distance = "" if c.pdq_distance is None else f"; PDQ distance {c.pdq_distance} of 256 bits"
        return f"{reason}{distance}"
    measured = (
        f"{g.inliers} matching points, {g.agreement:.0%} of the overlap agrees, "
        f"the overlap is {g.coverage_query:.0%} of the query"
    )
    if match.relation == "copy":
        return measured
    if g.transform is None:
        return f"no common geometry: descriptor similarity {c.similarity:.2f} only"
    if match.relation == "related":
        return f"shares content but too few pixels agree to be a copy: {measured}"
    return f"too little support: {measured}"


def asset_pixels(store: Store, row: AssetRow) -> Pixels | None:
    """Pixels of an asset at working size: its proxy, else its unchanged original, else None."""
    proxy = store.proxy(row.row)
    if proxy is not None:
        return Image(proxy, path=row.path).reduced(WORKING_SIDE)
    original = open_original(row)
    return None if original is None else original.reduced(WORKING_SIDE)


def open_original(row: AssetRow) -> Image | None:
    """The asset's original, if a file of its paths still has the same bytes."""
    for path in row.paths:
        try:
            image = Image.open(path)
            if image.sha256 == row.sha256:
                return image
        except InputError:
            continue
    return None


def _original_pixel_hash(row: AssetRow) -> str | None:
    original = open_original(row)
    try:
        return None if original is None else original.pixel_hash
    except InputError:
        return None


def change_map(image: Image, row: AssetRow, store: Store, match: Match) -> Pixels | None:
    """Change map of a verified match at the query's full size, (H, W) uint8, 255 = changed.

    Compares with the original where its file is unchanged, else with its proxy.
    """
    from originlens.match import diff

    if match.transform is None:
        return None
    original = open_original(row)
    pixels = original.pixels if original is not None else asset_pixels(store, row)
    if pixels is None:
        return None
    to_full = geometry.scaling(pixels.shape[:2], (row.height, row.width))
    return diff.change_map(image.pixels, pixels, geometry.normalised(match.transform @ to_full))


def compare(query: Image, original: Image, *, max_false_positive_rate: float = 0.01) -> Match:
    """What one picture has to do with another: relation, transform, edits, change map.

    Args:
        query: the picture in question.
        original: the picture it may have been made from.
        max_false_positive_rate: as for a search in an index of one asset.

    Raises:
        InputError: one of the two cannot be decoded.
    """
    from originlens.match import diff, edits
    from originlens.match.descriptors import pdq

    model = decision.shipped()
    embedder = make("descriptor", "gem-v0")
    verifier = make("verifier", "sift-magsac")
    looked = _Query(query, embedder, THOROUGH, verifier)
    target = embedder.describe(original)
    similarity = float((looked.vectors @ target).max())
    stored = original.reduced(pdq.HASHED_SHORT_SIDE, managed=False, oriented=False)
    digest, quality = pdq.hash_with_quality(stored)
    distance = None
    if quality and looked.hashes is not None:
        distance = min(pdq.distance(h, digest) for h in looked.hashes)
    geometry_ = verifier.verify(looked.features, verifier.features(original))
    support = decision.Support(similarity, max(0.0, similarity), distance, geometry_)
    score = model.score(support)
    same = query.sha256 == original.sha256 or (
        (query.width, query.height) == (original.width, original.height)
        and query.pixel_hash == original.pixel_hash
    )
    limit = calibration.threshold(model, max_false_positive_rate, 1)
    relation: Relation = "identical" if same else model.relation(score, limit, support)
    candidate = _Candidate(
        0, similarity, 0.0, distance, identical=same, geometry=geometry_, verified=True
    )
    match = Match(
        asset=original.sha256[:16],
        path=original.path or "",
        relation=relation,
        score=40.0 if same else score,
        probability=1.0 if same else model.probability(score),
        pdq_distance=distance,
        pdq_quality=quality,
        transform=np.eye(3) if same else geometry_.transform,
        inliers=geometry_.inliers,
        coverage=1.0 if same else geometry_.coverage_query,
    )
    match = replace(match, why=_why(match, candidate))
    if match.transform is None:
        return match
    named = edits.explain(
        query, original.reduced(WORKING_SIDE), (original.height, original.width), match.transform
    )
    changed = diff.change_map(query.pixels, original.pixels, match.transform)
    return replace(match, edits=named.edits, direction=named.direction, change_map=changed)
