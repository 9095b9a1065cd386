"""What every method that gives ``Evidence`` about a picture owes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from originlens.core.image import Image
from originlens.testing._pictures import require

#: Statuses an ``Evidence`` may have.
_STATUSES = ("ok", "not-applicable", "failed")


def check_evidence(evidence: Any, method: str, image: Image, name: str) -> None:
    """Its method, status, JSON form and maps, for the picture that is called ``name``."""
    require(evidence.method == method, f"{name}: method is {evidence.method!r}")
    require(evidence.status in _STATUSES, f"{name}: status is {evidence.status!r}")
    if evidence.status != "ok":
        require(evidence.why, f"{name}: {evidence.status} without a reason")
    try:
        json.dumps(evidence.to_dict(), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"{name}: not JSON: {error}") from error
    for label, heat in (("heatmap", evidence.heatmap), ("reliability", evidence.reliability)):
        if heat is None:
            continue
        require(heat.shape == (image.height, image.width), f"{name}: {label} is {heat.shape}")
        require(heat.dtype == np.float32, f"{name}: {label} is {heat.dtype}")
        inside = np.isfinite(heat).all() and heat.min() >= 0 and heat.max() <= 1
        require(inside, f"{name}: {label} leaves [0, 1]")


def same_evidence(found: list[Any]) -> bool:
    """Whether findings agree in everything but the time they took."""
    texts = {json.dumps({**e.to_dict(), "ms": 0}, sort_keys=True) for e in found}
    maps = {b"" if e.heatmap is None else e.heatmap.tobytes() for e in found}
    return len(texts) == len(maps) == 1
