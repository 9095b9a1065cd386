"""Selective answering: risk among the answers that a confidence keeps."""

from __future__ import annotations

from typing import Any

import numpy as np

from originlens.bench.metrics._scores import ScoreMetric, scored
from originlens.core.stats import Floats


class SelectiveMetric(ScoreMetric):
    """Truth: (N,) bool or 0/1, answer was right; output: (N,) float confidences; units: answers."""

    def examples(self) -> dict[str, tuple[Any, Any]]:
        """No error, errors that are mostly unsure, nothing but errors."""
        confidence = np.linspace(0, 1, 60)
        right = np.random.default_rng(0).random(60) < 0.5 + confidence / 2
        return {
            "perfect": (np.ones(60, bool), confidence),
            "typical": (right, confidence),
            "worst": (np.zeros(60, bool), confidence),
        }


def kept_errors(truth: Any, output: Any) -> Floats:
    """(N,) float64: expected errors among the 1, 2 ... N most confident answers.

    Within a group of tied confidences, answers are kept in random order; the expectation over that
    order is a straight line, so that no order of the input can help.
    """
    right, confidence = scored(truth, output)
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    errors = np.cumsum(~right[order], dtype=np.float64)[last]
    steps = np.concatenate([[0], last + 1])
    return np.interp(np.arange(1, ranked.size + 1), steps, np.concatenate([[0.0], errors]))
