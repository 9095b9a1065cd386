"""The decision model moved towards what example pairs look like.

The shipped model's weights are the prior (maximum a posteriori, a normal distribution about them;
Gauvain, Lee, IEEE TSAP 1994, for the principle): the examples are copies, what their replicas find
in the index are none. The bias is then set so that the shipped null, measured again, exceeds the
usual threshold as often as before: examples change what ranks high, not how often chance does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from originlens.match import decision
from originlens.match.decision import DecisionModel, Support

Floats = npt.NDArray[np.float64]

_SPREAD = 1.5  # standard deviation of a weight about the shipped one
_ANCHOR = 0.007  # the share of unrelated queries at which the old and the new score agree
_CLEAR = 2.0  # log-odds by which copies should be no other view
_MOST_VIEW = 8.0  # log-odds by which that bound moves at most
_ROUNDS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Null:
    """Candidates of unrelated queries under the shipped pipeline.

    ``features`` (N, 11) and ``sameness`` (N, 5) float64 as :mod:`originlens.match.decision` has
    them, ``judged`` (N,) bool where there are points enough to judge a view by, ``query`` (N,) int.
    """

    features: Floats
    sameness: Floats
    judged: npt.NDArray[np.bool_]
    query: npt.NDArray[np.int64]

    @staticmethod
    @lru_cache(maxsize=1)
    def shipped() -> Null:
        """What the package holds, made by ``train/in_context``."""
        file = resources.files("originlens.match.in_context").joinpath("null.npz")
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            if tuple(stored["names"]) != (*decision.FEATURES, *decision.SAMENESS):
                raise ValueError("null.npz was made for other features: run train/in_context")
            count = len(decision.FEATURES)
            values = stored["values"].astype(np.float64)
            judged, query = stored["judged"], stored["query"].astype(np.int64)
        return Null(values[:, :count], values[:, count:], judged, query)

    def reached(self, model: DecisionModel, share: float) -> float:
        """The score that a ``share`` of the queries exceeds with a candidate that is no view."""
        view = np.where(self.judged, self.sameness @ model.view_weights + model.view_bias, -30.0)
        chance = -np.clip(self.features @ model.weights + model.bias, -30, 30)
        scores = -np.logaddexp(np.logaddexp(chance, view), view + chance)
        best = np.full(int(self.query.max()) + 1, -30.0)
        np.maximum.at(best, self.query, np.where(view > 0, -30.0, scores))
        return float(np.quantile(best, 1 - share))


def adapted(
    model: DecisionModel, copies: Sequence[Support], strangers: Sequence[Support]
) -> DecisionModel:
    """The model conditioned on examples.

    Args:
        model: the shipped one.
        copies: what speaks for each example's original, given its replica.
        strangers: what speaks for other pictures, given those replicas.
    """
    null = Null.shipped()
    positive = np.array([decision.features(s) for s in copies])
    negative = np.array([decision.features(s) for s in strangers])
    weights, bias = _map_estimate(model, positive, negative, null.features)
    lowered = model.view_bias - _view_shift(model, copies)
    moved = replace(model, weights=weights, bias=bias, view_bias=lowered)
    # The score is monotone in the bias: bisection finds where the null reaches what it did.
    wanted = null.reached(model, _ANCHOR)
    low, high = bias - 15.0, bias + 15.0
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        if null.reached(replace(moved, bias=middle), _ANCHOR) > wanted:
            high = middle
        else:
            low = middle
    return replace(moved, bias=low)


def _map_estimate(
    model: DecisionModel, positive: Floats, negative: Floats, null: Floats
) -> tuple[Floats, float]:
    """Weights and bias by Newton's method; each negative set weighs as much as the examples."""
    parts = [p for p in (positive, negative, null) if len(p)]
    inputs = np.vstack([np.column_stack([p, np.ones(len(p))]) for p in parts])
    truth = np.repeat([1.0] + [0.0] * (len(parts) - 1), [len(p) for p in parts])
    mass = np.repeat([len(positive) / len(p) for p in parts], [len(p) for p in parts])
    prior = np.append(model.weights, model.bias)
    # The bias is free: it is anchored to the null afterwards.
    precision = np.append(np.full(len(model.weights), _SPREAD**-2), 1e-3)
    found = prior.copy()
    for _ in range(_ROUNDS):
        p = 1 / (1 + np.exp(-np.clip(inputs @ found, -30, 30)))
        slope = inputs.T @ (mass * (p - truth)) + precision * (found - prior)
        bend = (inputs * (mass * p * (1 - p))[:, None]).T @ inputs + np.diag(precision)
        step = np.linalg.solve(bend, slope)
        found = found - step / max(1.0, float(np.abs(step).max()) / 2)
        if np.abs(step).max() < 1e-4:
            break
    return found[:-1], float(found[-1])


def _view_shift(model: DecisionModel, copies: Sequence[Support]) -> float:
    """By how much less a candidate is taken for another view, so that three in four examples are
    clear of it; the fewer examples, the less of that."""
    judged = [
        float(decision.sameness(s.geometry) @ model.view_weights + model.view_bias)
        for s in copies
        if s.geometry.inliers >= decision.JUDGED_INLIERS
    ]
    if not judged:
        return 0.0
    wanted = float(np.quantile(judged, 0.75)) + _CLEAR
    return float(np.clip(wanted, 0.0, _MOST_VIEW)) * len(judged) / (len(judged) + 1)
