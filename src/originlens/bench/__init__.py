"""Edits with known truth, named edit kinds, and what they are composed of.

Everything that tests, the demo and the benchmarks do to a picture is written once, here: an attack
returns the attacked picture together with the exact plane transform and the mask of what it changed
locally, so that a match, a transform and a change map can be judged against the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from originlens.core.evidence import Evidence, Match
from originlens.core.image import Image, Pixels


@dataclass(frozen=True, slots=True)
class Attacked:
    """An edited picture and the truth about the edit.

    ``transform`` (3, 3) float64 with ``H[2, 2] = 1`` maps pixels of the full-size original to
    pixels of the full-size attacked picture (x right, y down, centres at integers); it holds for
    every attacked pixel outside ``mask``. ``mask`` (H, W) bool, of the attacked picture's size, is
    True where a pixel was changed locally or shows nothing of the original. Edits of the whole
    picture (recompression, resizing, colour, blur, noise ...) leave it False. ``parameters`` tells
    what was drawn, in numbers and words.
    """

    image: Image
    transform: npt.NDArray[np.float64]
    mask: npt.NDArray[np.bool_]
    parameters: dict[str, Any] = field(default_factory=dict)


class Attack(Protocol):
    """A method of kind "attack": an edit that people (or pipelines) make to pictures."""

    def apply(self, image: Image, strength: float, rng: np.random.Generator) -> Attacked:
        """The edited picture with its truth.

        ``strength`` in [0, 1]; 0 is the identity, 1 the hardest version. All randomness comes from
        ``rng``: the same picture, strength and generator state give the same bytes.

        Raises:
            UsageError: ``strength`` lies outside [0, 1].
        """
        ...


class Matcher(Protocol):
    """A method of kind "matcher": a whole system that finds the original of a picture."""

    def enrol(self, references: Sequence[str], folder: str) -> list[str]:
        """Prepare what it needs of the reference files in ``folder``; goes on where it stopped.

        Returns the files that it could not use.
        """
        ...

    def open(self, folder: str) -> None:
        """Open what :meth:`enrol` made, for this process."""
        ...

    def match(self, image: Image, *, top: int = 10) -> list[Match]:
        """At most ``top`` references, best first.

        ``path`` is the reference as it was enrolled, ``score`` ranks pairs across queries (larger =
        more alike), ``relation`` is the system's own decision at its default threshold.
        """
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What a watermark's reader finds in a picture, marked or not.

    ``bits`` (n,) uint8 of 0 and 1 is what it reads, most significant bit of the first byte first;
    n may be 0. ``payload`` is what it says to have been embedded; None: it says that there is no
    watermark. ``score`` is finite and larger where a watermark is more likely. ``p_value`` in
    (0, 1] bounds the chance of so large a score in an unmarked picture; None where the method
    states none.
    """

    bits: npt.NDArray[np.uint8]
    payload: bytes | None
    score: float
    p_value: float | None = None


class Watermark(Protocol):
    """A method of kind "watermark": writes a payload into a picture and reads it back blindly."""

    #: Lengths in bytes of the payloads that it carries.
    payload_bytes: tuple[int, ...]

    def embed(self, image: Image, payload: bytes) -> Pixels:
        """(H, W, 3) uint8 of the picture's size, with the payload in it.

        Raises:
            UsageError: a payload of another length than ``payload_bytes``.
            InputError: the picture cannot carry it.
        """
        ...

    def read(self, image: Image) -> Reading:
        """What is read, of marked and unmarked pictures alike, without the original.

        Raises:
            InputError: the picture cannot be examined.
        """
        ...


class Baseline(Protocol):
    """A method of kind "baseline": what a detector has to beat to be worth its name."""

    def inspect(self, image: Image) -> Evidence:
        """Its finding; ``score`` ranks pictures (larger = more likely generated or edited).

        From the card's threshold "score" on it calls a picture positive. ``heatmap`` is given by
        those that localise.
        """
        ...


class Trainable(Baseline, Protocol):
    """A baseline that is fitted on labelled pictures first, and sees only features of them."""

    def features(self, image: Image) -> Any:
        """What it looks at, as plain data (JSON) that depends on the picture alone."""
        ...

    def fit(self, features: Sequence[Any], truth: npt.NDArray[np.bool_]) -> None:
        """Learn from the features of N pictures and their (N,) labels, True = positive.

        The same data in the same order give the same baseline.

        Raises:
            UsageError: a class is absent.
            MissingExtra: an optional dependency is absent.
        """
        ...

    def judge(self, features: Any) -> Evidence:
        """The finding of :meth:`inspect` on a picture of these features.

        Raises:
            UsageError: it was not fitted.
        """
        ...


class Comparator(Protocol):
    """A method of kind "comparator": what was changed in a picture, seen beside its original."""

    def compare(self, image: Image, original: Image) -> Evidence:
        """The change map and how much changed.

        ``heatmap`` (H, W) float32 in [0, 1] has the size of ``image``, 1 = surely changed;
        ``score`` ranks pictures, larger = more surely edited in a part. The status is
        "not-applicable" where it sees no relation between the two.
        """
        ...
