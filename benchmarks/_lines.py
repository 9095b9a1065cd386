"""What a section reports: lines of value, 95 % interval, goal and PASS or FAIL."""

from __future__ import annotations

import operator
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from originlens.core.stats import bootstrap, clopper_pearson

COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
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
    """A mean with its percentile-bootstrap interval ."""
    sample = np.asarray(values, dtype=np.float64)
    if not len(sample):
        return Line(name, float("nan"), goal=goal, note="nothing measured", passed=False)
    low, high = bootstrap(sample, lambda drawn: float(drawn.mean()), np.random.default_rng(seed))
    return Line(name, float(sample.mean()), low, high, goal, note=note or f"n={len(sample)}")


def grouped(
    name: str,
    values: Sequence[float],
    groups: Sequence[str],
    seed: int,
    goal: tuple[str, float] | None = None,
    note: str = "",
) -> Line:
    """A share of 0s and 1s, its interval bootstrapped over groups, such as a picture's questions.

    Where all agree it is the exact interval of all (or none) of the groups.
    """
    if not values:
        return Line(name, float("nan"), goal=goal, note="nothing measured", passed=False)
    if len(set(values)) == 1:
        count = len(set(groups))
        low, high = clopper_pearson(count if values[0] else 0, count)
    else:
        low, high = bootstrap(
            values, lambda drawn: float(drawn.mean()), np.random.default_rng(seed), groups=groups
        )
    return Line(name, float(np.mean(values)), low, high, goal, note=note or f"n={len(values)}")


def median(name: str, times: list[float], goal: float | None, note: str = "") -> Line:
    """The median with its order-statistics interval (binomial, 95 %)."""
    from scipy.stats import binom

    ranked = sorted(times)
    rank = int(binom.ppf(0.025, len(ranked), 0.5))
    low, high = ranked[max(0, rank - 1)], ranked[min(len(ranked) - 1, len(ranked) - rank)]
    limit = None if goal is None else ("<=", goal)
    return Line(name, statistics.median(ranked), low, high, limit, unit="ms", note=note)


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
