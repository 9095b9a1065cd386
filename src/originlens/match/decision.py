"""From measured support to one log-odds score, a probability and a relation.

The score ranks (query, asset) pairs across all queries: the log-odds of a logistic model whose
inputs are what retrieval and verification measured. It is fitted by ``train/decision`` on the
train split of edited photographs and hard negatives (seen edit kinds only) and calibrated on the
val split; its coefficients ship as ``decision.json``.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core.evidence import Relation
from originlens.match import Geometry

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

FEATURES = (
    "similarity",
    "excess",
    "pdq_closeness",
    "log_inliers",
    "inlier_share",
    "agreement",
    "correlation",
    "fine_correlation",
    "agreed_extent",
    "inliers_x_agreement",
    "whole_picture",
)


def features(support: Support) -> npt.NDArray[np.float64]:
    """The model's inputs, in the order of ``FEATURES``, all roughly within [0, 1] and finite."""
    g = support.geometry
    details = g.details
    pdq = 256 if support.pdq_distance is None else support.pdq_distance
    log_inliers = min(np.log1p(g.inliers), 5.0) / 5.0
    extent = np.sqrt(max(g.coverage_query * g.agreement, 0.0))
    return np.array(
        [
            max(support.similarity, 0.0),
            max(support.excess, 0.0),
            max(0.0, (_PDQ_RANGE - pdq) / _PDQ_RANGE),
            log_inliers,
            g.inliers / g.matches if g.matches else 0.0,
            g.agreement,
            max(g.correlation, 0.0),
            max(float(details.get("fine_correlation", 0.0)), 0.0),
            extent,
            log_inliers * g.agreement,
            (g.agreement if details.get("found_by") == "whole" else 0.0),
        ],
        dtype=np.float64,
    )


def is_other_view(geometry: Geometry) -> bool:
    """Whether two pictures share content as two photographs of one thing do, not as a copy does.

    Parallax and other light lower three shares that editing mostly leaves alone: cells of the
    overlap that agree, the correlation of fine detail, and matched points on the one transform.
    Their mean is below one half and the last below two thirds.
    """
    if geometry.inliers < SHARED_INLIERS:
        return False
    share = geometry.inliers / max(geometry.matches, 1)
    fine = max(float(geometry.details.get("fine_correlation", 0.0)), 0.0)
    return (geometry.agreement + fine + share) / 3 < 0.5 and share < 2 / 3


@dataclass(frozen=True, slots=True)
class DecisionModel:
    """Coefficients of the score and the shipped thresholds.

    ``score`` is the log-odds (natural logarithm) at the training prior; ``slope`` and
    ``intercept`` turn it into a calibrated probability (Platt, on the val split). ``version``
    names the fit: scores of two versions do not compare.
    """

    weights: npt.NDArray[np.float64]
    bias: float
    slope: float
    intercept: float
    certain_score: float
    null: dict[str, Any]
    version: str = ""

    def score(self, support: Support) -> float:
        """Finite log-odds that the asset is the query's original or a copy of it."""
        return float(np.clip(features(support) @ self.weights + self.bias, -30, 30))

    def probability(self, score: float) -> float:
        """Calibrated probability in [0, 1] of a copy at the calibration set's prior."""
        return float(1 / (1 + np.exp(-np.clip(self.slope * score + self.intercept, -30, 30))))

    def relation(self, score: float, threshold: float, support: Support) -> Relation:
        """Two questions, asked apart: is it chance, and if not, is it the same picture?

        Below ``threshold`` (chance, at the user's rate) nothing is called a copy. Above it, a
        candidate that plainly shares content (``SHARED_INLIERS`` points under one transform) but
        is no copy by its pixels (:func:`is_other_view`) is another view: ``related``.
        """
        shares = support.geometry.inliers >= SHARED_INLIERS
        if score >= threshold:
            return "related" if is_other_view(support.geometry) else "copy"
        return "related" if shares else "none"


@lru_cache(maxsize=1)
def shipped() -> DecisionModel:
    """The model in the package."""
    text = resources.files("originlens.match").joinpath("decision.json").read_text("utf-8")
    data = json.loads(text)
    if tuple(data["features"]) != FEATURES:
        raise ValueError("decision.json was fitted for other features: run train/decision")
    return DecisionModel(
        weights=np.asarray(data["weights"], dtype=np.float64),
        bias=float(data["bias"]),
        slope=float(data["slope"]),
        intercept=float(data["intercept"]),
        certain_score=float(data["certain_score"]),
        null=data["null"],
        version=hashlib.sha256(text.encode()).hexdigest()[:12],
    )
