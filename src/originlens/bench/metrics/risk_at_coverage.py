"""Error rate among the most confident answers that make up a fixed coverage.

Paper: El-Yaniv and Wiener 2010 (JMLR 11, 1605-1641). Why it works: it tells what abstaining on the
rest buys. Fails when: confidences are tied around the cut, where the expectation over random order
stands in.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._scores import Labels, score_cost, scored
from originlens.bench.metrics._selective import SelectiveMetric, kept_errors
from originlens.core.errors import UsageError
from originlens.core.registry import register


@register(
    metric_card(
        "risk-at-coverage",
        "error rate among the most confident answers",
        paper="El-Yaniv and Wiener 2010, JMLR 11",
        reads=("answers right or wrong", "confidences"),
        fails_when="confidences are tied around the cut",
        cost=score_cost(19),
    )
)
class RiskAtCoverage(SelectiveMetric):
    """Errors among the ceil(``coverage`` x N) most confident answers, as a share of them.

    The interval is the exact one of that share (errors rounded up where ties split one), widened
    to that of a bootstrap that chooses the answers anew.
    """

    higher_is_better = False
    bounds = (0.0, 1.0)
    chooses = True

    def __init__(self, *, coverage: float = 0.8) -> None:
        self.coverage = coverage

    def measure(self, truth: Any, output: Any) -> float:
        """The share for (N,) confidences."""
        errors, kept = self._kept(truth, output)
        return errors / kept

    def counts(self, truth: Any, output: Any) -> tuple[int, int]:
        """Errors among, and number of, the answers kept."""
        errors, kept = self._kept(truth, output)
        return math.ceil(errors - 1e-9), kept

    def deciding(self, truth: Any, output: Any) -> Labels:
        """The answers kept, with all that are tied at the cut."""
        _, confidence = scored(truth, output)
        cut = np.sort(confidence)[-self._kept(truth, output)[1]]
        return np.asarray(confidence >= cut)[None]

    def _kept(self, truth: Any, output: Any) -> tuple[float, int]:
        if not 0 < self.coverage <= 1:
            raise UsageError(f"a coverage lies in (0, 1], not {self.coverage}")
        errors = kept_errors(truth, output)
        # Rounding noise must not keep one more: 0.07 x 100 is 7.000000000000001.
        kept = max(1, math.ceil(self.coverage * errors.size - 1e-9))
        return float(errors[kept - 1]), kept
