"""Conformance checks of kind "verifier"."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from originlens.core.image import Image
from originlens.core.registry import Method
from originlens.testing._pictures import (
    Checks,
    Untouched,
    awkward_images,
    make,
    require,
    textured_image,
)


def _verifier_awkward(method: Method) -> None:
    verifier = make(method)
    images = awkward_images()
    with Untouched(images):
        features = {name: verifier.features(image) for name, image in images.items()}
    for name, found in features.items():
        full = (images[name].height, images[name].width)
        require(found.full_size == full, f"{name}: full_size is {found.full_size}, not {full}")
    other = verifier.features(textured_image(5))
    for name, found in features.items():
        for label, pair in (("itself", (found, found)), ("another", (other, found))):
            _check_geometry(verifier.verify(*pair), f"{name} against {label}")


def _check_geometry(geometry: Any, name: str) -> None:
    if geometry.transform is not None:
        matrix = np.asarray(geometry.transform)
        require(matrix.shape == (3, 3), f"{name}: transform of shape {matrix.shape}")
        require(np.isfinite(matrix).all(), f"{name}: transform is not finite")
        require(abs(matrix[2, 2] - 1) < 1e-9, f"{name}: H[2][2] is {matrix[2, 2]}, not 1")
    for field in ("coverage_query", "coverage_asset", "agreement"):
        value = getattr(geometry, field)
        require(-1e-9 <= value <= 1 + 1e-9, f"{name}: {field} is {value}, outside [0, 1]")
    require(math.isfinite(geometry.correlation), f"{name}: correlation is not finite")
    require(geometry.inliers >= 0, f"{name}: {geometry.inliers} inliers")


def _verifier_self(method: Method) -> None:
    verifier = make(method)
    image = textured_image(6, 300, 400)
    found = verifier.features(image)
    geometry = verifier.verify(found, found)
    require(geometry.transform is not None, "a picture does not match itself")
    off = np.abs(np.asarray(geometry.transform) - np.eye(3))
    require(off[:2, 2].max() < 2 and off[:2, :2].max() < 0.02, f"not the identity: {off}")
    require(geometry.coverage_query > 0.8, f"coverage of itself is {geometry.coverage_query}")


def _verifier_direction(method: Method) -> None:
    verifier = make(method)
    image = textured_image(7, 300, 400)
    crop = Image.from_array(image.pixels[40:260, 60:360])
    geometry = verifier.verify(verifier.features(crop), verifier.features(image))
    require(geometry.transform is not None, "a crop does not match its original")
    # Original (100, 90) lies at (40, 50) of the crop: the transform maps asset to query.
    x, y, w = np.asarray(geometry.transform) @ [100, 90, 1]
    error = math.hypot(x / w - 40, y / w - 50)
    require(error < 3, f"the transform is {error:.1f} pixels off (asset to query, full size)")


def _verifier_deterministic(method: Method) -> None:
    results = []
    for _ in range(2):
        verifier = make(method)
        image = textured_image(8)
        turned = Image.from_array(np.ascontiguousarray(np.rot90(image.pixels)))
        geometry = verifier.verify(verifier.features(turned), verifier.features(image))
        matrix = None if geometry.transform is None else np.asarray(geometry.transform).tolist()
        results.append((matrix, geometry.inliers, geometry.coverage_query))
    require(results[0] == results[1], "a second run gave another geometry")


CHECKS: Checks = {
    "awkward-inputs": _verifier_awkward,
    "matches-itself": _verifier_self,
    "maps-asset-to-query": _verifier_direction,
    "deterministic": _verifier_deterministic,
}
