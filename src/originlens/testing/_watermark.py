"""Conformance checks of kind "watermark"."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import numpy as np

from originlens.core.errors import OriginLensError, UsageError
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

_SIDE = 512


def _payload(length: int) -> bytes:
    return np.random.default_rng(length).bytes(length)


def _check_marked(pixels: Any, image: Image, where: str) -> None:
    require(pixels.dtype == np.uint8, f"{where}: the marked picture is {pixels.dtype}")
    require(pixels.shape == image.pixels.shape, f"{where}: the marked picture is {pixels.shape}")


def _check_reading(reading: Any, where: str) -> None:
    bits = np.asarray(reading.bits)
    require(bits.ndim == 1 and bits.dtype == np.uint8, f"{where}: bits {bits.dtype} {bits.shape}")
    require(bool((bits <= 1).all()), f"{where}: bits other than 0 and 1")
    require(math.isfinite(reading.score), f"{where}: score {reading.score}")
    p_value = reading.p_value
    require(p_value is None or 0 < p_value <= 1, f"{where}: p-value {p_value}")
    payload = reading.payload
    require(payload is None or isinstance(payload, bytes), f"{where}: payload {payload!r}")


def _watermark_round_trip(method: Method) -> None:
    watermark = make(method)
    image = textured_image(1, _SIDE, _SIDE)
    lengths = watermark.payload_bytes
    require(bool(lengths) and min(lengths) > 0, f"payload_bytes is {lengths}")
    with Untouched({"textured": image}):
        for length in lengths:
            sent = _payload(length)
            marked = watermark.embed(image, sent)
            _check_marked(marked, image, f"{length} bytes")
            again = watermark.embed(image, sent)
            require(np.array_equal(marked, again), f"{length} bytes: a second embedding differs")
            reading = watermark.read(Image.from_array(marked))
            _check_reading(reading, f"{length} bytes")
            wanted = np.unpackbits(np.frombuffer(sent, np.uint8))
            require(reading.bits.shape == wanted.shape, f"{len(reading.bits)} bits of {8 * length}")
            wrong = int((reading.bits != wanted).sum())
            # Some peers err without any attack; how often is for the suites to say.
            require(wrong <= 0.1 * wanted.size, f"{wrong} bits of {wanted.size} are wrong")
            exact = wrong > 0 or reading.payload == sent
            require(exact, f"{sent.hex()} is read without an error as {reading.payload!r}")
            twice = watermark.read(Image.from_array(marked))
            require(twice.score == reading.score, f"{length} bytes: a second reading differs")


def _watermark_lengths(method: Method) -> None:
    watermark = make(method)
    image = textured_image(1, _SIDE, _SIDE)
    for length in {0, 1, 3, 5, 7, 9, 64} - set(watermark.payload_bytes):
        try:
            watermark.embed(image, bytes(length))
        except UsageError:
            continue
        raise AssertionError(f"{length} bytes are not refused by UsageError")


def _watermark_unmarked(method: Method) -> None:
    watermark = make(method)
    image = textured_image(2, _SIDE, _SIDE)
    reading = watermark.read(image)
    _check_reading(reading, "unmarked")
    marked = watermark.embed(image, _payload(watermark.payload_bytes[0]))
    score = watermark.read(Image.from_array(marked)).score
    require(score >= reading.score, f"marked scores {score}, unmarked {reading.score}")


def _watermark_awkward(method: Method) -> None:
    watermark = make(method)
    sent = _payload(watermark.payload_bytes[0])
    images = awkward_images()
    with Untouched(images):
        for name, image in images.items():
            with suppress(OriginLensError):
                _check_marked(watermark.embed(image, sent), image, name)
            with suppress(OriginLensError):
                _check_reading(watermark.read(image), name)


CHECKS: Checks = {
    "reads-what-it-wrote": _watermark_round_trip,
    "refuses-other-lengths": _watermark_lengths,
    "reads-unmarked-pictures": _watermark_unmarked,
    "awkward-inputs": _watermark_awkward,
}
