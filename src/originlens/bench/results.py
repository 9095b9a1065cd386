"""What metrics take and give: the protocol, truth of rankings, and a measured value for tables."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from originlens.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Value:
    """A measured number with its interval.

    ``name`` tells the metric and its options; ``low`` and ``high`` bound the interval; ``n`` counts
    the independent units behind it (queries, pictures, samples, or their groups); ``note`` says how
    the interval was made and what limits the claim.
    """

    name: str
    value: float
    low: float
    high: float
    n: int
    note: str = ""

    def __str__(self) -> str:
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}]"

    def to_dict(self) -> dict[str, Any]:
        """Plain data for tables and JSON; numbers that are not finite become None."""
        return {
            key: None if isinstance(field, float) and not math.isfinite(field) else field
            for key, field in asdict(self).items()
        }


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Truth of a ranking of (query, reference) pairs that a system returned.

    ``correct`` (N,) bool says which pairs are true, ``query`` (N,) int64 whose they are, as indices
    into ``positives`` (Q,) int64: the number of true pairs of each query, returned or not (0 for a
    query without an original).
    """

    correct: npt.NDArray[np.bool_]
    query: npt.NDArray[np.int64]
    positives: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.correct.shape != self.query.shape or self.correct.ndim != 1:
            raise UsageError("pairs need one flag and one query each, as flat arrays")
        if self.query.size and not 0 <= self.query.min() <= self.query.max() < self.positives.size:
            raise UsageError(f"a pair's query lies outside 0..{self.positives.size - 1}")
        found = np.bincount(self.query[self.correct], minlength=self.positives.size)
        if (found > self.positives).any():
            raise UsageError("a query has more correct pairs than true ones")

    @classmethod
    def of(cls, correct: npt.ArrayLike, positives: int) -> Pairs:
        """Pairs of which only the total number of true ones is known.

        Each pair, and each true pair that was not returned, then counts as a query of its own.
        """
        flags = np.asarray(correct, dtype=bool).ravel()
        missing = positives - int(flags.sum())
        if missing < 0:
            raise UsageError(f"{positives} positives, but {int(flags.sum())} pairs are correct")
        wanted = np.concatenate([flags.astype(np.int64), np.ones(missing, np.int64)])
        return cls(flags, np.arange(flags.size, dtype=np.int64), wanted)


class Metric(Protocol):
    """A method of kind "metric": one number that compares outputs with the truth.

    ``bounds`` are the least and the largest possible value (infinite where there is none). What
    ``truth`` and ``output`` are is told by each metric; both consist of *units* (queries, pictures,
    samples) whose order never matters.
    """

    higher_is_better: ClassVar[bool]
    bounds: ClassVar[tuple[float, float]]

    def measure(self, truth: Any, output: Any) -> float:
        """The value of ``output`` given ``truth``.

        Raises:
            UsageError: shapes, types or values that the metric is not defined for.
        """
        ...

    def interval(
        self,
        truth: Any,
        output: Any,
        *,
        rng: np.random.Generator,
        level: float = 0.95,
        groups: Sequence[Hashable] | None = None,
    ) -> tuple[float, float]:
        """An interval of confidence ``level``; ``groups`` (one per unit) are kept together."""
        ...

    def units(self, truth: Any, output: Any) -> int:
        """How many units there are."""
        ...

    def take(self, truth: Any, output: Any, indices: npt.NDArray[np.int64]) -> tuple[Any, Any]:
        """Truth and output of the units at ``indices`` (which may repeat)."""
        ...

    def examples(self) -> dict[str, tuple[Any, Any]]:
        """(truth, output) pairs under "perfect", "typical" and "worst", for conformance checks."""
        ...
