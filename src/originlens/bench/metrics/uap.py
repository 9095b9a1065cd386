"""Micro average precision over one ranking of all pairs of all queries (uAP).

Paper: Douze et al. 2021 (Image Similarity Challenge), arXiv:2106.09672. Why it works: a single
threshold must serve all queries, and queries without an original may only hurt. Fails when: the
share of such queries differs between sets, which moves the value without any change in the method.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._rankings import PairMetric
from originlens.bench.metrics._scores import score_cost
from originlens.core import stats
from originlens.core.registry import register
from originlens.core.stats import Floats


@register(
    metric_card(
        "uap",
        "micro average precision of a ranking of pairs",
        paper="Douze et al. 2021, arXiv:2106.09672",
        reads=("pairs", "scores"),
        fails_when="the share of queries without an original differs between sets",
        cost=score_cost(16),
    )
)
class Uap(PairMetric):
    """Sum over the ranking of precision x gain in recall; true pairs not returned count as missed.

    Tied scores are one step with the precision at its end (pessimistic: no order within can help).
    """

    higher_is_better = True
    bounds = (0.0, 1.0)

    def ranked(self, scores: Floats, correct: npt.NDArray[np.bool_], positives: int) -> float:
        """uAP of pairs."""
        return stats.micro_average_precision(scores, correct, positives)
