"""What one call of a method costs: wall time and memory, of any registered method of any kind.

A method is warmed up, then called on one picture several times in a row on one thread of each
library; callers go picture by picture through all methods, so that a slow minute of the machine
slows all of them alike. Every picture is brought to one megapixel, so that figures of different
folders can be compared, and is decoded before the clock starts; methods that read more than pixels
get it as a JPEG of quality 90 and decode what they need.
"""

from __future__ import annotations

import io
import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from originlens.bench.chains import parse
from originlens.bench.runner import Answer
from originlens.core.errors import InputError, MissingExtra, UsageError
from originlens.core.image import Image
from originlens.core.processors import one_blas_thread
from originlens.core.registry import make

Call = Callable[[], object]
_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_PAYLOAD = bytes.fromhex("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Timed:
    """One thing to time: a method on a picture.

    ``folder`` is what a matcher enrolled, ``other`` a second picture for methods that take one,
    ``seed`` of what an attack draws.
    """

    kind: str
    name: str
    picture: str
    other: str
    folder: str = ""
    seed: int = 0


class TimeMethods:
    """Times methods: a :class:`~originlens.bench.runner.Worker` for one process.

    Args:
        rounds: timed calls per question, after one that is not timed.
    """

    def __init__(self, rounds: int = 3) -> None:
        self._rounds = rounds
        self._made: dict[tuple[str, str], Any] = {}

    def answer(self, question: Timed) -> Answer:
        """``{"ms": [...], "mb", "missing", "error"}``.

        ``ms`` has a wall time per round; ``mb`` is how far the process's resident memory rose
        above its level before the warm call at most (None where the system cannot say).
        """
        told: Answer = {"ms": [], "mb": None, "missing": None, "error": None}
        try:
            import cv2

            cv2.setNumThreads(1)
            call = self._call(question, _one_megapixel(question.picture))
            with one_blas_thread():
                call()
                before = _reset_peak()
                call()
                told["mb"] = None if before is None else max(0.0, _peak() - before)
                told["ms"] = [_ms(call) for _ in range(self._rounds)]
        except MissingExtra as missing:
            told["missing"] = str(missing)
        except (InputError, UsageError) as error:
            told["error"] = f"{error.type}: {error}"
        return told

    def _call(self, question: Timed, image: Image) -> Call:
        key = (question.kind, question.name)
        if question.kind == "matcher":
            if key not in self._made:
                self._made[key] = make(*key)
                self._made[key].open(question.folder)
            return lambda: self._made[key].match(_fresh(image))
        if question.kind == "attack":
            chain, others = parse(f"{question.name}:0.5"), [_one_megapixel(question.other)]
            return lambda: chain.apply(image, np.random.default_rng(question.seed), others=others)
        if key not in self._made:
            self._made[key] = make(*key)
        return _CALLS[question.kind](self._made[key], image)


def _one_megapixel(path: str) -> Image:
    """The picture with a million pixels and its own aspect."""
    import cv2

    pixels = Image.open(path).pixels
    height, width = pixels.shape[:2]
    scale = math.sqrt(1e6 / (height * width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return Image.from_array(np.asarray(cv2.resize(pixels, size, interpolation=method), np.uint8))


def _inspect(made: Any, image: Image) -> Call:
    from PIL import Image as Pillow

    buffer = io.BytesIO()
    Pillow.fromarray(image.pixels).save(buffer, "JPEG", quality=90)
    return lambda: made.inspect(Image(buffer.getvalue()))


def _compare(made: Any, image: Image) -> Call:
    edited = parse("text:0.4+jpeg:0.3").apply(image, np.random.default_rng(0)).image
    return lambda: made.compare(_fresh(edited), _fresh(image))


def _fresh(image: Image) -> Image:
    """The same pixels without what was computed of them."""
    return Image.from_array(image.pixels)


def _mark(made: Any, image: Image) -> Call:
    payload = _PAYLOAD[: made.payload_bytes[0]]
    return lambda: made.read(Image.from_array(made.embed(_fresh(image), payload)))


def _measure(made: Any, image: Image) -> Call:
    truth, output = made.examples()["typical"]
    return lambda: made.measure(truth, output)


_CALLS: Mapping[str, Callable[[Any, Image], Call]] = {
    "baseline": _inspect,
    "comparator": _compare,
    "descriptor": lambda made, image: lambda: made.describe(_fresh(image)),
    "detector": _inspect,
    "metric": _measure,
    "verifier": lambda made, image: lambda: made.features(_fresh(image)),
    "watermark": _mark,
}
#: The kinds that can be timed, and what one call of each does.
KINDS = {
    "attack": "one attack at strength 0.5",
    "baseline": "decoding and one inspection",
    "comparator": "one comparison of a picture and its original",
    "descriptor": "one description",
    "detector": "decoding and one inspection",
    "matcher": "one question among the pictures given",
    "metric": "one call on its typical example, whatever the pictures",
    "verifier": "the local features of one picture",
    "watermark": "one embedding and one reading",
}


def _ms(call: Call) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1e3


def _reset_peak() -> float | None:
    """Resident MB now, after forgetting the peak; None where only other systems could say."""
    if not (_STATUS.exists() and os.access(_RESET, os.W_OK)):
        return None
    _RESET.write_text("5")  # proc(5): resets the peak of the resident set
    return _megabytes("VmRSS")


def _peak() -> float:
    return _megabytes("VmHWM")


def _megabytes(field: str) -> float:
    lines = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines() if ":" in line)
    return int(lines[field].split()[0]) / 1024
