"""Conformance checks of kind "descriptor"."""

from __future__ import annotations

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
    textured_image,
)


def _descriptor_awkward(method: Method) -> None:
    descriptor = make(method)
    images = awkward_images()
    with Untouched(images):
        for name, image in images.items():
            _check_vector(descriptor, descriptor.describe(image), name)


def _check_vector(descriptor: Any, vector: Any, name: str) -> None:
    require(isinstance(vector, np.ndarray) and vector.ndim == 1, f"{name}: not a 1-d array")
    # Bits may come packed, eight to a byte.
    lengths = {len(vector), 8 * len(vector)} if vector.dtype == np.uint8 else {len(vector)}
    require(
        descriptor.dimension in lengths,
        f"{name}: length {len(vector)} does not fit dimension {descriptor.dimension}",
    )
    require(np.isfinite(vector.astype(np.float64)).all(), f"{name}: not finite")


def _descriptor_deterministic(method: Method) -> None:
    first, second = make(method), make(method)
    for name, data in awkward_files().items():
        a, b, c = (
            first.describe(Image(data)),
            first.describe(Image(data)),
            second.describe(Image(data)),
        )
        require(np.array_equal(a, b), f"{name}: a second call gave another descriptor")
        require(np.array_equal(a, c), f"{name}: a second instance gave another descriptor")


def _descriptor_container(method: Method) -> None:
    descriptor = make(method)
    image = textured_image(3)
    again = Image(image.data)  # the same pixels out of a PNG
    a, b = descriptor.describe(image), descriptor.describe(again)
    require(np.array_equal(a, b), "the same pixels in another container gave another descriptor")


def _descriptor_distinct(method: Method) -> None:
    descriptor = make(method)
    vectors = [descriptor.describe(textured_image(seed)) for seed in range(4)]
    distinct = len({vector.tobytes() for vector in vectors})
    require(distinct == len(vectors), "unrelated pictures share a descriptor")


CHECKS: Checks = {
    "awkward-inputs": _descriptor_awkward,
    "deterministic": _descriptor_deterministic,
    "same-in-any-container": _descriptor_container,
    "distinct": _descriptor_distinct,
}
