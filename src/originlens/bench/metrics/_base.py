"""What every metric shares: intervals by resampling units, values for tables, the card."""

from __future__ import annotations

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from originlens.bench.metrics._agreement import (
    Interval,
    agree,
    agreed,
    agreement_note,
    on_bound,
)
from originlens.bench.results import Value
from originlens.core import stats
from originlens.core.errors import UsageError
from originlens.core.registry import Card, Cost
from originlens.core.stats import Floats

Indices = npt.NDArray[np.int64]
ROUNDS = 1000


class Metric(ABC):
    """See :class:`originlens.bench.results.Metric`.

    A proportion states its counts and gets the exact interval of Clopper and Pearson; everything
    else is bootstrapped over units, or over groups of them, and covers the exact interval of k of k
    (or 0 of k) where the value lies on a bound. Options are attributes of their name.
    """

    card: ClassVar[Card]
    higher_is_better: ClassVar[bool]
    bounds: ClassVar[tuple[float, float]]
    #: True where a proportion is taken at an operating point chosen from the same data: the
    #: interval then covers the bootstrap's too, which knows of that choice.
    chooses: ClassVar[bool] = False

    @abstractmethod
    def measure(self, truth: Any, output: Any) -> float:
        """The value of ``output`` given ``truth``."""

    @abstractmethod
    def units(self, truth: Any, output: Any) -> int:
        """How many units there are."""

    @abstractmethod
    def take(self, truth: Any, output: Any, indices: Indices) -> tuple[Any, Any]:
        """Truth and output of the units at ``indices``."""

    @abstractmethod
    def examples(self) -> dict[str, tuple[Any, Any]]:
        """A "perfect", a "typical" and a "worst" (truth, output)."""

    def counts(self, truth: Any, output: Any) -> tuple[int, int] | None:
        """Hits and trials where the value is a proportion, else None."""
        return None

    def deciding(self, truth: Any, output: Any) -> npt.NDArray[np.bool_]:
        """(S, N) bool: the units whose number limits the claim; all of them unless replaced.

        A row per kind of unit that the value needs, such as a class: the kind with the fewest
        independent units decides.
        """
        return np.ones((1, self.units(truth, output)), dtype=np.bool_)

    def note(self, truth: Any, output: Any, level: float) -> str:
        """What limits the claim, in words; empty if nothing does."""
        return ""

    def interval(
        self,
        truth: Any,
        output: Any,
        *,
        rng: np.random.Generator,
        level: float = 0.95,
        groups: Sequence[Hashable] | None = None,
        rounds: int = ROUNDS,
    ) -> Interval:
        """An interval of confidence ``level``, within the bounds.

        Exact (Clopper-Pearson) for proportions of independent units; else a percentile bootstrap
        of ``rounds`` rounds over units, or over ``groups`` (one label per unit) where given.
        Rounds on which the metric is undefined are left out.

        Resamples hardly move a value off its bound, such as an AUC of 1, which is no certainty. The
        interval then covers the exact one of k of k (0 of k on the lower bound), scaled to the
        bounds: k is the number of units of :meth:`deciding`, or of groups that hold one.

        Raises:
            UsageError: the metric is undefined here, ``level`` is not in (0, 1), or not one group
                per unit was given.
        """
        return self._explained(truth, output, rng, level, groups, rounds)[0]

    def _explained(
        self,
        truth: Any,
        output: Any,
        rng: np.random.Generator,
        level: float,
        groups: Sequence[Hashable] | None,
        rounds: int,
    ) -> tuple[Interval, str]:
        """The interval, and how it was made where that is not as usual."""
        if not 0 < level < 1:
            raise UsageError(f"a level lies in (0, 1), not {level}")
        value = self.measure(truth, output)
        if groups is not None and len(groups) != self.units(truth, output):
            raise UsageError(f"{len(groups)} groups for {self.units(truth, output)} units")
        counts = self.counts(truth, output)
        exact = None
        if counts is not None and groups is None:
            exact = stats.clopper_pearson(*counts, level)
            if not self.chooses:
                return exact, ""
        low, high = self._clipped(self.resampled(truth, output, rng, level, groups, rounds))
        if exact is not None:
            return (min(low, exact[0]), max(high, exact[1])), ""
        bounded = all(math.isfinite(bound) for bound in self.bounds)
        if on_bound(value, self.bounds) and (bounded or agree(low, high)):
            units = self._independent(truth, output, groups)
            if counts is not None:
                units = min(units, counts[1])
            exact = agreed(value, units, self.bounds, level)
            note = agreement_note(value, units, self.bounds)
            return (min(low, exact[0]), max(high, exact[1])), note
        agreement = "every resample agrees: n, not the interval, limits the claim"
        return (low, high), agreement if agree(low, high) else ""

    def _independent(self, truth: Any, output: Any, groups: Sequence[Hashable] | None) -> int:
        """How many deciding units, or groups that hold one, there are of the rarest kind."""
        kinds = self.deciding(truth, output)
        labels = range(kinds.shape[1]) if groups is None else groups
        return min(len({g for g, counts in zip(labels, k, strict=True) if counts}) for k in kinds)

    def resampled(
        self,
        truth: Any,
        output: Any,
        rng: np.random.Generator,
        level: float,
        groups: Sequence[Hashable] | None,
        rounds: int,
    ) -> Interval:
        """Percentile bootstrap over units or groups; metrics with a quicker way replace this.

        An infinite value comes from single units, which says nothing about how rare they are: the
        bounds are the interval then.
        """
        if math.isinf(self.measure(truth, output)):
            return self.bounds

        def statistic(indices: Floats) -> float:
            drawn = self.take(truth, output, indices.astype(np.int64))
            try:
                return self.measure(*drawn)
            except UsageError:
                return math.nan

        rows = np.arange(self.units(truth, output))
        return stats.bootstrap(rows, statistic, rng, groups=groups, rounds=rounds, level=level)

    def value(
        self,
        truth: Any,
        output: Any,
        *,
        rng: np.random.Generator,
        level: float = 0.95,
        groups: Sequence[Hashable] | None = None,
        rounds: int = ROUNDS,
    ) -> Value:
        """The measured value with its interval, for tables; the arguments of :meth:`interval`."""
        (low, high), made = self._explained(truth, output, rng, level, groups, rounds)
        value = self.measure(truth, output)
        count = self.units(truth, output) if groups is None else len(set(groups))
        notes = [self.note(truth, output, level), made]
        return Value(self.label, value, low, high, count, "; ".join(filter(None, notes)))

    @property
    def label(self) -> str:
        """The card's name with the options of this instance: ``tpr-at-fpr(fpr=0.01)``."""
        parameters = inspect.signature(type(self)).parameters.values()
        options = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
        told = ", ".join(f"{name}={getattr(self, name)}" for name in options)
        return f"{self.card.name}({told})" if told else self.card.name

    def _clipped(self, interval: Interval) -> Interval:
        low, high = self.bounds
        return max(low, min(high, interval[0])), max(low, min(high, interval[1]))


