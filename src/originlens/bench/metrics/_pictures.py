"""Metrics of pictures against their originals.

Truth: the original, (H, W) or (H, W, 3) uint8, or a list of them; output: the changed picture of
the same size, or a list. One array is one picture; units are pictures, and the value is their mean.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.bench.metrics._base import Indices, MeanMetric
from originlens.core.errors import UsageError
from originlens.core.stats import Floats

Picture = npt.NDArray[np.uint8]
#: The largest difference of two uint8 values.
RANGE = 255.0


class PictureMetric(MeanMetric):
    """A mean over pairs of pictures."""

    #: The shortest side that the metric is defined for.
    smallest = 1

    @abstractmethod
    def compare(self, original: Picture, changed: Picture) -> float:
        """The value of one pair of equal shape."""

    def each(self, truth: Any, output: Any) -> Floats:
        """(N,) float64 values of the pairs.

        Raises:
            UsageError: no pair, different numbers or sizes, pictures that are not uint8 or smaller
                than the metric's window.
        """
        originals, pictures = _listed(truth), _listed(output)
        if not originals or len(originals) != len(pictures):
            raise UsageError(f"{len(pictures)} pictures for {len(originals)} originals")
        values = []
        for a, b in zip(originals, pictures, strict=True):
            if a.dtype != np.uint8 or b.dtype != np.uint8 or a.shape != b.shape:
                raise UsageError(
                    f"{a.dtype} {a.shape} and {b.dtype} {b.shape}: bring both to uint8 and one size"
                )
            if a.ndim not in (2, 3) or (a.ndim == 3 and a.shape[2] != 3):
                raise UsageError(f"a picture is (H, W) or (H, W, 3), not {a.shape}")
            if min(a.shape[:2]) < self.smallest:
                raise UsageError(f"{a.shape}: the shorter side needs {self.smallest} pixels")
            values.append(self.compare(a, b))
        return np.array(values, dtype=np.float64)

    def units(self, truth: Any, output: Any) -> int:
        """The number of pairs."""
        return len(_listed(truth))

    def take(self, truth: Any, output: Any, indices: Indices) -> tuple[Any, Any]:
        """Pairs at the indices."""
        originals, pictures = _listed(truth), _listed(output)
        return [originals[i] for i in indices], [pictures[i] for i in indices]

    def examples(self) -> dict[str, tuple[Any, Any]]:
        """Checked squares and stripes: the same, under noise, inverted."""
        rng = np.random.default_rng(0)
        row, column = np.indices((176, 180)) // 8
        boards = [(row + column) % 2, row % 2, column % 2]
        originals = [np.repeat((board * 255).astype(np.uint8)[..., None], 3, 2) for board in boards]
        noisy = [
            np.clip(picture + rng.normal(0, 25, picture.shape), 0, 255).astype(np.uint8)
            for picture in originals
        ]
        return {
            "perfect": (originals, [picture.copy() for picture in originals]),
            "typical": (originals, noisy),
            "worst": (originals, [255 - picture for picture in originals]),
        }


def _listed(pictures: Any) -> list[npt.NDArray[Any]]:
    if isinstance(pictures, np.ndarray):
        return [pictures]
    return [np.asarray(picture) for picture in pictures]
