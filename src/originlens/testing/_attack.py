"""Conformance checks of kind "attack"."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from originlens.core.errors import UsageError
from originlens.core.registry import Method
from originlens.testing._pictures import (
    Checks,
    Untouched,
    awkward_images,
    make,
    require,
    textured_image,
)


def _attack_awkward(method: Method) -> None:
    attack = make(method)
    images = awkward_images()
    with Untouched(images):
        for name, image in images.items():
            for strength in (0.2, 1.0):
                where = f"{name} at {strength}"
                result = attack.apply(image, strength, np.random.default_rng(3))
                _check_attacked(result, where)


def _check_attacked(result: Any, where: str) -> None:
    pixels = result.image.pixels
    require(pixels.dtype == np.uint8 and pixels.ndim == 3, f"{where}: pixels are not RGB")
    require(min(pixels.shape[:2]) >= 1, f"{where}: no pixels are left")
    mask = np.asarray(result.mask)
    require(mask.dtype == bool, f"{where}: mask is {mask.dtype}")
    require(mask.shape == pixels.shape[:2], f"{where}: mask {mask.shape}, picture {pixels.shape}")
    if result.transform is not None:
        matrix = np.asarray(result.transform)
        require(matrix.shape == (3, 3), f"{where}: transform of shape {matrix.shape}")
        require(np.isfinite(matrix).all(), f"{where}: transform is not finite")
        require(abs(matrix[2, 2] - 1) < 1e-9, f"{where}: H[2][2] is not 1")
    try:
        json.dumps(result.parameters, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise AssertionError(f"{where}: parameters are not JSON: {error}") from error


def _attack_identity(method: Method) -> None:
    attack = make(method)
    for name, image in awkward_images().items():
        result = attack.apply(image, 0.0, np.random.default_rng(0))
        same = np.array_equal(result.image.pixels, image.pixels)
        require(same, f"{name}: strength 0 changes pixels")
        require(not np.asarray(result.mask).any(), f"{name}: strength 0 has a mask")
        require(np.allclose(result.transform, np.eye(3)), f"{name}: strength 0 moves pixels")


def _attack_seeded(method: Method) -> None:
    image = textured_image(9)
    for strength in (0.3, 1.0):
        results = [
            make(method).apply(image, strength, np.random.default_rng(seed)) for seed in (5, 5)
        ]
        a, b = results
        same = np.array_equal(a.image.pixels, b.image.pixels) and np.array_equal(a.mask, b.mask)
        require(same, f"strength {strength}: the same seed gave another picture")
        changed = (
            a.image.pixels.shape != image.pixels.shape or (a.image.pixels != image.pixels).any()
        )
        require(changed, f"strength {strength} does nothing to a textured picture")


def _attack_range(method: Method) -> None:
    image = textured_image(9, 40, 50)
    for strength in (-0.1, 1.1, math.nan):
        try:
            make(method).apply(image, strength, np.random.default_rng(0))
        except UsageError:
            continue
        raise AssertionError(f"strength {strength} is not refused by UsageError")


CHECKS: Checks = {
    "awkward-inputs": _attack_awkward,
    "strength-0-is-identity": _attack_identity,
    "same-seed-same-picture": _attack_seeded,
    "strength-is-checked": _attack_range,
}