class MeanMetric(Metric):
    """A mean of one number per unit."""

    @abstractmethod
    def each(self, truth: Any, output: Any) -> Floats:
        """(N,) float64, one number per unit."""

    def measure(self, truth: Any, output: Any) -> float:
        """The mean over units."""
        return float(self.each(truth, output).mean())

    def resampled(
        self,
        truth: Any,
        output: Any,
        rng: np.random.Generator,
        level: float,
        groups: Sequence[Hashable] | None,
        rounds: int,
    ) -> Interval:
        """Bootstrap of the mean; an infinite mean is bounded by the other units alone."""
        values = self.each(truth, output)
        if np.isinf(values).any():
            return float(values.min()), float(values.max())
        return stats.bootstrap(
            values, lambda rows: float(rows.mean()), rng, groups=groups, rounds=rounds, level=level
        )


def metric_card(
    name: str,
    task: str,
    *,
    paper: str,
    reads: tuple[str, ...],
    fails_when: str,
    cost: Cost,
    extra: str | None = None,
) -> Card:
    """A card of kind "metric"; ``cost`` is one call of ``measure``, whose size its note states."""
    return Card(
        name=name,
        kind="metric",
        task=task,
        claims="returns one number with its direction, bounds and interval",
        paper=paper,
        code_licence="Apache-2.0",
        reads=reads,
        cost=cost,
        status="stable",
        scope="benchmarks: compares methods on data with known truth",
        fails_when=fails_when,
        extra=extra,
    )
