"""Frechet distance of two sets of features, each taken as a normal distribution.

Paper: Dowson and Landau 1982, doi:10.1016/0047-259X(82)90077-X; on features: Heusel et al. 2017,
arXiv:1706.08500. Why it works: it grows with the difference of means and of spreads. Fails when:
vectors are few against dimensions (biased upwards: compare equal N only) or far from normal.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._features import FeatureMetric, features
from originlens.core.registry import Cost, register
from originlens.core.stats import Floats


@register(
    metric_card(
        "frechet-distance",
        "squared Frechet distance of two sets of features",
        paper="Dowson and Landau 1982; Heusel et al. 2017, arXiv:1706.08500",
        reads=("features", "features"),
        fails_when="vectors are few against dimensions, or numbers differ between comparisons",
        cost=Cost(ms_per_mpx=60, mb=10, note="two sets of 2,000 x 256", per="call"),
    )
)
class FrechetDistance(FeatureMetric):
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)) with sample covariances (N - 1)."""

    higher_is_better = False
    bounds = (0.0, float("inf"))

    def measure(self, truth: Any, output: Any) -> float:
        """Squared distance, in squared units of the features."""
        real, other = features(truth, output)
        gap = real.mean(axis=0) - other.mean(axis=0)
        a, b = _factor(real), _factor(other)
        # With Ci = Ri' Ri, (C1 C2)^(1/2) has the singular values of R1 R2' as eigenvalues: no root
        # of a matrix that need not be symmetric, and no trouble where a covariance is singular.
        cross = np.linalg.svd(a @ b.T, compute_uv=False).sum()
        return max(0.0, float(gap @ gap + np.sum(a * a) + np.sum(b * b) - 2 * cross))


def _factor(sample: Floats) -> Floats:
    """R with R' R = sample covariance."""
    centred = (sample - sample.mean(axis=0)) / np.sqrt(len(sample) - 1)
    return np.asarray(np.linalg.qr(centred, mode="r"))
