"""The part of Cllr that a better calibration would save: Cllr - Cllr_min.

Paper: Brümmer and du Preez 2006, doi:10.1016/j.csl.2005.08.001. Why it works: Cllr_min is the cost
after the best monotone map (pool adjacent violators), so that what remains above it is no fault of
the ranking. Fails when: the sample is small: the map is fitted to these very samples, so that
Cllr_min is optimistic and the loss, and still more a bootstrap of it, too large.
"""

from __future__ import annotations

from typing import Any

from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._scores import ClassMetric, score_cost, two_classes
from originlens.core import stats
from originlens.core.registry import register


@register(
    metric_card(
        "cllr-calibration-loss",
        "cost of likelihood ratios by bad calibration alone",
        paper="Brümmer and du Preez 2006, doi:10.1016/j.csl.2005.08.001",
        reads=("labels", "log10 likelihood ratios"),
        fails_when="the sample is small: the best map is fitted to it, so the loss looks larger",
        cost=score_cost(23),
    )
)
class CllrCalibrationLoss(ClassMetric):
    """Cllr minus Cllr_min, in bits."""

    higher_is_better = False
    bounds = (0.0, float("inf"))

    def measure(self, truth: Any, output: Any) -> float:
        """Loss of (N,) log10 likelihood ratios, in bits."""
        labels, llr = two_classes(truth, output)
        return max(0.0, stats.cllr(llr, labels) - stats.cllr_min(llr, labels))
