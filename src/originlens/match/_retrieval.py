"""Which assets may a query be made from? By bytes, hash, vectors and local features.

Retrieval is generous: what it proposes is verified (SImProv, Black et al. 2022, arXiv:2206.14245).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from originlens.match._candidate import Candidate
from originlens.match._query import NEGATIVE_VIEW, Query
from originlens.match.local import voting

if TYPE_CHECKING:
    from originlens.store import Store

_PDQ_CANDIDATE = 88  # bits: below the smallest distance measured between unrelated pictures
_PDQ_NEIGHBOURS = 8
_VECTOR_NEIGHBOURS = 24
_VOTED = 4  # verified candidates at least that local features choose, where enough agree


def retrieve(
    store: Store, looked: Query, where: Mapping[str, str] | None, exclude: set[int]
) -> list[Candidate]:
    """Every asset that bytes, hash, vectors or local features speak for, in no order.

    Args:
        store: the index.
        looked: the query.
        where: metadata that an asset must carry.
        exclude: rows to leave out.
    """
    found: dict[int, Candidate] = {}

    def candidate(row: int) -> Candidate:
        return found.setdefault(row, Candidate(row))

    for row in store.by_sha256(looked.image.sha256):
        if where is None or all(row.meta.get(k) == v for k, v in where.items()):
            candidate(row.row).identical = True
    _by_hash(store, looked, where, candidate)
    background = _by_vector(store, looked, where, candidate)
    _by_local(store, looked, where, candidate, background)
    return [c for c in found.values() if c.row not in exclude]


def _by_hash(store: Store, looked: Query, where: Mapping[str, str] | None, candidate: Any) -> None:
    if looked.hashes is None:
        return
    rows, distances = store.search_hashes(looked.hashes, _PDQ_NEIGHBOURS, where)
    plain = len(looked.hashes) // 2
    for (variant, place), row in np.ndenumerate(rows):
        distance = int(distances[variant, place])
        if row < 0 or distance > _PDQ_CANDIDATE:
            continue
        known = candidate(int(row))
        known.negative |= variant >= plain
        if known.pdq_distance is None or distance < known.pdq_distance:
            known.pdq_distance = distance


def _by_vector(
    store: Store, looked: Query, where: Mapping[str, str] | None, candidate: Any
) -> npt.NDArray[np.float32]:
    """Candidates by similarity; returns what each view's similarities are measured against."""
    vectors = looked.vectors
    rows, similarity = store.search_vectors(vectors, _VECTOR_NEIGHBOURS, where)
    background = background_of(rows, similarity)
    excess = np.where(rows >= 0, similarity - background, 0)
    places, of = np.unique(rows, return_inverse=True)
    of, order = of.ravel(), np.argsort(excess, axis=None, kind="stable")
    nearest, view = np.zeros(len(places), np.float32), np.zeros(len(places), np.intp)
    np.maximum.at(nearest, of, similarity.ravel())
    view[of[order]] = order // rows.shape[1]  # of several, the one of greatest excess stays
    largest = np.zeros(len(places), np.float32)
    np.maximum.at(largest, of, excess.ravel())
    found = zip(places.tolist(), nearest.tolist(), largest.tolist(), view.tolist(), strict=True)
    for row, *measured in found:
        if row >= 0:
            known = candidate(row)
            known.similarity, known.excess, known.view = measured
            known.negative |= known.view == NEGATIVE_VIEW
    return background


def _by_local(
    store: Store,
    looked: Query,
    where: Mapping[str, str] | None,
    candidate: Any,
    background: npt.NDArray[np.float32],
) -> None:
    found = voting.votes(looked.local, store, where)
    fresh: list[Candidate] = []
    for row, vote, box in zip(found.rows.tolist(), found.votes, found.boxes, strict=True):
        known = candidate(row)
        known.votes, known.voted_box = float(vote), tuple(box.tolist())
        if known.similarity == 0 and vote >= voting.CHANCE:
            fresh.append(known)
    fresh = fresh[: looked.effort.candidates]
    # Similar to no view among its nearest: the decision asks how similar all the same.
    similarity = looked.vectors @ store.vectors([c.row for c in fresh]).T
    for known, of_views in zip(fresh, similarity.T, strict=True):
        excess = of_views - background[:, 0]
        known.view = int(excess.argmax())
        known.similarity, known.excess = float(of_views.max()), float(max(excess.max(), 0))


def with_voted(candidates: list[Candidate], verified: int) -> list[Candidate]:
    """Candidates by prior, but a few of the first ``verified`` places for those most voted for."""
    behind = [c for c in candidates[verified - _VOTED :] if c.votes >= voting.CHANCE]
    voted = sorted(behind, key=lambda c: (-c.votes, c.row))[:_VOTED]
    taken = {c.row for c in voted}
    others = [c for c in candidates if c.row not in taken]
    kept = verified - len(voted)
    return [*others[:kept], *voted, *others[kept:]]


def background_of(
    rows: npt.NDArray[np.int64], similarity: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """What each view is as similar to by chance: (V, 1) (score normalisation, SSCD section 4.4).

    It is the mean of the view's farther neighbours, so a flat tile that is like everything does not
    outrank a distinctive one; 0 in small indexes. The excess over it is a candidate's prior.
    """
    similarity = np.where(rows >= 0, similarity, np.nan)
    if similarity.shape[1] < 8:
        return np.zeros((len(rows), 1), np.float32)
    with np.errstate(all="ignore"):
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            background = np.nanmean(similarity[:, 6:], axis=1, keepdims=True)
    return np.nan_to_num(background).astype(np.float32)
