"""Watermarking as a task: pictures to mark, distortions of them, and what systems read.

The protocol is that of WAVES (An et al. 2024, arXiv:2401.08573) and W-Bench (Lu et al. 2024,
arXiv:2410.18775): square pictures of 512 pixels, which the distortions' parameters in pixels are
meant for, marked ones and unmarked ones under the same distortions.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from originlens.bench import Watermark
from originlens.bench.chains import code_of, parse
from originlens.bench.draws import rng_of, shuffled
from originlens.bench.metrics import _fidelity
from originlens.bench.metrics.quality_degradation import degradation
from originlens.bench.runner import Answer, content_of, key_of
from originlens.core.errors import MissingExtra, OriginLensError
from originlens.core.image import Image, Pixels
from originlens.core.registry import make

SIDE = 512
#: What reading random bits gives; bits that are not there count so.
CHANCE = 0.5
_FIELDS = (
    "sent", "read", "bits", "accuracy", "score", "p_value",
    "psnr", "ssim", "nmi", "degradation", "ms_embed", "ms", "error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Distortion:
    """A named distortion: a chain of attacks ("": none), and its place on its name's curve."""

    name: str
    expression: str = ""
    strength: float | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A picture, marked or not, under a distortion.

    ``length`` is the payload's in bytes, as near as a system comes to it; ``seed`` draws the
    payload and the distortion, which are the same for every system.
    """

    picture: str
    distortion: Distortion
    marked: bool
    length: int
    seed: int

    @property
    def key(self) -> str:
        """Names everything that the asked pixels depend on, the system apart."""
        expression = self.distortion.expression
        what = (expression, code_of(expression), self.marked, self.length, self.seed, SIDE)
        return key_of(content_of(self.picture), *what)

    def payload(self, lengths: Sequence[int]) -> bytes:
        """What a system is given to embed that carries payloads of ``lengths`` bytes."""
        length = min(lengths, key=lambda n: (abs(n - self.length), n))
        return rng_of("payload", self.seed, content_of(self.picture)).bytes(length)

    def distorted(self, image: Image) -> Image:
        """The picture under the distortion."""
        if not self.distortion.expression:
            return image
        chain = self.distortion.expression
        rng = rng_of("distortion", self.seed, chain, content_of(self.picture))
        return parse(chain).apply(image, rng).image


def task(
    pictures: Sequence[str],
    distortions: Iterable[Distortion],
    *,
    each: int,
    length: int,
    seed: int,
) -> list[Question]:
    """Draw the questions: undistorted ones first, then every distortion.

    Args:
        pictures: files; of those with equal bytes one is kept.
        distortions: what is done to pictures.
        each: pictures marked at most. Twice as many are asked unmarked: others as far as they go,
            then the originals of marked ones.
        length: of the payload in bytes.
        seed: of every draw.

    Raises:
        UsageError: fewer than eight different pictures.
    """
    drawn = shuffled(pictures, seed)
    asked = [(path, True) for path in drawn[:each]]
    asked += [(path, False) for path in (drawn[each:] + drawn[:each])[: 2 * each]]
    return [
        Question(path, distortion, marked, length, seed)
        for distortion in (Distortion("none"), *distortions)
        for path, marked in asked
    ]


@lru_cache(maxsize=8)
def host(path: str) -> Image:
    """The middle square of a picture, brought to 512 x 512 pixels."""
    import cv2

    pixels = Image.open(path).pixels
    side = min(pixels.shape[:2])
    y, x = ((length - side) // 2 for length in pixels.shape[:2])
    square = pixels[y : y + side, x : x + side]
    way = cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC
    resized = cv2.resize(square, (SIDE, SIDE), interpolation=way)
    return Image.from_array(np.asarray(resized, dtype=np.uint8))


class AskWatermarks:
    """Asks several watermarks the same question: a :class:`~originlens.bench.runner.Worker`.

    Args:
        folders: where each watermark, by its registered name, keeps the pictures that it marked.
    """

    def __init__(self, folders: Mapping[str, str]) -> None:
        self._folders = dict(folders)
        self._made: dict[str, Watermark] = {}

    def answer(self, question: tuple[str, Question]) -> Answer:
        """What (watermark, question) gives.

        ``sent`` and ``read``: payloads in hex, ``read`` None where the watermark says that there is
        none; ``bits``: as read, a text of 0 and 1; ``accuracy``: share of right bits, 0.5 where
        their number is not the payload's; ``score``, ``p_value``: as stated; ``psnr``, ``ssim``,
        ``nmi``, ``degradation``: of a marked picture's distortion, of the marking itself where
        there is none, None where nothing changed or the size did; ``ms_embed``: None where it was
        marked before; ``ms``: of reading; ``error``.

        Raises:
            MissingExtra: the watermark went missing since it was first asked.
        """
        name, asked = question
        found: Answer = {**dict.fromkeys(_FIELDS), "accuracy": CHANCE}
        try:
            self._ask(name, asked, found)
        except MissingExtra:
            raise
        except OriginLensError as error:
            found["error"] = f"{error.type}: {error}"
        return found

    def _ask(self, name: str, asked: Question, found: Answer) -> None:
        watermark = self._watermark(name)
        original = host(asked.picture)
        payload = asked.payload(watermark.payload_bytes)
        found["sent"] = payload.hex()
        base = self._marked(name, asked, payload, found) if asked.marked else original
        distorted = asked.distorted(base)
        if asked.marked:
            before = base if asked.distortion.expression else original
            found |= _quality(before.pixels, distorted.pixels)
        started = time.perf_counter()
        reading = watermark.read(distorted)
        found["ms"] = (time.perf_counter() - started) * 1e3
        bits = np.asarray(reading.bits)
        sent = np.unpackbits(np.frombuffer(payload, np.uint8))
        if bits.shape == sent.shape:
            found["accuracy"] = float((bits == sent).mean())
        found["bits"] = "".join(map(str, bits.tolist()))
        found["read"] = None if reading.payload is None else reading.payload.hex()
        found["score"] = float(reading.score)
        found["p_value"] = None if reading.p_value is None else float(reading.p_value)

    def _watermark(self, name: str) -> Watermark:
        if name not in self._made:
            self._made[name] = make("watermark", name)
        return self._made[name]

    def _marked(self, name: str, asked: Question, payload: bytes, found: Answer) -> Image:
        """The marked picture, from the folder where it lies there."""
        key = key_of(content_of(asked.picture), payload.hex(), SIDE)
        path = Path(self._folders[name]) / f"{key}.png"
        if path.is_file():
            return Image.open(path)
        started = time.perf_counter()
        marked = self._watermark(name).embed(host(asked.picture), payload)
        found["ms_embed"] = (time.perf_counter() - started) * 1e3
        image = Image.from_array(marked)
        unfinished = path.with_suffix(f".{os.getpid()}")
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(image.data)
        os.replace(unfinished, path)
        return image


def _quality(before: Pixels, after: Pixels) -> dict[str, float]:
    """Measures of WAVES; none of a picture whose size changed, or of one that did not change."""
    if before.shape != after.shape or np.array_equal(before, after):
        return {}
    psnr = _fidelity.psnr(before, after)
    ssim = _fidelity.ssim(before, after, "uniform")
    nmi = _fidelity.nmi(before, after)
    return {"psnr": psnr, "ssim": ssim, "nmi": nmi, "degradation": degradation(psnr, ssim, nmi)}


def is_exact(answer: Answer) -> bool:
    """Whether the payload was read, and right."""
    return answer["read"] is not None and answer["read"] == answer["sent"]


def row(name: str, question: Question, answer: Answer) -> dict[str, Any]:
    """One line of the results table; columns that :func:`originlens.bench.copies.row` has, too,
    mean the same: ``found``: a marked picture is called marked, ``called``: any picture is."""
    called = answer["read"] is not None
    return {
        "system": name,
        "edit": question.distortion.name,
        "strength": question.distortion.strength,
        "expression": question.distortion.expression,
        "picture": question.picture,
        "sha256": content_of(question.picture),
        "seed": question.seed,
        "negative": not question.marked,
        "found": question.marked and called,
        "called": called,
        "exact": question.marked and is_exact(answer),
        **answer,
    }
