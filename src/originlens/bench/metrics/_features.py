"""Distances of two sets of feature vectors as samples of two distributions.

Truth: (N, D) float features of the real (reference) set; output: (M, D) of the other one, by the
same network. The features are the caller's, so the values are no FID or KID, which are defined on
one network's: they compare only with values on the same features. Units: vectors, truth first.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

from originlens.bench.metrics._base import Indices, Interval, Metric
from originlens.core import stats
from originlens.core.errors import UsageError
from originlens.core.stats import Floats


class FeatureMetric(Metric):
    """The interval is a delete-a-group jackknife in 20 blocks of vectors of both sets.

    A bootstrap would repeat vectors, which looks like two sets that share elements. ``groups`` has
    one label per vector, those of the truth first.
    """

    def units(self, truth: Any, output: Any) -> int:
        """The number of vectors in both sets."""
        return len(truth) + len(output)

    def take(self, truth: Any, output: Any, indices: Indices) -> tuple[Any, Any]:
        """Vectors at the indices, each in its set."""
        first = np.asarray(indices) < len(truth)
        return (
            np.asarray(truth)[indices[first]],
            np.asarray(output)[indices[~first] - len(truth)],
        )

    def resampled(
        self,
        truth: Any,
        output: Any,
        rng: np.random.Generator,
        level: float,
        groups: Sequence[Hashable] | None,
        rounds: int,
    ) -> Interval:
        """Jackknife over blocks of vectors or groups; ``rounds`` plays no part."""

        def statistic(kept: Indices) -> float:
            return self.measure(*self.take(truth, output, kept))

        count = self.units(truth, output)
        return stats.jackknife(count, statistic, rng, groups=groups, level=level)

    def examples(self) -> dict[str, tuple[Any, Any]]:
        """The same set, a set shifted a little, one shifted far."""
        rng = np.random.default_rng(0)
        real, other = rng.normal(size=(80, 6)), rng.normal(size=(90, 6))
        return {
            "perfect": (real, real.copy()),
            "typical": (real, other + 0.5),
            "worst": (real, 20 * other + 99),
        }


def features(truth: Any, output: Any) -> tuple[Floats, Floats]:
    """Both sets as float64.

    Raises:
        UsageError: not (N, D) and (M, D) with N, M > 1, or a value that is not finite.
    """
    real, other = np.asarray(truth, dtype=np.float64), np.asarray(output, dtype=np.float64)
    if real.ndim != 2 or other.ndim != 2 or real.shape[1] != other.shape[1]:
        raise UsageError(f"features {real.shape} and {other.shape} are not (N, D) and (M, D)")
    if min(len(real), len(other)) < 2:
        raise UsageError("two vectors of each set are the least")
    if not (np.isfinite(real).all() and np.isfinite(other).all()):
        raise UsageError("a feature is not finite")
    return real, other
