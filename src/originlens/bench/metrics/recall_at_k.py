"""Share of queries whose true reference is among the first k answers.

Paper: the 1-recall@R of Jegou et al. 2011, doi:10.1109/TPAMI.2010.57. Why it works: what comes back
is looked at from the top. Fails when: false answers matter too, since it never counts them.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from originlens.bench.metrics._base import Indices, Metric, metric_card
from originlens.bench.metrics._scores import score_cost
from originlens.core import stats
from originlens.core.errors import UsageError
from originlens.core.registry import register


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
class RecallAtK(Metric):
    """Truth: one id per query, or a set of ids of which any counts.

    Output: per query the ids that came back, best first (a list, or a row of a (Q, K) array; fill
    up with an id that no truth has, such as -1). Units: queries. Exact interval.
    """

    higher_is_better = True
    bounds = (0.0, 1.0)

    def __init__(self, *, k: int = 1) -> None:
        self.k = k

    def measure(self, truth: Any, output: Any) -> float:
        """The share, over all queries."""
        return stats.recall_at(self._ranks(truth, output), self.k)

    def counts(self, truth: Any, output: Any) -> tuple[int, int]:
        """Queries answered, and all."""
        ranks = self._ranks(truth, output)
        return round(stats.recall_at(ranks, self.k) * len(ranks)), len(ranks)

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

    def _ranks(self, truth: Any, output: Any) -> list[int | None]:
        if self.k < 1:
            raise UsageError(f"k is at least 1, not {self.k}")
        if len(truth) != len(output) or not len(truth):
            raise UsageError(f"{len(output)} answers to {len(truth)} queries")
        return [_rank(wanted, found) for wanted, found in zip(truth, output, strict=True)]


def _rank(wanted: Any, found: Sequence[Hashable]) -> int | None:
    """Rank of the first true reference, 1 = first; None if none came back."""
    true = wanted if isinstance(wanted, (set, frozenset)) else {wanted}
    ids = found.tolist() if isinstance(found, np.ndarray) else found
    return next((rank for rank, name in enumerate(ids, 1) if name in true), None)
