"""A query prepared for search: its hashes, the vectors of its views, its local features.

A photographic negative has the original's structure with every gradient turned round, which no
gradient histogram and hardly a network sees through. So the query's negative is looked for, too:
one more vector, and the hashes' complements, which cost nothing (the negative of a picture negates
its cosine coefficients, and PDQ keeps their signs about the median).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core.image import Image, Pixels
from originlens.match import LocalFeatures, views
from originlens.match.local import voting

WORKING_SIDE = 512
"""Short side asked of the query's decode; proxies have this long side."""
_TURNS = 4  # by 0, 90, 180 and 270 degrees
NEGATIVE_VIEW = _TURNS
"""Which of :attr:`Query.vectors` describes the query's negative."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much a search tries: verified candidates, rectangles and the tile plan."""

    candidates: int
    rectangles: int
    thorough: bool


DEFAULT = Effort(candidates=16, rectangles=3, thorough=False)
THOROUGH = Effort(candidates=40, rectangles=6, thorough=True)


class Query:
    """A query's hashes, vectors and features, each computed once and only if asked for."""

    def __init__(self, image: Image, embedder: Any, effort: Effort, verifier: Any) -> None:
        self.image = image
        self._embedder = embedder
        self.effort = effort
        self._verifier = verifier
        self._parts: dict[views.Box, LocalFeatures] = {}

    @cached_property
    def pixels(self) -> Pixels:
        return self.image.reduced(WORKING_SIDE)

    @cached_property
    def hashes(self) -> npt.NDArray[np.uint8] | None:
        """(16, 32): of the query under the eight symmetries, then of its negative; None if flat."""
        from originlens.match.descriptors.pdq import Pdq

        hashes = Pdq().variants(self.image)
        return np.vstack([hashes, ~hashes]) if hashes.any() else None

    @cached_property
    def _rectangles(self) -> list[views.Box]:
        return [r.box for r in views.rectangles(self.pixels, self.effort.rectangles)]

    @cached_property
    def _tiles(self) -> list[views.Box]:
        return [r.box for r in views.tiles(self.effort.thorough)]

    @cached_property
    def _of_whole(self) -> npt.NDArray[np.float32]:
        """Vectors of the query and of its quarter turns."""
        turned = [np.ascontiguousarray(np.rot90(self.pixels, k)) for k in range(_TURNS)]
        return np.asarray(self._embedder.describe_batch(turned), np.float32)

    @cached_property
    def _of_negative(self) -> npt.NDArray[np.float32]:
        return np.asarray(self._embedder.describe_batch([255 - self.pixels]), np.float32)

    @cached_property
    def _of_rectangles(self) -> npt.NDArray[np.float32]:
        cut = [self._part(box) for box in self._rectangles]
        return np.asarray(self._embedder.describe_batch(cut), np.float32)

    @cached_property
    def _of_tiles(self) -> npt.NDArray[np.float32]:
        return np.asarray(self._embedder.describe_regions(self.pixels, self._tiles), np.float32)

    @property
    def vectors(self) -> npt.NDArray[np.float32]:
        """(N, 256), of the whole query, its turns, its negative, its rectangles and its tiles."""
        return np.vstack([self._of_whole, self._of_negative, self._of_rectangles, self._of_tiles])

    @property
    def boxes(self) -> list[views.Box]:
        """Which part of the query each of :attr:`vectors` describes."""
        return [*[views.WHOLE] * (_TURNS + 1), *self._rectangles, *self._tiles]

    def parts(self) -> list[Callable[[], Any]]:
        """What can be computed at the same time, the longest first."""
        return [
            lambda: self._of_rectangles,
            lambda: self._of_tiles,
            lambda: self._of_whole,
            lambda: self.features,
            lambda: self.local,
            lambda: self._of_negative,
            lambda: self.hashes,
        ]

    @cached_property
    def local(self) -> voting.Features:
        return voting.features(self.pixels)

    @cached_property
    def features(self) -> LocalFeatures:
        size = (self.image.height, self.image.width)
        return self._verifier.features(self.pixels, full_size=size, smoothed=True)

    def features_of(self, box: views.Box) -> LocalFeatures:
        """Features of the part inside ``box`` alone, in the frame of the pixels :meth:`cut` names.

        Kept: candidates that one region speaks for share them.
        """
        if box not in self._parts:
            self._parts[box] = self._verifier.features(self._part(box))
        return self._parts[box]

    def cut(self, box: views.Box) -> tuple[int, int, int, int]:
        """Left, top, right and bottom of ``box`` in :attr:`pixels`, at least a pixel wide."""
        h, w = self.pixels.shape[:2]
        x0, y0 = int(box[0] * w), int(box[1] * h)
        return x0, y0, max(x0 + 1, round(box[2] * w)), max(y0 + 1, round(box[3] * h))

    def _part(self, box: views.Box) -> Pixels:
        x0, y0, x1, y1 = self.cut(box)
        return np.ascontiguousarray(self.pixels[y0:y1, x0:x1])
