"""Conformance checks of kind "comparator"."""

from __future__ import annotations

import numpy as np

from originlens.core.image import Image
from originlens.core.registry import Method
from originlens.testing._evidence import check_evidence, same_evidence
from originlens.testing._pictures import (
    Checks,
    Untouched,
    awkward_images,
    make,
    require,
    textured_image,
)


def _comparator_awkward(method: Method) -> None:
    comparator = make(method)
    images = {**awkward_images(), "original": textured_image(1, 96, 128)}
    with Untouched(images):
        for name, image in images.items():
            evidence = comparator.compare(image, images["original"])
            check_evidence(evidence, method.card.name, image, name)
            turned = comparator.compare(images["original"], image)
            check_evidence(turned, method.card.name, images["original"], f"original of {name}")


def _comparator_finds(method: Method) -> None:
    original = textured_image(3)
    changed = np.array(original.pixels)
    box = np.s_[80:150, 120:210]
    changed[box] = 255 - changed[box]
    image = Image.from_array(changed)
    comparator = make(method)
    edited, same = comparator.compare(image, original), comparator.compare(original, original)
    require(edited.status == "ok", f"an inverted box: {edited.status}, {edited.why}")
    mask = np.zeros(changed.shape[:2], bool)
    mask[box] = True
    inside, outside = edited.heatmap[mask].mean(), edited.heatmap[~mask].mean()
    require(inside > 0.3 and inside > 5 * outside, f"inside {inside:.3f}, outside {outside:.3f}")
    require(edited.score > same.score, f"edited {edited.score}, the same {same.score}")
    require(float(same.heatmap.max()) < 0.5, "a picture beside itself is lit")


def _comparator_deterministic(method: Method) -> None:
    image, original = textured_image(4), textured_image(4, 200, 260)
    first, second = make(method), make(method)
    found = [c.compare(image, original) for c in (first, first, second)]
    require(same_evidence(found), "another call gave another answer or map")


def _comparator_decides(method: Method) -> None:
    require("score" in method.card.thresholds, "its card states no threshold of the score")


CHECKS: Checks = {
    "awkward-inputs": _comparator_awkward,
    "finds-an-inverted-box": _comparator_finds,
    "deterministic": _comparator_deterministic,
    "states-its-decision": _comparator_decides,
}
