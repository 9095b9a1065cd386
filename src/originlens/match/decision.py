"""From measured support to one log-odds score, a probability and a relation.

The score ranks (query, asset) pairs across all queries: the log-odds of a logistic model whose
inputs are what retrieval and verification measured. It is fitted by ``train/decision`` on the
train split of edited photographs and hard negatives (seen edit kinds only) and calibrated on the
val split; its coefficients ship as ``decision.json``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core.evidence import Relation
from originlens.match import Geometry, _coefficients

Floats = npt.NDArray[np.float64]

#: PDQ distance at which unrelated pictures start to appear among a thousand (measured minimum 86).
_PDQ_RANGE = 96.0


@dataclass(frozen=True, slots=True)
class Support:
    """What speaks for one candidate: similarity in [-1, 1] and its excess over the query's own
    neighbourhood, PDQ distance (bits, None if not compared) and the verified geometry."""

    similarity: float
    excess: float
    pdq_distance: int | None
    geometry: Geometry


#: Points under one plane transform that unrelated pictures rarely reach.
SHARED_INLIERS = 12
#: From so many on it can be judged whether they lie as those of a copy or of another view.
JUDGED_INLIERS = 8

FEATURES = (
    "similarity",
    "excess",
    "pdq_closeness",
    "log_inliers",
    "match_share",
    "agreement",
    "correlation",
    "structure",
    "best_structure",
    "agreed_extent",
    "inliers_x_structure",
    "whole_picture",
)


def features(support: Support) -> npt.NDArray[np.float64]:
    """The model's inputs, in the order of ``FEATURES``, all roughly within [0, 1] and finite."""
    g = support.geometry
    coarse, best = _structure(g.details.get("structure", ()))
    pdq = 256 if support.pdq_distance is None else support.pdq_distance
    log_inliers = min(np.log1p(g.inliers), 5.0) / 5.0
    extent = np.sqrt(max(g.coverage_query * g.agreement, 0.0))
    return np.array(
        [
            max(support.similarity, 0.0),
            max(support.excess, 0.0),
            max(0.0, (_PDQ_RANGE - pdq) / _PDQ_RANGE),
            log_inliers,
            g.match_share,
            g.agreement,
            max(g.correlation, 0.0),
            coarse,
            best,
            extent,
            log_inliers * best,
            (g.agreement if g.details.get("found_by") == "whole" else 0.0),
        ],
        dtype=np.float64,
    )


def _structure(octaves: Sequence[float]) -> tuple[float, float]:
    """Of the asset's detail, how much the query shows: in the coarse octave, in the better one.

    A blurred copy has lost the fine octave and a noisy one drowned it: what is not there does not
    contradict. Another view has detail in both, but not this.
    """
    found = [max(float(value), 0.0) for value in octaves]
    return (found[-1], max(found)) if found else (0.0, 0.0)


SAMENESS = ("median_structure", "best_median_structure", "match_share", "residual", "log_inliers")


def sameness(geometry: Geometry) -> npt.NDArray[np.float64]:
    """What tells a copy from another photograph of the same thing, in the order of ``SAMENESS``.

    Parallax, movement and other light change the detail at every scale, lower the share of matches
    on the one transform and leave the matched points off it by more than a copy's; the more points
    there are, the more this means. Structure is the median of the overlap's, so that what covers
    less than half of a copy does not count.
    """
    return np.array(
        [
            *_structure(geometry.details.get("median_structure", ())),
            geometry.match_share,
            min(float(geometry.details.get("residual", 0.0)), 4.0),
            min(np.log1p(geometry.inliers), 5.0) / 5.0,
        ],
        dtype=np.float64,
    )


@dataclass(frozen=True, slots=True)
class DecisionModel:
    """Coefficients of the score and the shipped thresholds.

    ``score`` is in log-odds (natural logarithm) at the training prior; ``slope`` and
    ``intercept`` turn it into a calibrated probability (Platt, on the val split). ``version``
    names the fit: scores of two versions do not compare. ``view_weights`` and ``view_bias`` are
    those of :meth:`is_other_view`, a second logistic model over :func:`sameness`.
    """

    weights: npt.NDArray[np.float64]
    bias: float
    slope: float
    intercept: float
    certain_score: float
    null: dict[str, Any]
    view_weights: npt.NDArray[np.float64]
    view_bias: float
    version: str = ""

    def score(self, support: Support) -> float:
        """Finite log-odds that the asset is the query's original or a copy of it."""
        return float(self.scores(features(support), self._view(support.geometry)))

    def scores(self, inputs: Floats, views: Floats | float) -> Floats:
        """Scores (...,) of :func:`features` (..., F) and log-odds (...,) of another view.

        Two things must hold, that this is no chance and that it is no other view: their
        probabilities are multiplied.
        """
        chance = -np.clip(inputs @ self.weights + self.bias, -30, 30)
        return np.asarray(-np.logaddexp(np.logaddexp(chance, views), views + chance))

    def views(self, inputs: Floats, judged: npt.NDArray[np.bool_] | bool) -> Floats:
        """Log-odds (...,) of another view from :func:`sameness` (..., S), very low where it is not
        ``judged``: there are too few points."""
        values = np.clip(inputs @ self.view_weights + self.view_bias, -30, 30)
        return np.asarray(np.where(judged, values, -30.0))

    def _view(self, geometry: Geometry) -> float:
        return float(self.views(sameness(geometry), geometry.inliers >= JUDGED_INLIERS))

    def probability(self, score: float) -> float:
        """Calibrated probability in [0, 1] of a copy at the calibration set's prior."""
        return float(1 / (1 + np.exp(-np.clip(self.slope * score + self.intercept, -30, 30))))

    def is_other_view(self, geometry: Geometry) -> bool:
        """Whether two pictures share content as two photographs of one thing do, not as a copy.

        The bound is set where 2 % of true copies (seen kinds, chains of them and warps) are so
        called.
        """
        return self._view(geometry) > 0

    def relation(self, score: float, threshold: float, support: Support) -> Relation:
        """Two questions, asked apart: is it chance, and if not, is it the same picture?

        Below ``threshold`` (chance, at the user's rate) nothing is called a copy. Above it, a
        candidate that plainly shares content (``SHARED_INLIERS`` points under one transform) but
        is no copy by its pixels (:meth:`is_other_view`) is another view: ``related``.
        """
        shares = support.geometry.inliers >= SHARED_INLIERS
        if score >= threshold:
            return "related" if self.is_other_view(support.geometry) else "copy"
        return "related" if shares else "none"


@lru_cache(maxsize=1)
def shipped() -> DecisionModel:
    """The model in the package."""
    data, version = _coefficients.read("decision.json", "decision", FEATURES)
    if tuple(data["other_view"]["features"]) != SAMENESS:
        raise ValueError("decision.json was fitted for other features: run train/decision")
    return DecisionModel(
        weights=np.asarray(data["weights"], dtype=np.float64),
        bias=float(data["bias"]),
        slope=float(data["slope"]),
        intercept=float(data["intercept"]),
        certain_score=float(data["certain_score"]),
        null=data["null"],
        view_weights=np.asarray(data["other_view"]["weights"], dtype=np.float64),
        view_bias=float(data["other_view"]["bias"]),
        version=version,
    )
