"""Two systems, or two runs, on the same questions: differences with paired intervals."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.bench.findings import PIXEL_METRICS
from originlens.bench.metrics._agreement import Interval, agree, agreed
from originlens.bench.outcome import Cell, Row, Table
from originlens.bench.results import Metric, Value
from originlens.bench.suites._values import UNIT, grouped_share
from originlens.core.errors import UsageError
from originlens.core.registry import make
from originlens.core.stats import binomial_test, bootstrap

_ROUNDS = 2000
#: Bounds of differences of numbers in [0, 1].
_OF_DIFFERENCES = (-1.0, 1.0)
#: Columns that tell what was asked, as far as a suite's rows have them.
_ASKED = (
    "edit", "expression", "afterwards", "strength", "track", "cell", "kind", "sha256", "seed",
    "negative",
)  # fmt: skip
Pair = tuple[Row, Row]
Floats = npt.NDArray[np.float64]
Statistic = Callable[[Floats], float]
Average = Callable[[Floats], Any]
#: What a metric takes: the truth, and what a system made of it.
Output = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class _Share:
    """A share: the rows' column, whether it is asked of negatives, and what counts."""

    name: str
    column: str
    of_negatives: bool
    counts: Callable[[Any], bool] = bool


_SHARES = (
    _Share("recall (own decision)", "found", False),
    _Share("recall@1", "rank", False, lambda rank: rank == 1),
    _Share("payload exact", "exact", False),
    _Share("negatives called", "called", True),
)
_MEANS = {"accuracy": "bits right", **PIXEL_METRICS}


def paired(first: Sequence[Row], second: Sequence[Row], *, seed: int = 0) -> Table:
    """Measures of both on the questions that both were asked, and their difference.

    Which measures depends on what the rows hold: shares (recall, payloads, false alarms), the AUC
    of detectors' scores, means (pixel metrics, bits), the median time of a call. The intervals are
    percentile bootstraps over pictures, each with all its questions. Where every resample agrees
    they are exact instead: of k pictures that all showed one difference, a share of 1 - (lower
    Clopper-Pearson bound of k of k) may show any other. ``p`` is McNemar's exact test
    (1947) on the questions that only one got right.

    Args:
        first: rows of one system of one run.
        second: rows of the other.
        seed: of the resampling.

    Raises:
        UsageError: they have no question in common, or nothing that could be compared.
    """
    known = {_key(row): row for row in second}
    pairs = [(row, known[_key(row)]) for row in first if _key(row) in known]
    if not pairs:
        raise UsageError("the two runs have no question in common: same data, suite and seed?")
    rows = [row for part in (_shares, _auc, _means, _times) for row in part(pairs, seed)]
    if not rows:
        raise UsageError("these runs measured nothing that differs from system to system")
    note = (
        f"{len(pairs)} questions in common, of {len(first)} and {len(second)} (others: another "
        "seed, suite or data). Difference: second minus first, 95 % interval by "
        "paired bootstrap over pictures (where every resample agrees, Clopper-Pearson's bound of "
        "what other pictures could show); p: McNemar's exact test, of shares."
    )
    columns = ("measure", "questions", "first", "second", "difference", "p")
    return Table("Paired comparison", columns, tuple(rows), note)


def paired_difference(
    metric: Metric,
    first: Output,
    second: Output,
    *,
    rng: np.random.Generator,
    groups: Sequence[Hashable] | None = None,
    rounds: int = 1000,
) -> Value:
    """A metric of one system minus that of another, with a paired bootstrap interval (95 %).

    Args:
        metric: of whose units the same are drawn for both.
        first: (truth, output) of one system, as the metric takes them.
        second: those of the other, its units in the same order.
        rng: of the resampling.
        groups: one per unit; whole groups are drawn, where units share a picture.
        rounds: resamples.

    Raises:
        UsageError: the two have different numbers of units.
    """
    count = metric.units(*first)
    if metric.units(*second) != count:
        raise UsageError(f"{count} and {metric.units(*second)} units are no pairs")

    def gap(drawn: Floats) -> float:
        units = drawn.astype(np.int64)
        try:
            values = [metric.measure(*metric.take(*one, units)) for one in (first, second)]
        except UsageError:  # such as a draw without any true pair: bootstrap leaves it out
            return float("nan")
        return values[0] - values[1]

    rows = np.arange(count)
    low, high = bootstrap(rows, gap, rng, groups=groups, rounds=rounds)
    value = metric.measure(*first) - metric.measure(*second)
    units = count if groups is None else len(set(groups))
    return Value("difference", value, low, high, units, "paired bootstrap")


Line = tuple[Cell, ...]


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(row.get(column) or "" for column in _ASKED)


def _shares(pairs: Sequence[Pair], seed: int) -> Iterator[Line]:
    """Every share that the rows tell, then recall by edit."""
    for share in _SHARES:
        if share.column in pairs[0][0]:
            chosen = [pair for pair in pairs if bool(pair[0]["negative"]) == share.of_negatives]
            yield from _share(share.name, chosen, share, seed)
    if "found" in pairs[0][0]:
        for edit in dict.fromkeys(a["edit"] for a, _ in pairs if not a["negative"]):
            chosen = [pair for pair in pairs if pair[0]["edit"] == edit and not pair[0]["negative"]]
            yield from _share(str(edit), chosen, _SHARES[0], seed)


