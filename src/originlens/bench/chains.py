"""Chains of edits as text: ``jpeg:0.6+crop:0.3+meme``, with the truth carried through every step.

Grammar: steps joined by ``+``; a step is the name of an attack, then optionally ``:`` and its
strength in [0, 1] (0.5 if absent) or a range ``low..high`` from which the strength is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from originlens.bench import Attack, Attacked
from originlens.bench.attacks._warp import carried
from originlens.bench.runner import key_of, version_of
from originlens.core.errors import UsageError
from originlens.core.geometry import normalised
from originlens.core.image import Image
from originlens.core.registry import method

DEFAULT_STRENGTH = 0.5


@dataclass(frozen=True, slots=True)
class Step:
    """One edit of a chain; its strength is drawn evenly from [low, high]."""

    name: str
    low: float
    high: float

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.name}:{self.low:g}"
        return f"{self.name}:{self.low:g}..{self.high:g}"


@dataclass(frozen=True, slots=True)
class Chain:
    """Edits applied one after the other."""

    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return "+".join(str(step) for step in self.steps)

    def apply(
        self, image: Image, rng: np.random.Generator, *, others: Sequence[Image] = ()
    ) -> Attacked:
        """The picture after all steps; transforms are composed and masks carried into its frame.

        ``others`` are the pictures that steps with hosts, donors or neighbours draw from (drawn
        scenes stand in if there are none). ``parameters`` lists every step's own under ``steps``.
        """
        transform = np.eye(3)
        mask = np.zeros((image.height, image.width), bool)
        told: list[dict[str, Any]] = []
        for step in self.steps:
            strength = float(rng.uniform(step.low, step.high))
            result = _attack(step.name, others).apply(image, strength, rng)
            size = (result.image.height, result.image.width)
            mask = carried(mask, result.transform, size) | result.mask
            transform = normalised(result.transform @ transform)
            image = result.image
            told.append({"attack": step.name, "strength": strength, **result.parameters})
        return Attacked(image, transform, mask, {"steps": told})


def _attack(name: str, others: Sequence[Image]) -> Attack:
    """An instance of the attack; those that take other pictures get them."""
    found = method("attack", name)
    made: Attack = found.cls(others=others) if "others" in found.options() else found.cls()
    return made


def parse(expression: str) -> Chain:
    """The chain that a text names.

    Raises:
        UsageError: an unknown attack, a strength that is no number in [0, 1], or an empty step.
    """
    return Chain(tuple(_step(part.strip(), expression) for part in expression.split("+")))


def _step(part: str, expression: str) -> Step:
    name, colon, strength = part.partition(":")
    method("attack", name)
    if not colon:
        return Step(name, DEFAULT_STRENGTH, DEFAULT_STRENGTH)
    low, dots, high = strength.partition("..")
    try:
        first = float(low)
        last = float(high) if dots else first
    except ValueError:
        raise UsageError(
            f"{expression!r}: {strength!r} is no strength: write 0.4 or 0.2..0.6"
        ) from None
    if not (math.isfinite(first) and 0 <= first <= last <= 1):
        raise UsageError(f"{expression!r}: strength {strength!r} lies outside [0, 1]")
    return Step(name, first, last)


@lru_cache(maxsize=4096)
def code_of(expression: str) -> str:
    """Names the code that an expression runs ("" for the empty one), as keys of answers need it.

    Raises:
        UsageError: as :func:`parse`.
    """
    steps = parse(expression).steps if expression else ()
    return key_of(*(version_of(method("attack", step.name)) for step in steps)) if steps else ""
