"""A query prepared for search: its hashes, the vectors of its views, its local features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core.image import Image, Pixels
from originlens.match import LocalFeatures, views

WORKING_SIDE = 512
"""Short side asked of the query's decode; proxies have this long side."""


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

    _SHARES = 3  # parts of the views that are described at the same time

    def __init__(self, image: Image, embedder: Any, effort: Effort, verifier: Any) -> None:
        self.image = image
        self._embedder = embedder
        self.effort = effort
        self._verifier = verifier
        self._shares: dict[int, npt.NDArray[np.float32]] = {}

    @cached_property
    def pixels(self) -> Pixels:
        return self.image.reduced(WORKING_SIDE)

    @cached_property
    def hashes(self) -> npt.NDArray[np.uint8] | None:
        from originlens.match.descriptors import pdq

        stored = self.image.reduced(pdq.HASHED_SHORT_SIDE, managed=False, oriented=False)
        hashes = pdq.dihedral(stored)
        return hashes if hashes.any() else None

    @cached_property
    def _views(self) -> list[Pixels]:
        """The whole query, its quarter turns and its rectangles."""
        pixels = self.pixels
        turns = [np.ascontiguousarray(np.rot90(pixels, k)) for k in (1, 2, 3)]
        rectangles = views.rectangles(pixels, self.effort.rectangles)
        return [pixels, *turns, *(_crop(pixels, r.box) for r in rectangles)]

    @cached_property
    def _regions(self) -> npt.NDArray[np.float32]:
        boxes = [r.box for r in views.tiles(self.effort.thorough)]
        return np.asarray(self._embedder.describe_regions(self.pixels, boxes), np.float32)

    def _described(self, number: int) -> npt.NDArray[np.float32]:
        """Vectors of one share of the views, computed once."""
        if number not in self._shares:
            share = self._views[number :: self._SHARES]
            self._shares[number] = self._embedder.describe_batch(share)
        return self._shares[number]

    @cached_property
    def vectors(self) -> npt.NDArray[np.float32]:
        return np.vstack([*(self._described(k) for k in range(self._SHARES)), self._regions])

    def parts(self) -> list[Callable[[], Any]]:
        """What can be computed at the same time, the longest first."""
        self._views  # noqa: B018  the shares are cut from one list
        shares = [partial(self._described, k) for k in range(self._SHARES)]
        return [lambda: self._regions, lambda: self.features, *shares, lambda: self.hashes]

    @cached_property
    def features(self) -> LocalFeatures:
        return self._verifier.features(self.pixels, full_size=(self.image.height, self.image.width))


def _crop(pixels: Pixels, box: tuple[float, float, float, float]) -> Pixels:
    h, w = pixels.shape[:2]
    x0, y0 = int(box[0] * w), int(box[1] * h)
    x1, y1 = max(x0 + 1, round(box[2] * w)), max(y0 + 1, round(box[3] * h))
    return np.ascontiguousarray(pixels[y0:y1, x0:x1])
