"""Conformance checks of kind "detector"."""

from __future__ import annotations

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
)


def _detector_awkward(method: Method) -> None:
    detector = make(method)
    images = awkward_images()
    with Untouched(images):
        for name, image in images.items():
            check_evidence(detector.inspect(image), method.card.name, image, name)


def _detector_deterministic(method: Method) -> None:
    first, second = make(method), make(method)
    for name, data in awkward_files().items():
        found = [d.inspect(Image(data)) for d in (first, first, second)]
        require(same_evidence(found), f"{name}: another call gave another answer or map")


CHECKS: Checks = {"awkward-inputs": _detector_awkward, "deterministic": _detector_deterministic}
