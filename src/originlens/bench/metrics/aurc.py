"""Area under the risk-coverage curve: how often kept answers are wrong, over all shares kept.

Paper: Geifman and El-Yaniv 2017, arXiv:1705.08500; the discrete area of Geifman et al. 2019,
arXiv:1805.08206. Why it works: a system that may abstain should be unsure where it is wrong. Fails
when: systems of different accuracy are compared, since the error rate itself is part of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._scores import score_cost
from originlens.bench.metrics._selective import SelectiveMetric, kept_errors
from originlens.core.registry import register


@register(
    metric_card(
        "aurc",
        "area under the risk-coverage curve",
        paper="Geifman and El-Yaniv 2017, arXiv:1705.08500",
        reads=("answers right or wrong", "confidences"),
        fails_when="systems of different accuracy are compared",
        cost=score_cost(19),
    )
)
class Aurc(SelectiveMetric):
    """Mean over k = 1..N of the error rate among the k most confident answers."""

    higher_is_better = False
    bounds = (0.0, 1.0)

    def measure(self, truth: Any, output: Any) -> float:
        """The area for (N,) confidences; ties count as in random order."""
        errors = kept_errors(truth, output)
        return float(np.mean(errors / np.arange(1, errors.size + 1)))
