"""True-positive rate at a fixed false-positive rate (1 %, 0.1 %, 10^-k).

Paper: the TPR@0.1 %FPR of WAVES (An et al. 2024, arXiv:2401.08573); the bound is that of Clopper
and Pearson 1934. Why it works: it is what a user sees who may be wrong that rarely. Fails when: the
sample has too few negatives to know such a rate: the note then says so, with the rate that can be
claimed.
"""

from __future__ import annotations

from typing import Any

from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._scores import Labels, ScoreMetric, curve, score_cost, scored
from originlens.core.errors import UsageError
from originlens.core.registry import register


@register(
    metric_card(
        "tpr-at-fpr",
        "true-positive rate at a false-positive rate",
        paper="An et al. 2024 (WAVES), arXiv:2401.08573; Clopper and Pearson 1934",
        reads=("labels", "scores"),
        fails_when="there are too few negatives to know the rate; the note says so",
        cost=score_cost(18),
    )
)
class TprAtFpr(ScoreMetric):
    """Highest TPR of a threshold (score >= threshold) whose measured FPR is <= ``fpr``.

    Thresholds are scores of the sample; a tie is passed as a whole or not at all. The interval is
    the exact one of the TPR at the threshold, widened to that of a bootstrap that chooses the
    threshold anew (the bootstrap of groups alone where groups are given, unless the TPR is 0 or 1).
    """

    higher_is_better = True
    bounds = (0.0, 1.0)
    chooses = True

    def __init__(self, *, fpr: float = 0.01) -> None:
        self.fpr = fpr

    def measure(self, truth: Any, output: Any) -> float:
        """The TPR of (N,) scores that rise with the label."""
        if not 0 <= self.fpr <= 1:
            raise UsageError(f"a false-positive rate lies in [0, 1], not {self.fpr}")
        return curve(truth, output).tpr_at(self.fpr)[0]

    def counts(self, truth: Any, output: Any) -> tuple[int, int]:
        """Positives at or above the threshold, and all positives."""
        positives = curve(truth, output).positives
        return round(self.measure(truth, output) * positives), positives

    def deciding(self, truth: Any, output: Any) -> Labels:
        """The positives."""
        return scored(truth, output)[0][None]

    def bound(self, truth: Any, output: Any, *, level: float = 0.95) -> float:
        """Exact one-sided upper bound of the true FPR at the threshold; > ``fpr``: not shown.

        With n negatives and none above the threshold it is 1 - (1 - level)^(1/n), about 3 / n.
        It holds although the sample chose the threshold: with k negatives at or above it, the rate
        is at most that of the next negative, whose distribution is the bound's Beta(k + 1, n - k).
        """
        return curve(truth, output).tpr_at(self.fpr, level)[2]

    def note(self, truth: Any, output: Any, level: float) -> str:
        """The measured rate with its bound, and whether the sample can claim the rate asked for."""
        negatives = curve(truth, output).negatives
        bound = self.bound(truth, output, level=level)
        said = f"FPR <= {bound:.3g} ({100 * level:g} % bound, {negatives} negatives)"
        return said if bound <= self.fpr else f"{said}: the sample cannot claim {self.fpr:g}"
