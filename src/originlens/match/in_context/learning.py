"""From example pairs to a pattern."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core import geometry
from originlens.core.errors import UsageError
from originlens.core.image import Image
from originlens.core.processors import one_blas_thread
from originlens.core.registry import make
from originlens.match import LocalFeatures, decision
from originlens.match._query import WORKING_SIDE
from originlens.match.in_context import MOST_EXAMPLES, Example, Pattern, _restoration
from originlens.match.in_context._adaptation import adapted
from originlens.match.in_context._restoration import Aligned, Restoration
from originlens.match.in_context.searching import ConditionedSearcher
from originlens.match.search import Searcher
from originlens.store import DIMENSION

Vectors = npt.NDArray[np.float32]

_ALIGNED_INLIERS = 12
_GAIN = 0.025  # mean gain of held-out replicas in similarity, where there is any
_SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """An example with what is measured of it once."""

    original: Image
    replica: Image
    vector: Vectors  # (D,), the original's
    difference: Vectors  # (D,): what the pattern adds
    features: LocalFeatures  # the original's
    aligned: Aligned | None


@one_blas_thread()
def learn(examples: Sequence[Example], searcher: Searcher) -> Pattern:
    """Estimate a pattern from 1 to 20 pairs, in the context of an index.

    Args:
        examples: (original, replica) pairs; the originals may be in the index or not.
        searcher: of the index that will be searched; its pictures serve as what replicas must not
            be taken for.

    Raises:
        UsageError: there are no examples or too many.
        InputError: a picture cannot be decoded.
    """
    if not 1 <= len(examples) <= MOST_EXAMPLES:
        raise UsageError(f"{len(examples)} example pairs: give 1 to {MOST_EXAMPLES}")
    embedder = make("descriptor", searcher.store.descriptor, threads=1)
    with ThreadPoolExecutor(searcher.threads) as pool:
        pairs = list(pool.map(lambda e: _measure(e, embedder, searcher.verifier), examples))
    restoration, held_out = _restorations(pairs, embedder)
    copies: list[decision.Support] = []
    strangers: list[decision.Support] = []
    for i, pair in enumerate(pairs):
        others = _shift([p.difference for j, p in enumerate(pairs) if j != i])
        known = Pattern(others, held_out[i], searcher.model)
        copy, wrong = ConditionedSearcher(searcher, known).example(
            pair.original, pair.replica, pair.vector, pair.features
        )
        copies.append(copy)
        strangers += wrong
    shift = _shift([p.difference for p in pairs])
    return Pattern(shift, restoration, adapted(searcher.model, copies, strangers))


def _measure(example: Example, embedder: Any, verifier: Any) -> _Pair:
    original, replica = example
    first, second = original.reduced(WORKING_SIDE), replica.reduced(WORKING_SIDE)
    both = [first, second]
    # The mirrored pair is a second sample of what the pattern adds.
    mirrored = [np.ascontiguousarray(p[:, ::-1]) for p in both]
    vectors = embedder.describe_batch([*both, *mirrored])
    sizes = [(image.height, image.width) for image in (original, replica)]
    features = [verifier.features(p, full_size=s) for p, s in zip(both, sizes, strict=True)]
    found = verifier.verify(features[1], features[0])
    transform = None
    if found.transform is not None and found.inliers >= _ALIGNED_INLIERS:
        to_replica = geometry.scaling(sizes[1], second.shape[:2])
        transform = to_replica @ found.transform @ geometry.scaling(first.shape[:2], sizes[0])
    difference = (vectors[1::2] - vectors[::2]).mean(axis=0)
    aligned = _restoration.aligned(second, first, transform)
    return _Pair(original, replica, vectors[0], difference, features[0], aligned)


def _shift(differences: Sequence[Vectors]) -> Vectors:
    """The mean difference, shrunk towards none as if there were one more example without any."""
    if not differences:
        return np.zeros(DIMENSION, np.float32)
    return np.asarray(np.sum(differences, axis=0) / (len(differences) + 1), np.float32)


def _restorations(
    pairs: Sequence[_Pair], embedder: Any
) -> tuple[Restoration | None, list[Restoration | None]]:
    """The restoration, and for each pair the one that the others teach.

    Every replica is restored by what the others taught; if that brings too few of them nearer to
    their originals there is no restoration. One pair alone cannot be left out: its left half
    teaches for its right one and the other way round.
    """
    without: list[Restoration | None] = [None] * len(pairs)
    alike = {i: p.aligned for i, p in enumerate(pairs) if p.aligned is not None}
    if 2 * len(alike) < len(pairs):
        return None, without
    samples = list(alike.items())
    if len(samples) == 1:
        samples = [(samples[0][0], half) for half in _halves(samples[0][1])]
    rng = np.random.default_rng(_SEED)
    taught = [(i, s, m) for i, s in samples if (m := _restoration.moments(s, rng)) is not None]
    if len(taught) < 2:
        return None, without
    before, wanted = (
        embedder.describe_batch(pictures)
        for pictures in ([s.replica for _, s, _ in taught], [s.original for _, s, _ in taught])
    )
    every = [m for *_, m in taught]
    others = [_restoration.solved(every[:k] + every[k + 1 :]) for k in range(len(every))]
    after = embedder.describe_batch(
        [other(sample.replica) for other, (_, sample, _) in zip(others, taught, strict=True)]
    )
    gain = _margins(after, wanted) - _margins(before, wanted)
    # The restored query is a view beside the query itself: it need not help everywhere.
    if np.maximum(gain, 0).mean() < _GAIN:
        return None, without
    if len(alike) > 1:
        for other, (i, *_) in zip(others, taught, strict=True):
            without[i] = other
    return _restoration.solved(every), without


def _margins(replicas: Vectors, originals: Vectors) -> Vectors:
    """(N,) similarity of each replica to its original less the mean one to the others'."""
    similarity = replicas @ originals.T
    own = np.diag(similarity)
    if len(replicas) < 3:  # the halves of one pair share content
        return np.asarray(own, np.float32)
    others = (similarity.sum(axis=1) - own) / (len(replicas) - 1)
    return np.asarray(own - others, np.float32)


def _halves(pair: Aligned) -> list[Aligned]:
    middle = pair.replica.shape[1] // 2
    parts = (np.s_[:, :middle], np.s_[:, middle:])
    return [
        Aligned(
            np.ascontiguousarray(pair.replica[part]),
            np.ascontiguousarray(pair.original[part]),
            pair.covered[part],
        )
        for part in parts
    ]
