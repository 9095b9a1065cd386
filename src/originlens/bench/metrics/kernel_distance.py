"""Kernel distance of two sets of features: squared mean discrepancy with a polynomial kernel.

Paper: Gretton et al. 2012 (JMLR 13), lemma 6; kernel of Binkowski et al. 2018, arXiv:1801.01401.
Why it works: unbiased at any number of vectors, unlike the Frechet distance, and assumes no
normality. Fails when: features are not of comparable scale in each dimension; values near 0 may be
negative by chance.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._features import FeatureMetric, features
from originlens.core.errors import UsageError
from originlens.core.registry import Cost, register


@register(
    metric_card(
        "kernel-distance",
        "squared maximum mean discrepancy of two sets of features",
        paper="Gretton et al. 2012, JMLR 13; Binkowski et al. 2018, arXiv:1801.01401",
        reads=("features", "features"),
        fails_when="dimensions differ much in scale",
        cost=Cost(ms_per_mpx=300, mb=130, note="two sets of 2,000 x 256", per="call"),
    )
)
class KernelDistance(FeatureMetric):
    """Unbiased squared MMD with k(x, y) = (x . y / D + 1)^``degree``; all vectors in one block."""

    higher_is_better = False
    bounds = (float("-inf"), float("inf"))

    def __init__(self, *, degree: int = 3) -> None:
        self.degree = degree

    def measure(self, truth: Any, output: Any) -> float:
        """The estimate; its expectation is 0 for equal distributions and positive otherwise."""
        if self.degree < 1:
            raise UsageError(f"a degree is at least 1, not {self.degree}")
        real, other = features(truth, output)
        n, m, size = len(real), len(other), real.shape[1]
        within_real = (real @ real.T / size + 1) ** self.degree
        within_other = (other @ other.T / size + 1) ** self.degree
        between = (real @ other.T / size + 1) ** self.degree
        return float(
            (within_real.sum() - np.trace(within_real)) / (n * (n - 1))
            + (within_other.sum() - np.trace(within_other)) / (m * (m - 1))
            - 2 * between.mean()
        )
