"""Expected calibration error: how far stated probabilities are from what happens.

Paper: Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602. Why it works: among samples that are said to
be positive with 70 %, 70 % should be. Fails when: the sample is small, since chance alone makes it
positive (and a bootstrap more so), or the bins (equal width, the last one closed) hide errors of
opposite sign.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._scores import ScoreMetric, score_cost, scored
from originlens.core import stats
from originlens.core.errors import UsageError
from originlens.core.registry import register


@register(
    metric_card(
        "ece",
        "expected calibration error of probabilities",
        paper="Naeini et al. 2015, doi:10.1609/aaai.v29i1.9602",
        reads=("labels", "probabilities"),
        fails_when="the sample is small: chance alone makes it positive",
        cost=score_cost(0.5),
    )
)
class Ece(ScoreMetric):
    """Mean distance of stated and observed share over ``bins`` equal-width bins."""

    higher_is_better = False
    bounds = (0.0, 1.0)

    def __init__(self, *, bins: int = 10) -> None:
        self.bins = bins

    def measure(self, truth: Any, output: Any) -> float:
        """Error of (N,) probabilities of the positive class."""
        labels, stated = scored(truth, output)
        if self.bins < 1:
            raise UsageError(f"at least one bin, not {self.bins}")
        if stated.min() < 0 or stated.max() > 1:
            raise UsageError("a probability lies outside [0, 1]")
        return stats.expected_calibration_error(stated, labels, self.bins)

    def examples(self) -> dict[str, tuple[Any, Any]]:
        """Certain and right, half informed, certain and wrong."""
        labels = np.arange(120) % 3 == 0
        return {
            "perfect": (labels, labels.astype(float)),
            "typical": (labels, np.where(labels, 0.6, 0.2)),
            "worst": (labels, 1.0 - labels),
        }
