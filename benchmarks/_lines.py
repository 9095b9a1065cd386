"""What a section reports: lines of value, 95 % interval, goal and PASS or FAIL."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "<": operator.lt,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One figure. ``goal`` is a comparison such as (">=", 0.95), or None for information.

    ``passed`` is given only where the goal is not a comparison of ``value`` itself.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    goal: tuple[str, float] | None = None
    unit: str = ""
    note: str = ""
    passed: bool | None = None

    @property
    def verdict(self) -> str:
        """PASS, FAIL or nothing (information)."""
        if self.passed is not None:
            return "PASS" if self.passed else "FAIL"
        if self.goal is None:
            return ""
        return "PASS" if COMPARE[self.goal[0]](self.value, self.goal[1]) else "FAIL"

    def to_dict(self) -> dict[str, Any]:
        """JSON form, the verdict included."""
        return {**asdict(self), "verdict": self.verdict}


@dataclass(frozen=True, slots=True)
class Section:
    """A section's lines and whatever else it wants kept in the JSON file."""

    name: str
    lines: list[Line]
    details: dict[str, Any] = field(default_factory=dict)


def proportion(
    name: str, hits: int, total: int, goal: tuple[str, float] | None = None, note: str = ""
) -> Line:
    """A share with its Clopper-Pearson interval."""
    low, high = clopper_pearson(hits, total)
    value = hits / total if total else float("nan")
    return Line(name, value, low, high, goal, note=note or f"{hits}/{total}")


def mean(
    name: str,
    values: Sequence[float],
    seed: int,
    goal: tuple[str, float] | None = None,
    note: str = "",
) -> Line:
    """A mean with its percentile-bootstrap interval (2 000 resamples of the values)."""
    sample = np.asarray(values, dtype=np.float64)
    if not len(sample):
        return Line(name, float("nan"), goal=goal, note="nothing measured", passed=False)
    low, high = bootstrap(lambda rows: float(sample[rows].mean()), len(sample), seed)
    return Line(name, float(sample.mean()), low, high, goal, note=note or f"n={len(sample)}")


def clopper_pearson(hits: int, total: int, level: float = 0.95) -> tuple[float, float]:
    """Exact binomial interval (Clopper, Pearson 1934)."""
    from scipy.stats import beta

    if not total:
        return 0.0, 1.0
    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits, total - hits + 1))
    high = 1.0 if hits == total else float(beta.ppf(1 - tail, hits + 1, total - hits))
    return low, high


def bootstrap(
    figure: Callable[[npt.NDArray[np.int64]], float], size: int, seed: int, rounds: int = 2000
) -> tuple[float, float]:
    """Percentile interval of ``figure`` over resampled row numbers of ``size`` units."""
    rng = np.random.default_rng(seed)
    drawn = [figure(rng.integers(0, size, size)) for _ in range(rounds)]
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def micro_average_precision(
    scores: Sequence[float], correct: Sequence[bool], positives: int
) -> float:
    """uAP of DISC21 (Douze et al. 2021, arXiv:2106.09672): one ranking over all pairs.

    The sum over ranks of precision times the recall gained there. Pairs of equal score share the
    precision at the end of their tie, so the order in which they came does not matter.
    """
    if not positives:
        return float("nan")
    if not len(scores):
        return 0.0
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")
    ranked = np.asarray(scores, dtype=np.float64)[order]
    hits = np.cumsum(np.asarray(correct, dtype=np.int64)[order])
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    gained = np.diff(hits[ends], prepend=0)
    return float((hits[ends] / (ends + 1) * gained).sum() / positives)


def table(sections: Sequence[Section]) -> str:
    """Every line of every section, as text."""
    rows = []
    for section in sections:
        for line in section.lines:
            interval = "" if line.low is None else f"[{_short(line.low)}, {_short(line.high)}]"
            goal = "" if line.goal is None else f"{line.goal[0]} {line.goal[1]:g}"
            value = _short(line.value) + (f" {line.unit}" if line.unit else "")
            rows.append((section.name, line.name, value, interval, goal, line.verdict, line.note))
    header = ("section", "what", "value", "95 % interval", "goal", "", "note")
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(6)]
    return "\n".join(
        "  ".join([*(cell.ljust(w) for cell, w in zip(row, widths, strict=False)), row[6]]).rstrip()
        for row in [header, *rows]
    )


def _short(value: float | None) -> str:
    if value is None or value != value:
        return "-"
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.1f}"
