"""Equal error rate: where misses and false alarms are equally frequent.

Paper: Brümmer and du Preez 2006, doi:10.1016/j.csl.2005.08.001. Why it works: one number without a
threshold, known from biometrics. Fails when: the two errors do not cost the same, as here, where a
false alarm is dearer; ties are split as on the linearly interpolated ROC curve.
"""

from __future__ import annotations

from typing import Any

from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._scores import ClassMetric, curve, score_cost
from originlens.core.registry import register


@register(
    metric_card(
        "eer",
        "equal error rate",
        paper="Brümmer and du Preez 2006, doi:10.1016/j.csl.2005.08.001",
        reads=("labels", "scores"),
        fails_when="misses and false alarms do not cost the same",
        cost=score_cost(18),
    )
)
class Eer(ClassMetric):
    """FPR where it equals 1 - TPR on the linearly interpolated ROC curve."""

    higher_is_better = False
    bounds = (0.0, 1.0)

    def measure(self, truth: Any, output: Any) -> float:
        """Equal error rate of (N,) scores that rise with the label."""
        return curve(truth, output).eer
