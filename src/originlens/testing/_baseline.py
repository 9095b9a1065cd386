"""Conformance checks of kind "baseline"."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from originlens.core.errors import UsageError
from originlens.core.image import Image
from originlens.core.registry import Method
from originlens.testing._evidence import check_evidence, same_evidence
from originlens.testing._pictures import (
    Checks,
    Untouched,
    awkward_files,
    awkward_images,
    make,
    require,
    textured_image,
)

_TRUTH = np.array([True, False] * 6)


def _ready(method: Method) -> Any:
    """An instance, fitted to textures where it is one that is."""
    baseline = make(method)
    if hasattr(baseline, "fit"):
        images = [textured_image(number, 64, 80) for number in range(len(_TRUTH))]
        baseline.fit([baseline.features(image) for image in images], _TRUTH)
    return baseline


def _baseline_awkward(method: Method) -> None:
    baseline = _ready(method)
    images = awkward_images()
    with Untouched(images):
        for name, image in images.items():
            evidence = baseline.inspect(image)
            check_evidence(evidence, method.card.name, image, name)
            if evidence.status == "ok":
                known = evidence.score is not None and math.isfinite(evidence.score)
                require(known, f"{name}: score is {evidence.score}")


def _baseline_deterministic(method: Method) -> None:
    first, second = _ready(method), _ready(method)
    for name, data in awkward_files().items():
        found = [b.inspect(Image(data)) for b in (first, first, second)]
        require(same_evidence(found), f"{name}: another call gave another answer or map")


def _baseline_decides(method: Method) -> None:
    require("score" in method.card.thresholds, "its card states no threshold of the score")


def _baseline_fits(method: Method) -> None:
    baseline = make(method)
    if not hasattr(baseline, "fit"):
        return
    seen = baseline.features(textured_image(1))
    require(json.loads(json.dumps(seen)) == seen, "features are not plain data")
    require(baseline.features(textured_image(1)) == seen, "features differ from call to call")
    for what, asked in (
        ("judged before it was fitted", lambda: baseline.judge(seen)),
        ("fitted to one class", lambda: baseline.fit([seen, seen], np.array([True, True]))),
    ):
        try:
            asked()
        except UsageError:
            continue
        raise AssertionError(f"{what} without UsageError")
    ready = _ready(method)
    image = textured_image(5, 64, 80)
    require(
        same_evidence([ready.inspect(image), ready.judge(ready.features(image))]),
        "inspect and judge disagree",
    )


CHECKS: Checks = {
    "awkward-inputs": _baseline_awkward,
    "deterministic": _baseline_deterministic,
    "states-its-decision": _baseline_decides,
    "fits-plain-features": _baseline_fits,
}