def _share(name: str, pairs: Sequence[Pair], share: _Share, seed: int) -> Iterator[Line]:
    if not pairs:
        return
    right = _values(pairs, lambda row: float(share.counts(row[share.column])))
    better = int((right[:, 1] > right[:, 0]).sum())
    worse = int((right[:, 1] < right[:, 0]).sum())
    groups = [str(a["sha256"]) for a, _ in pairs]
    first, second = (grouped_share((right[:, k] > 0.5).tolist(), groups, seed) for k in (0, 1))
    p = binomial_test(better, better + worse, 0.5, "two-sided") if better + worse else 1.0
    difference = _bootstrapped(
        "difference", right, _difference(np.mean), groups, seed, _OF_DIFFERENCES
    )
    yield (name, len(pairs), first, second, difference, p)


def _auc(pairs: Sequence[Pair], seed: int) -> Iterator[Line]:
    """Of detectors' scores, where both gave one; a ranking's scores have no such meaning."""
    if "rank" in pairs[0][0] or "exact" in pairs[0][0] or "score" not in pairs[0][0]:
        return
    chosen = [(a, b) for a, b in pairs if a["score"] is not None and b["score"] is not None]
    truth = np.array([not a["negative"] for a, _ in chosen])
    if len(set(truth.tolist())) < 2:
        return
    scores = np.column_stack([_values(chosen, lambda row: float(row["score"])), truth])
    metric = make("metric", "auc")

    def area(column: int) -> Statistic:
        def statistic(drawn: Floats) -> float:
            positive = drawn[:, 2] > 0.5
            if positive.all() or not positive.any():
                return float("nan")
            return float(metric.measure(positive, drawn[:, column]))

        return statistic

    def gap(drawn: Floats) -> float:
        return area(1)(drawn) - area(0)(drawn)

    groups = [str(a["sha256"]) for a, _ in chosen]
    # As many pairs of a positive and a negative share no picture.
    units = min(len({g for g, t in zip(groups, truth, strict=True) if t == c}) for c in (0, 1))
    found = [
        _bootstrapped(name, scores, of, groups, seed, bounds, units)
        for name, of, bounds in (
            ("auc", area(0), UNIT),
            ("auc", area(1), UNIT),
            ("difference", gap, _OF_DIFFERENCES),
        )
    ]
    yield ("AUC, all pooled", len(chosen), *found, None)


def _means(pairs: Sequence[Pair], seed: int) -> Iterator[Line]:
    for column, name in _MEANS.items():
        chosen = [p for p in pairs if all(row.get(column) is not None for row in p)]
        if chosen:
            yield _averaged(name, column, np.mean, chosen, seed, bounded=True)


def _times(pairs: Sequence[Pair], seed: int) -> Iterator[Line]:
    chosen = [(a, b) for a, b in pairs if a.get("ms") is not None and b.get("ms") is not None]
    if chosen:
        yield _averaged("ms (median)", "ms", np.median, chosen, seed, bounded=False)


def _values(pairs: Sequence[Pair], value: Callable[[Row], float]) -> Floats:
    """(N, 2) float64: a number of the first and of the second row of each pair."""
    return np.array([[value(a), value(b)] for a, b in pairs], dtype=np.float64)


def _averaged(
    name: str, column: str, average: Average, pairs: Sequence[Pair], seed: int, *, bounded: bool
) -> Line:
    """A line of a column's average over both, and its difference; ``bounded``: in [0, 1]."""
    values = _values(pairs, lambda row: float(row[column]))
    groups = [str(a["sha256"]) for a, _ in pairs]
    found = [
        _bootstrapped(label, values, of, groups, seed, bounds if bounded else None)
        for label, of, bounds in (
            (name, lambda rows: float(average(rows[:, 0])), UNIT),
            (name, lambda rows: float(average(rows[:, 1])), UNIT),
            ("difference", _difference(average), _OF_DIFFERENCES),
        )
    ]
    return (name, len(pairs), *found, None)


def _difference(average: Average) -> Statistic:
    return lambda rows: float(average(rows[:, 1])) - float(average(rows[:, 0]))


def _bootstrapped(
    name: str,
    values: Floats,
    statistic: Statistic,
    groups: Sequence[str],
    seed: int,
    bounds: Interval | None,
    units: int | None = None,
) -> Value:
    """A statistic with its interval, which is no point where every resample agrees.

    Within ``bounds`` it is then widened by what a share of groups could hide that none of ``units``
    (by default, all groups) showed.
    """
    rng = np.random.default_rng(seed)
    low, high = bootstrap(values, statistic, rng, groups=groups, rounds=_ROUNDS)
    value, count = statistic(values), len(set(groups))
    if bounds is None or not agree(low, high):
        return Value(name, value, low, high, count)
    units = count if units is None else units
    note = f"every resample agrees: {units} independent units, none otherwise (Clopper-Pearson)"
    return Value(name, value, *agreed(value, units, bounds), count, note)
