"""Log-likelihood-ratio cost: how much a stated strength of evidence costs those who believe it.

Paper: Brümmer and du Preez 2006, doi:10.1016/j.csl.2005.08.001. Why it works: a proper scoring rule
averaged over all priors; 0 is perfect, 1 says nothing, more than 1 misleads. Fails when: one
confident mistake dominates a small sample (a wrong certainty costs infinity).
"""

from __future__ import annotations

from typing import Any

from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._scores import ClassMetric, score_cost, two_classes
from originlens.core import stats
from originlens.core.registry import register


@register(
    metric_card(
        "cllr",
        "cost of stated likelihood ratios",
        paper="Brümmer and du Preez 2006, doi:10.1016/j.csl.2005.08.001",
        reads=("labels", "log10 likelihood ratios"),
        fails_when="one confident mistake dominates a small sample",
        cost=score_cost(3),
    )
)
class Cllr(ClassMetric):
    """Mean cost in bits, both classes weighing the same."""

    higher_is_better = False
    bounds = (0.0, float("inf"))

    def measure(self, truth: Any, output: Any) -> float:
        """Cost of (N,) log10 likelihood ratios for the labels' true class, in bits."""
        labels, llr = two_classes(truth, output)
        return stats.cllr(llr, labels)
