"""Metrics of one ranking of all (query, reference) pairs of all queries."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.bench.metrics._base import Indices, Interval, Metric
from originlens.bench.results import Pairs
from originlens.core import stats
from originlens.core.errors import UsageError
from originlens.core.stats import Floats


class PairMetric(Metric):
    """Truth: :class:`Pairs`; output: (N,) float scores of the pairs; units: queries."""

    @abstractmethod
    def ranked(self, scores: Floats, correct: npt.NDArray[np.bool_], positives: int) -> float:
        """The value of (N,) scores and flags of pairs, given the number of all true pairs."""

    def measure(self, truth: Any, output: Any) -> float:
        """The value of (N,) float scores of :class:`~originlens.bench.results.Pairs`."""
        pairs, scores, positives = checked(truth, output)
        return self.ranked(scores, pairs.correct, positives)

    def resampled(
        self,
        truth: Any,
        output: Any,
        rng: np.random.Generator,
        level: float,
        groups: Sequence[Hashable] | None,
        rounds: int,
    ) -> Interval:
        """Bootstrap over queries or groups of them."""
        pairs, scores, _ = checked(truth, output)
        # Sorted once and then only repeated, pairs stay sorted: sorting them again costs little.
        order = np.argsort(-scores, kind="stable")
        scores, correct, query = scores[order], pairs.correct[order], pairs.query[order]

        def statistic(drawn: Floats) -> float:
            times = np.bincount(drawn.astype(np.int64), minlength=pairs.positives.size)
            positives = int(times @ pairs.positives)
            if not positives:
                return math.nan
            rows = np.repeat(np.arange(scores.size), times[query])
            return self.ranked(scores[rows], correct[rows], positives)

        rows = np.arange(pairs.positives.size)
        return stats.bootstrap(rows, statistic, rng, groups=groups, rounds=rounds, level=level)

    def units(self, truth: Any, output: Any) -> int:
        """The number of queries."""
        return int(truth.positives.size)

    def deciding(self, truth: Any, output: Any) -> npt.NDArray[np.bool_]:
        """Queries that have a true reference."""
        return np.asarray(truth.positives > 0)[None]

    def take(self, truth: Any, output: Any, indices: Indices) -> tuple[Any, Any]:
        """The drawn queries with all their pairs; one drawn twice counts as two queries."""
        order = np.argsort(truth.query, kind="stable")
        ends = np.cumsum(np.bincount(truth.query, minlength=truth.positives.size))
        starts = np.concatenate([[0], ends[:-1]])
        lengths = (ends - starts)[indices]
        # Positions 0, 1 ... within each drawn query, behind one another.
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        rows = order[np.repeat(starts[indices], lengths) + within]
        drawn = np.repeat(np.arange(indices.size), lengths)
        return Pairs(truth.correct[rows], drawn, truth.positives[indices]), output[rows]

    def examples(self) -> dict[str, tuple[Any, Any]]:
        """Thirty queries with one true pair and two false ones each, and ten without."""
        rng = np.random.default_rng(0)
        query = np.repeat(np.arange(40), 3)
        correct = (np.arange(120) % 3 == 0) & (query < 30)
        truth = Pairs(correct, query, (np.arange(40) < 30).astype(np.int64))
        nothing = Pairs(np.zeros(120, bool), query, truth.positives)
        return {
            "perfect": (truth, correct.astype(float)),
            "typical": (truth, rng.normal(2.0 * correct, 1.0)),
            "worst": (nothing, rng.normal(size=120)),
        }


def checked(truth: Any, output: Any) -> tuple[Pairs, Floats, int]:
    """Pairs, their scores, and the number of all true pairs.

    Raises:
        UsageError: not pairs, not one score each, a NaN score, or no true pair at all.
    """
    if not isinstance(truth, Pairs):
        raise UsageError(f"the truth of a ranking is Pairs, not {type(truth).__name__}")
    scores = np.asarray(output, dtype=np.float64)
    if scores.shape != truth.correct.shape:
        raise UsageError(f"scores {scores.shape} for {truth.correct.size} pairs")
    if np.isnan(scores).any():
        raise UsageError("a score is NaN")
    positives = int(truth.positives.sum())
    if not positives:
        raise UsageError("no query has a true pair")
    return truth, scores, positives
