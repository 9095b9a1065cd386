"""Forgeries made of pictures, each beside the same picture without the forgery.

Every local edit kind of :mod:`originlens.bench.kinds` begins with the local edit and goes on with
what people do afterwards (resizing, saving). Its counterpart is the same chain, with the same
draws, without the first step: same size, same codec, same quality. Nothing but the edit is left to
tell the two apart. Every second picture of a kind is also cropped, turned by a few degrees and
recoloured in between, in both: what lies on its original is told apart from what must be aligned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from originlens.bench.chains import parse
from originlens.bench.detection import Asked
from originlens.bench.draws import rng_of
from originlens.bench.kinds import KINDS, Kind
from originlens.bench.runner import content_of

_OTHERS = 2
#: Turns by two to five degrees.
_REFRAMED = "crop:0.1..0.3+rotate:0.011..0.028+colour:0.2..0.5"


@dataclass(frozen=True, slots=True)
class Forgery:
    """A picture to ask about and what was done to it.

    ``role`` is "forged" (an edit in a part), "untouched" (its counterpart) or "benign" (an edit of
    the whole picture that leaves every detail alone).
    """

    asked: Asked
    kind: str
    role: Literal["forged", "untouched", "benign"]
    is_unseen: bool
    is_reframed: bool

    @property
    def group(self) -> str:
        """The source picture: what is made of it is not independent."""
        return content_of(self.asked.picture)


def forgeries(pictures: Sequence[str], each: int, seed: int) -> list[Forgery]:
    """Of every local kind ``each`` forgeries with their counterparts, and benign edits."""
    found = []
    for kind in KINDS:
        if kind.group != "local" and not kind.benign:
            continue
        order = rng_of(seed, "forgeries", kind.name).permutation(len(pictures))
        for place, index in enumerate(order[:each]):
            found += _made(kind, pictures[index], pictures, seed, is_reframed=place % 2 == 1)
    return found


def _made(
    kind: Kind, picture: str, pictures: Sequence[str], seed: int, *, is_reframed: bool
) -> list[Forgery]:
    rng = rng_of(seed, kind.name, content_of(picture))
    edit, *rest = kind.chain.steps
    if is_reframed and not kind.benign:
        rest = [*parse(_REFRAMED).steps, *rest]
    # Written out, so that both of a pair have the same strengths.
    steps = [f"{s.name}:{round(float(rng.uniform(s.low, s.high)), 4)}" for s in (edit, *rest)]
    others: tuple[str, ...] = ()
    if kind.others != "none":
        left = [path for path in pictures if path != picture]
        others = tuple(left[i] for i in rng.permutation(len(left))[:_OTHERS])
    drawn = int(rng.integers(np.iinfo(np.int32).max))
    is_unseen = kind.split == "held-out"
    if kind.benign:
        asked = Asked(picture, afterwards="+".join(steps), seed=drawn)
        return [Forgery(asked, kind.name, "benign", is_unseen, False)]
    then = "+".join(steps[1:])
    forged, untouched = (
        Asked(picture, steps[0], then, others, drawn),
        Asked(picture, afterwards=then, seed=drawn),
    )
    return [
        Forgery(forged, kind.name, "forged", is_unseen, is_reframed),
        Forgery(untouched, kind.name, "untouched", is_unseen, is_reframed),
    ]
