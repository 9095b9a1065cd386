"""What is kept of a finding about a picture, and how it is measured beside the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.bench.runner import Answer
from originlens.core.errors import UsageError
from originlens.core.evidence import Evidence
from originlens.core.image import Image
from originlens.core.registry import make

Mask = npt.NDArray[np.bool_]
#: A map's pixel is lit from here on.
LIT = 0.5
#: Metrics of a map beside its mask, by their names in answers.
PIXEL_METRICS = {
    "f1": "pixel-f1",
    "f1_best": "pixel-f1-best",
    "iou": "pixel-iou",
    "pixel_auc": "pixel-auc",
}


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A picture as it is asked about, and the truth about it.

    ``mask`` (H, W) is True where it was changed in a part, None where nothing is known of that;
    pixels of ``ignored`` (H, W) show nothing of the picture (corners after a turn) and count
    nowhere.
    """

    image: Image
    mask: Mask | None
    ignored: Mask | None = None


def finding(evidence: Evidence, threshold: float, shown: Shown | None = None) -> Answer:
    """What is kept of a finding, as plain data.

    ``score``, ``llr``, ``status``, ``why``; ``called``: whether the system calls the picture
    positive (None where it could not examine it); ``lit``: of the pixels that were not changed, the
    share at or above 0.5 in the map; the :data:`PIXEL_METRICS` where something was changed (None
    without a map).
    """
    told: Answer = {
        "score": evidence.score,
        "llr": evidence.llr,
        "status": evidence.status,
        "why": evidence.why,
        "called": _called(evidence, threshold),
        "error": None,
        "lit": None,
        **dict.fromkeys(PIXEL_METRICS),
    }
    heat = evidence.heatmap
    if heat is None or shown is None:
        return told
    counted = np.ones(heat.shape, bool) if shown.ignored is None else ~shown.ignored
    mask = np.zeros(heat.shape, bool) if shown.mask is None else shown.mask
    quiet = counted & ~mask
    told["lit"] = float((heat[quiet] >= LIT).mean()) if quiet.any() else 0.0
    if (mask & counted).any():
        truth, found = mask[counted][None], heat[counted][None]
        for name, metric in PIXEL_METRICS.items():
            told[name] = _number(make("metric", metric), truth, found)
    return told


def _number(metric: Any, truth: Mask, found: npt.NDArray[np.float32]) -> float | None:
    try:
        return float(metric.measure(truth, found))
    except UsageError:  # everything was changed: nothing to rank it above
        return None


def _called(evidence: Evidence, threshold: float) -> bool | None:
    if evidence.status != "ok":
        return None
    if evidence.llr is not None:
        return evidence.llr > 0
    return None if evidence.score is None else evidence.score >= threshold


def failed(error: str) -> Answer:
    """The answer of a system that could not examine the picture."""
    return {**finding(Evidence("", "", status="failed", why=error), 0.0), "error": error}


def ranked_by(answer: Answer) -> float | None:
    """The number that ranks the picture: its likelihood ratio, else its score; None: unexamined."""
    if answer["called"] is None:
        return None
    value: float = answer["score"] if answer["llr"] is None else answer["llr"]
    return value
