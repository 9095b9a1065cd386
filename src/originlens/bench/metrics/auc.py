"""Area under the ROC curve.

Paper: Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747. Why it works: it is the chance
that a positive scores above a negative, whatever the threshold and the class balance. Fails when:
only very low false-positive rates matter, which it hardly sees.
"""

from __future__ import annotations

from typing import Any

from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._scores import ClassMetric, curve, score_cost
from originlens.core.registry import register


@register(
    metric_card(
        "auc",
        "area under the ROC curve",
        paper="Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747",
        reads=("labels", "scores"),
        fails_when="only very low false-positive rates matter",
        cost=score_cost(18),
    )
)
class Auc(ClassMetric):
    """P(positive > negative) + P(tie) / 2."""

    higher_is_better = True
    bounds = (0.0, 1.0)

    def measure(self, truth: Any, output: Any) -> float:
        """Area under the curve of (N,) scores that rise with the label."""
        return curve(truth, output).auc
