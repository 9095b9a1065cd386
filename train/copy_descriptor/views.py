"""Two views of a photograph for contrastive training, made with the bench's attacks.

Every step of a view is an attack that some *seen* edit kind uses, or one that no kind of the
benchmark uses and that is not reserved as unseen: what reports hold out is never met here.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from originlens.bench.attacks._unseen import UNSEEN
from originlens.bench.chains import parse
from originlens.bench.kinds import kinds
from originlens.core.image import Image
from originlens.core.registry import methods

Pixels = np.ndarray
#: Milliseconds per megapixel above which an attack would hold up the training.
_SLOW = 80.0
#: Families that are drawn by hand below, with their own ranges.
_GEOMETRY = ("crop", "rotate", "mirror", "shear", "stretch", "paste")
_SAVED = "jpeg:0.1..0.8"


def _steps(split: str) -> set[str]:
    return {step.name for kind in kinds(split) for step in kind.chain.steps}


def allowed() -> list[str]:
    """Names of the attacks a view may meet besides geometry, sorted."""
    seen, held_out = _steps("seen"), _steps("held-out")
    # WAVES' and DeeperForensics' attacks are copies of held-out ones under other names.
    found = [
        m.card.name
        for m in methods("attack")
        if m.card.extra is None
        and m.card.cost.ms_per_mpx <= _SLOW
        and m.card.name not in UNSEEN
        and (m.card.name in seen or m.card.name not in held_out)
        and not m.card.name.startswith(("waves-", "df-"))
        and m.card.name not in (*_GEOMETRY, "jpeg", "webp", "resize", "mixed", "social")
    ]
    return sorted(found)


class Views:
    """Draws views of photographs.

    Args:
        side: of the square that the network is shown, in pixels.
    """

    def __init__(self, side: int) -> None:
        self._side = side
        self._effects = allowed()

    def pair(
        self, pixels: Pixels, others: Sequence[Pixels], rng: np.random.Generator
    ) -> tuple[Pixels, Pixels]:
        """A mild view (as a reference is) and a strong one (as a query is), (S, S, 3) uint8."""
        mild = self._made(pixels, self._mild(rng), others, rng)
        return self.square(mild), self.square(self._made(pixels, self._strong(rng), others, rng))

    def square(self, pixels: Pixels) -> Pixels:
        """The whole picture squeezed into the square."""
        shrinks = min(pixels.shape[:2]) >= self._side
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return cv2.resize(pixels, (self._side, self._side), interpolation=method)

    def _mild(self, rng: np.random.Generator) -> list[str]:
        """Half of the time the picture as it is."""
        steps = []
        if rng.random() < 0.3:
            steps.append("crop:0..0.3")
        if rng.random() < 0.3:
            steps.append(_SAVED)
        return steps

    def _strong(self, rng: np.random.Generator) -> list[str]:
        """Cropped, moved, edited, pasted and saved, in the order in which people do it."""
        steps = []
        if rng.random() < 0.65:
            steps.append("crop:0.1..0.8")
        if rng.random() < 0.3:
            steps.append("mirror")
        geometry = rng.random()
        if geometry < 0.25:
            steps.append("rotate:0..0.2")
        elif geometry < 0.4:
            steps.append(str(rng.choice(["shear:0.2..0.8", "stretch:0.2..0.8"])))
        for _ in range(int(rng.integers(0, 4))):
            steps.append(f"{rng.choice(self._effects)}:0.1..0.8")
        if rng.random() < 0.35:
            steps.append("paste:0.25..0.75")
        if rng.random() < 0.3:
            steps.append("resize:0.2..0.7")
        if rng.random() < 0.6:
            steps.append(_SAVED)
        return steps

    def _made(
        self, pixels: Pixels, steps: list[str], others: Sequence[Pixels], rng: np.random.Generator
    ) -> Pixels:
        if not steps:
            return pixels
        images = [Image.from_array(other) for other in others]
        made = parse("+".join(steps)).apply(Image.from_array(pixels), rng, others=images)
        return made.image.pixels
