"""Metrics of maps against masks, pixel by pixel.

Truth: a (H, W) bool mask, True = changed, or a list of them; output: a (H, W) bool or float map of
the same size, higher = more likely changed, or a list. One array is one picture; units are
pictures.

Conventions, stated because papers differ in them: a pixel is marked where its score >= threshold.
Over several pictures, ``average="picture"`` is the mean of one value per picture (each picture
counts the same), ``average="pooled"`` is one value over all their pixels (large pictures and masks
count more).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from originlens.bench.metrics._base import Indices, Interval, Metric
from originlens.core import stats
from originlens.core.errors import UsageError
from originlens.core.registry import Cost
from originlens.core.stats import Floats

Average = Literal["picture", "pooled"]
Maps = list[tuple[npt.NDArray[np.bool_], npt.NDArray[Any]]]
MASK_COST = Cost(ms_per_mpx=0.6, mb=2)
RANK_COST = Cost(ms_per_mpx=300, mb=64)
#: Levels that scores are cut into for the interval of a pooled ranking.
LEVELS = 1024


class MaskMetric(Metric):
    """A metric over one or several pictures."""

    def __init__(self, *, average: Average = "picture") -> None:
        self.average = average

    def units(self, truth: Any, output: Any) -> int:
        """The number of pictures."""
        return len(_listed(truth))

    def take(self, truth: Any, output: Any, indices: Indices) -> tuple[Any, Any]:
        """Pictures at the indices."""
        masks, maps = _listed(truth), _listed(output)
        return [masks[i] for i in indices], [maps[i] for i in indices]

    def examples(self) -> dict[str, tuple[Any, Any]]:
        """Twelve pictures with a square: found, half found under noise, everything else marked."""
        rng = np.random.default_rng(0)
        masks = [np.zeros((24, 30), bool) for _ in range(12)]
        for number, mask in enumerate(masks):
            mask[4 : 12 + number, 5:15] = True
        noisy = [0.45 * mask + rng.random(mask.shape) / 1.6 for mask in masks]
        return {
            "perfect": (masks, [mask.astype(float) for mask in masks]),
            "typical": (masks, noisy),
            "worst": (masks, [1.0 - mask for mask in masks]),
        }

    def checked(self, truth: Any, output: Any) -> Maps:
        """(mask, map) per picture.

        Raises:
            UsageError: no picture, different numbers or sizes, masks that are not bool, a NaN, or
                an unknown ``average``.
        """
        if self.average not in ("picture", "pooled"):
            raise UsageError(f'average is "picture" or "pooled", not {self.average!r}')
        masks, maps = _listed(truth), _listed(output)
        if not masks or len(masks) != len(maps):
            raise UsageError(f"{len(maps)} maps for {len(masks)} masks")
        for mask, scores in zip(masks, maps, strict=True):
            if mask.dtype != bool or mask.ndim != 2 or not mask.size or scores.shape != mask.shape:
                raise UsageError(
                    f"mask {mask.dtype} {mask.shape} and map {scores.shape}: not bool "
                    "and of one size (H, W)"
                )
            if np.isnan(scores).any():
                raise UsageError("a map holds NaN")
        return list(zip(masks, maps, strict=True))


def _listed(pictures: Any) -> list[npt.NDArray[Any]]:
    """One array is one picture; anything else is a sequence of them."""
    if isinstance(pictures, np.ndarray):
        return [pictures]
    return [np.asarray(picture) for picture in pictures]


class OverlapMetric(MaskMetric):
    """A function of the marked and missed pixels at a fixed threshold."""

    def __init__(self, *, threshold: float = 0.5, average: Average = "picture") -> None:
        super().__init__(average=average)
        self.threshold = threshold

    def deciding(self, truth: Any, output: Any) -> npt.NDArray[np.bool_]:
        """Every picture; of pooled pixels those with a change, where there is one."""
        changed = np.array([mask.any() for mask in _listed(truth)])
        pooled = self.average == "pooled" and changed.any()
        return (changed if pooled else np.ones_like(changed))[None]

    @abstractmethod
    def overlap(self, hits: Floats, false: Floats, missed: Floats) -> Floats:
        """Values of (...) true positive, false positive and false negative pixel counts."""

    def measure(self, truth: Any, output: Any) -> float:
        """The overlap of maps at the threshold with masks."""
        return self._average(self._rows(truth, output))

    def resampled(
        self,
        truth: Any,
        output: Any,
        rng: np.random.Generator,
        level: float,
        groups: Sequence[Hashable] | None,
        rounds: int,
    ) -> Interval:
        """Bootstrap of the counts of pictures."""
        rows = self._rows(truth, output)
        return stats.bootstrap(rows, self._average, rng, groups=groups, rounds=rounds, level=level)

    def _rows(self, truth: Any, output: Any) -> Floats:
        rows = []
        for mask, scores in self.checked(truth, output):
            marked = scores >= self.threshold
            hits = np.count_nonzero(mask & marked)
            rows.append((hits, np.count_nonzero(marked) - hits, np.count_nonzero(mask) - hits))
        return np.array(rows, dtype=np.float64)

    def _average(self, rows: Floats) -> float:
        if self.average == "pooled":
            rows = rows.sum(axis=0, keepdims=True)
        return float(self.overlap(*rows.T).mean())


class RankedMaskMetric(MaskMetric):
    """A function of the whole ranking of pixels by their scores."""

    def deciding(self, truth: Any, output: Any) -> npt.NDArray[np.bool_]:
        """Pictures with changed and intact pixels; the fewer of either kind for pooled pixels."""
        changed = np.array([mask.any() for mask in _listed(truth)])
        intact = np.array([not mask.all() for mask in _listed(truth)])
        return np.stack([changed, intact]) if self.average == "pooled" else (changed & intact)[None]

    @abstractmethod
    def one(self, mask: npt.NDArray[np.bool_], scores: npt.NDArray[Any]) -> float:
        """The value of (P,) scores of pixels; NaN where it is undefined."""

    @abstractmethod
    def of_histogram(self, changed: Floats, intact: Floats) -> float:
        """The same of (B,) counts of changed and intact pixels by ascending level of score."""

    def measure(self, truth: Any, output: Any) -> float:
        """The value of maps, whatever the threshold."""
        maps = self.checked(truth, output)
        if self.average == "pooled":
            maps = [
                (
                    np.concatenate([m.ravel() for m, _ in maps]),
                    np.concatenate([s.ravel() for _, s in maps]),
                )
            ]
        values = np.array([self.one(mask.ravel(), scores.ravel()) for mask, scores in maps])
        if np.isnan(values).all():
            raise UsageError("no picture has both changed and intact pixels")
        return float(np.nanmean(values))

    def resampled(
        self,
        truth: Any,
        output: Any,
        rng: np.random.Generator,
        level: float,
        groups: Sequence[Hashable] | None,
        rounds: int,
    ) -> Interval:
        """Bootstrap over pictures; pooled scores are cut into 1024 levels of equal numbers."""
        maps = self.checked(truth, output)
        if self.average == "pooled":
            rows = _histograms(maps)
            half = rows.shape[1] // 2

            def statistic(drawn: Floats) -> float:
                total = drawn.sum(axis=0)
                return self.of_histogram(total[:half], total[half:])
        else:
            rows = np.array([self.one(m.ravel(), s.ravel()) for m, s in maps])

            def statistic(drawn: Floats) -> float:
                known = drawn[~np.isnan(drawn)]
                return float(known.mean()) if known.size else float("nan")

        return stats.bootstrap(rows, statistic, rng, groups=groups, rounds=rounds, level=level)


def _histograms(maps: Maps) -> Floats:
    """(N, 2B) counts per picture: changed, then intact pixels by ascending level of score."""
    scores = np.concatenate([s.ravel() for _, s in maps])
    cuts = np.unique(np.quantile(scores, np.linspace(0, 1, LEVELS + 1), method="nearest"))
    rows = []
    for mask, found in maps:
        level = np.searchsorted(cuts, found.ravel(), side="right")
        counts = [
            np.bincount(level[m], minlength=cuts.size + 1) for m in (mask.ravel(), ~mask.ravel())
        ]
        rows.append(np.concatenate(counts))
    return np.array(rows, dtype=np.float64)
