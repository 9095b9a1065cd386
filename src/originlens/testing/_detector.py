"""Conformance checks of kind "detector"."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from originlens.core.image import Image
from originlens.core.registry import Method
from originlens.testing._pictures import (
    Checks,
    Untouched,
    awkward_files,
    awkward_images,
    make,
    require,
)

#: Statuses an ``Evidence`` may have.
_STATUSES = ("ok", "not-applicable", "failed")


def _detector_awkward(method: Method) -> None:
    detector = make(method)
    images = awkward_images()
    with Untouched(images):
        for name, image in images.items():
            _check_evidence(method, detector.inspect(image), image, name)


def _check_evidence(method: Method, evidence: Any, image: Image, name: str) -> None:
    require(evidence.method == method.card.name, f"{name}: method is {evidence.method!r}")
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


def _detector_deterministic(method: Method) -> None:
    first, second = make(method), make(method)
    for name, data in awkward_files().items():
        found = [d.inspect(Image(data)) for d in (first, first, second)]
        texts = {json.dumps({**e.to_dict(), "ms": 0}, sort_keys=True) for e in found}
        require(len(texts) == 1, f"{name}: another call gave another answer")
        maps = {b"" if e.heatmap is None else e.heatmap.tobytes() for e in found}
        require(len(maps) == 1, f"{name}: another call gave another map")


CHECKS: Checks = {"awkward-inputs": _detector_awkward, "deterministic": _detector_deterministic}
