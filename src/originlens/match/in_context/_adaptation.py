"""The decision model moved towards what example pairs look like.

The shipped weights, of the model of chance and of that of other views, are the prior (maximum a
posteriori, a normal distribution about them; Gauvain, Lee, IEEE TSAP 1994, for the principle): the
examples are copies, what their replicas find in the index is chance, and other views are those
that unrelated photographs meet. The bias is then set so that the shipped null, measured again,
exceeds the usual threshold as often as before: examples change what ranks high, not how often
chance does.
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

_SPREAD = 2.5  # standard deviation of a weight about the shipped one
_VIEW_SPREAD = 3.0  # the same of the model of other views
_ANCHOR = 0.007  # the share of unrelated queries at which the old and the new score agree
_CLEAR = 2.0  # log-odds by which copies should be no other view
_MOST_VIEW = 8.0  # log-odds by which that bound moves at most
_CAUTION = 1.0  # log-odds taken off for queries that the pattern makes like each other
_ROUNDS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Null:
    """Candidates of unrelated queries under the shipped pipeline.

    ``features`` (N, 12) and ``sameness`` (N, 5) float64 as :mod:`originlens.match.decision` has
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

    def views(self, model: DecisionModel) -> Floats:
        """(M, 5) sameness of the candidates that the model calls other views."""
        return self.sameness[model.views(self.sameness, self.judged) > 0]

    def reached(self, model: DecisionModel, share: float) -> float:
        """The score that a ``share`` of the queries exceeds with a candidate that is no view.

        What the shipped model calls another view is none of chance's doing under any model:
        photographs of one thing would set the bound that unrelated ones have to stay below.
        """
        view = model.views(self.sameness, self.judged)
        other = (view > 0) | (decision.shipped().views(self.sameness, self.judged) > 0)
        best = np.full(int(self.query.max()) + 1, -30.0)
        scores = np.where(other, -30.0, model.scores(self.features, view))
        np.maximum.at(best, self.query, scores)
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
    prior = np.append(model.weights, model.bias)
    # The bias is free: it is anchored to the null afterwards.
    spread = np.append(np.full(len(model.weights), _SPREAD), 30.0)
    found = _map_estimate(prior, spread, positive, [negative, null.features])
    moved = _other_views(
        replace(model, weights=found[:-1], bias=float(found[-1])), copies, null.views(model)
    )
    # The score is monotone in the bias: bisection finds where the null reaches what it did.
    wanted = null.reached(model, _ANCHOR)
    low, high = moved.bias - 15.0, moved.bias + 15.0
    for _ in range(_ROUNDS):
        middle = (low + high) / 2
        if null.reached(replace(moved, bias=middle), _ANCHOR) > wanted:
            high = middle
        else:
            low = middle
    # The null is of photographs as they are: strangers under the pattern are more alike.
    return replace(moved, bias=low - _CAUTION * len(copies) / (len(copies) + 1))


def _map_estimate(
    prior: Floats, spread: Floats, positive: Floats, negative: Sequence[Floats]
) -> Floats:
    """Weights and, last, the bias by Newton's method.

    Args:
        prior: (F + 1,) the shipped ones.
        spread: (F + 1,) standard deviations about them.
        positive: (P, F) inputs of what is true.
        negative: sets of inputs of what is not; each weighs as much as ``positive``.
    """
    parts = [p for p in (positive, *negative) if len(p)]
    sizes = [len(p) for p in parts]
    inputs = np.vstack([np.column_stack([p, np.ones(len(p))]) for p in parts])
    truth = np.repeat([1.0] + [0.0] * (len(parts) - 1), sizes)
    mass = np.repeat([len(positive) / size for size in sizes], sizes)
    precision = spread**-2
    found = prior.copy()
    for _ in range(_ROUNDS):
        p = 1 / (1 + np.exp(-np.clip(inputs @ found, -30, 30)))
        slope = inputs.T @ (mass * (p - truth)) + precision * (found - prior)
        bend = (inputs * (mass * p * (1 - p))[:, None]).T @ inputs + np.diag(precision)
        step = np.linalg.solve(bend, slope)
        found = found - step / max(1.0, float(np.abs(step).max()) / 2)
        if np.abs(step).max() < 1e-4:
            break
    return found


def _other_views(model: DecisionModel, copies: Sequence[Support], views: Floats) -> DecisionModel:
    """The model with its second question moved: three in four examples shall be clear of it.

    First the weights are estimated anew, then the bias is lowered; the fewer examples, the less.

    Args:
        model: to move.
        copies: what speaks for each example's original.
        views: (N, 5), what other views of the same thing measure.
    """
    rows = [s.geometry for s in copies if s.geometry.inliers >= decision.JUDGED_INLIERS]
    if not rows:
        return model
    measured = np.array([decision.sameness(geometry) for geometry in rows])
    prior = np.append(model.view_weights, model.view_bias)
    if len(views):
        spread = np.full(len(prior), _VIEW_SPREAD)
        prior = -_map_estimate(-prior, spread, measured, [views])
    wanted = float(np.quantile(measured @ prior[:-1] + prior[-1], 0.75)) + _CLEAR
    lowered = float(np.clip(wanted, 0.0, _MOST_VIEW)) * len(rows) / (len(rows) + 1)
    return replace(model, view_weights=prior[:-1], view_bias=float(prior[-1]) - lowered)
