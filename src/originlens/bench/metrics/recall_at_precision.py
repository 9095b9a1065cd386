"""Recall of a ranking of all pairs at a fixed precision (R@P90).

Paper: Douze et al. 2021 (Image Similarity Challenge), arXiv:2106.09672. Why it works: it is the
recall at a threshold that a user could set. Fails when: few pairs are ranked, since one false pair
on top can then decide everything.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._rankings import PairMetric
from originlens.bench.metrics._scores import score_cost
from originlens.core import stats
from originlens.core.errors import UsageError
from originlens.core.registry import register
from originlens.core.stats import Floats


@register(
    metric_card(
        "recall-at-precision",
        "recall of a ranking of pairs at a precision",
        paper="Douze et al. 2021, arXiv:2106.09672",
        reads=("pairs", "scores"),
        fails_when="few pairs are ranked",
        cost=score_cost(18),
    )
)
class RecallAtPrecision(PairMetric):
    """Highest recall at a precision >= ``precision``; 0 if it is never reached."""

    higher_is_better = True
    bounds = (0.0, 1.0)

    def __init__(self, *, precision: float = 0.9) -> None:
        self.precision = precision

    def ranked(self, scores: Floats, correct: npt.NDArray[np.bool_], positives: int) -> float:
        """Recall of pairs; ties pass together."""
        if not 0 < self.precision <= 1:
            raise UsageError(f"a precision lies in (0, 1], not {self.precision}")
        return stats.recall_at_precision(scores, correct, positives, self.precision)
