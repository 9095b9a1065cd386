"""Which content of a query is accounted for by copies that were found in it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from originlens.core import geometry
from originlens.match import Homography, LocalFeatures
from originlens.match.views import Box

_FEW = 40  # features below which a picture's area stands for its content
_GRID = 24
_ROOM = 0.004  # of the original's longer side: transforms are inexact at their borders


class Accounted:
    """The share of a query's content, whole or in a region, that lies under confirmed copies.

    Content is where local features are, so that plain borders, letterboxes and the corners that a
    rotation leaves do not count as something that another picture would have to explain.
    """

    def __init__(self, features: LocalFeatures) -> None:
        height, width = features.size
        points = (features.points[:, :2] + 0.5) / (width, height)
        if len(points) < _FEW:
            across = (np.arange(_GRID) + 0.5) / _GRID
            points = np.stack(np.meshgrid(across, across), axis=-1).reshape(-1, 2)
        self._points = points.astype(np.float64)
        self._size = features.full_size
        self._is_explained = np.zeros(len(points), dtype=bool)

    def add(self, transform: Homography | None, size: tuple[int, int]) -> None:
        """Count a copy in.

        Args:
            transform: (3, 3), full-size pixels of the original to full-size pixels of the query;
                None: it is the whole query.
            size: (height, width) of the full-size original.
        """
        if transform is None:
            self._is_explained[:] = True
            return
        height, width = self._size
        places = self._points * np.array([width, height]) - 0.5
        inverse = np.asarray(np.linalg.inv(transform), np.float64)
        there = geometry.apply(inverse, places)
        room = _ROOM * max(size)
        low, high = -0.5 - room, np.array(size[::-1]) - 0.5 + room
        with np.errstate(invalid="ignore"):
            self._is_explained |= ((there >= low) & (there <= high)).all(axis=1)

    def share(self, box: Box) -> float:
        """Share in [0, 1] of the content inside ``box`` (in shares of the query's sides); 1 where
        there is none."""
        left, top, right, bottom = box
        x, y = self._points.T
        inside: npt.NDArray[np.bool_] = (x >= left) & (x < right) & (y >= top) & (y < bottom)
        return float(self._is_explained[inside].mean()) if inside.any() else 1.0
