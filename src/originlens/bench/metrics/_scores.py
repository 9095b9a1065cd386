"""Metrics of scored samples: one label and one score each."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.bench.metrics._base import Indices, Metric
from originlens.core import stats
from originlens.core.errors import UsageError
from originlens.core.registry import Cost
from originlens.core.stats import Floats

Labels = npt.NDArray[np.bool_]


class ScoreMetric(Metric):
    """Truth: (N,) bool or 0/1 labels; output: (N,) float scores; units: samples."""

    def units(self, truth: Any, output: Any) -> int:
        """The number of samples."""
        return len(truth)

    def take(self, truth: Any, output: Any, indices: Indices) -> tuple[Any, Any]:
        """Samples at the indices."""
        return np.asarray(truth)[indices], np.asarray(output)[indices]

    def examples(self) -> dict[str, tuple[Any, Any]]:
        """Separated, overlapping and reversed classes."""
        labels = np.arange(120) % 3 == 0
        scores = np.random.default_rng(0).normal(np.where(labels, 0.6, -0.6), 1.0)
        return {
            "perfect": (labels, np.where(labels, np.inf, -np.inf)),
            "typical": (labels, scores),
            "worst": (labels, np.where(labels, -np.inf, np.inf)),
        }


class ClassMetric(ScoreMetric):
    """A metric that sets both classes against each other."""

    def deciding(self, truth: Any, output: Any) -> Labels:
        """Positives and negatives: the smaller class has as many pairs that share no sample."""
        labels, _ = scored(truth, output)
        return np.stack([labels, ~labels])


def score_cost(ms: float) -> Cost:
    """Cost of one call on 100,000 samples."""
    return Cost(ms_per_mpx=ms, mb=10.0, note="100,000 samples", per="call")


def scored(truth: Any, output: Any) -> tuple[Labels, Floats]:
    """Labels and scores as flat arrays.

    Raises:
        UsageError: none, different numbers, labels that are not bool or 0/1, or a NaN score.
    """
    labels, scores = np.asarray(truth), np.asarray(output, dtype=np.float64)
    if labels.ndim != 1 or labels.shape != scores.shape or not labels.size:
        raise UsageError(f"labels {labels.shape} and scores {scores.shape} are not (N,), N > 0")
    if labels.dtype != bool and not np.isin(labels, (0, 1)).all():
        raise UsageError("labels are bool or 0 and 1")
    if np.isnan(scores).any():
        raise UsageError("a score is NaN")
    return labels.astype(bool), scores


def two_classes(truth: Any, output: Any) -> tuple[Labels, Floats]:
    """The same, with at least one sample of each class.

    Raises:
        UsageError: a class is missing too.
    """
    labels, scores = scored(truth, output)
    if labels.all() or not labels.any():
        raise UsageError("both classes must be present")
    return labels, scores


def curve(truth: Any, output: Any) -> stats.Roc:
    """The ROC curve of checked labels and scores."""
    labels, scores = two_classes(truth, output)
    return stats.roc(scores, labels)
