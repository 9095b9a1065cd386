"""Share of queries whose true reference is among the first k answers.

Paper: the 1-recall@R of Jegou et al. 2011, doi:10.1109/TPAMI.2010.57. Why it works: what comes back
is looked at from the top. Fails when: false answers matter too, since it never counts them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from originlens.bench.metrics._base import Indices, MeanMetric, metric_card
from originlens.bench.metrics._scores import score_cost
from originlens.core.errors import UsageError
from originlens.core.registry import register
from originlens.core.stats import Floats


@register(
    metric_card(
        "recall-at-k",
        "share of queries answered among the first k",
        paper="Jegou et al. 2011, doi:10.1109/TPAMI.2010.57",
        reads=("true references", "ranked references"),
        fails_when="false answers matter too",
        cost=score_cost(300),
    )
)
class RecallAtK(MeanMetric):
    """Truth: one id per query, or a set of ids of which any counts.

    Output: per query the ids that came back, best first (a list, or a row of a (Q, K) array; fill
    up with an id that no truth has, such as -1). Units: queries. Exact interval.
    """

    higher_is_better = True
    bounds = (0.0, 1.0)

    def __init__(self, *, k: int = 1) -> None:
        self.k = k

    def each(self, truth: Any, output: Any) -> Floats:
        """(N,) float64: 1 for a query answered among the first k, else 0.

        Raises:
            UsageError: no query, not one answer each, or k below 1.
        """
        if self.k < 1:
            raise UsageError(f"k is at least 1, not {self.k}")
        if len(truth) != len(output) or not len(truth):
            raise UsageError(f"{len(output)} answers to {len(truth)} queries")
        pairs = zip(truth, output, strict=True)
        return np.array([_found(true, ids, self.k) for true, ids in pairs], dtype=np.float64)

    def counts(self, truth: Any, output: Any) -> tuple[int, int]:
        """Queries answered, and all."""
        hits = self.each(truth, output)
        return int(hits.sum()), hits.size

    def units(self, truth: Any, output: Any) -> int:
        """The number of queries."""
        return len(truth)

    def take(self, truth: Any, output: Any, indices: Indices) -> tuple[Any, Any]:
        """Queries at the indices."""
        return [truth[i] for i in indices], [output[i] for i in indices]

    def examples(self) -> dict[str, tuple[Any, Any]]:
        """Every reference first, two of three, none."""
        ids = list(range(30))
        return {
            "perfect": (ids, [[i, -1] for i in ids]),
            "typical": (ids, [[i if i % 3 else -1, -1] for i in ids]),
            "worst": (ids, [[-1] for _ in ids]),
        }


def _found(wanted: Any, ids: Sequence[Hashable], k: int) -> bool:
    """Whether a true reference is among the first k ids."""
    true = wanted if isinstance(wanted, (set, frozenset)) else {wanted}
    first = ids[:k]
    return not true.isdisjoint(first.tolist() if isinstance(first, np.ndarray) else first)
