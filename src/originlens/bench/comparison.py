"""Two systems, or two runs, on the same questions: differences with paired intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from originlens.bench.outcome import Row, Table
from originlens.bench.results import Value
from originlens.core.errors import UsageError
from originlens.core.stats import binomial_test, bootstrap, clopper_pearson

_ROUNDS = 2000
_Measure = tuple[str, str, bool, Callable[[Any], bool]]
#: Name, the rows' column, whether it is asked of negatives, and what counts.
_MEASURES: tuple[_Measure, ...] = (
    ("recall (own decision)", "found", False, bool),
    ("recall@1", "rank", False, lambda rank: rank == 1),
    ("payload exact", "exact", False, bool),
    ("negatives called", "called", True, bool),
)


def paired(first: Sequence[Row], second: Sequence[Row], *, seed: int = 0) -> Table:
    """Measures of both on the questions that both were asked, and their difference.

    The interval of a difference is a percentile bootstrap over pictures, each with all its
    questions; ``p`` is McNemar's exact test (1947) on the questions that only one got right.

    Args:
        first: rows of one system of one run, see :func:`originlens.bench.copies.row` and
            :func:`originlens.bench.marking.row`.
        second: rows of the other.
        seed: of the resampling.

    Raises:
        UsageError: they have no question in common.
    """
    known = {_key(row): row for row in second}
    pairs = [(row, known[_key(row)]) for row in first if _key(row) in known]
    if not pairs:
        raise UsageError("the two runs have no question in common: same data, suite and seed?")
    rows = []
    for name, column, of_negatives, counts in _MEASURES:
        chosen = [(a, b) for a, b in pairs if column in a and a["negative"] == of_negatives]
        if chosen:
            rows.append((name, len(chosen), *_difference(chosen, column, counts, seed)))
    edits = list(dict.fromkeys(a["edit"] for a, _ in pairs if not a["negative"]))
    for edit in edits:
        chosen = [(a, b) for a, b in pairs if a["edit"] == edit and not a["negative"]]
        rows.append((edit, len(chosen), *_difference(chosen, "found", bool, seed)))
    note = (
        "Only questions that both were asked. Difference: second minus first, 95 % interval by "
        "paired bootstrap over pictures; p: McNemar's exact test."
    )
    columns = ("measure", "questions", "first", "second", "difference", "p")
    return Table("Paired comparison", columns, tuple(rows), note)


def _key(row: Row) -> tuple[Any, ...]:
    return (row["edit"] or "", row["strength"], row["sha256"], row["seed"], row["negative"])


def _difference(
    pairs: Sequence[tuple[Row, Row]], column: str, counts: Callable[[Any], bool], seed: int
) -> tuple[Value, Value, Value, float]:
    a, b = (np.array([counts(pair[k][column]) for pair in pairs]) for k in (0, 1))
    groups = [pair[0]["sha256"] for pair in pairs]
    moved = b.astype(float) - a
    low, high = bootstrap(
        moved,
        lambda drawn: float(drawn.mean()),
        np.random.default_rng(seed),
        groups=groups,
        rounds=_ROUNDS,
    )
    better, worse = int((moved > 0).sum()), int((moved < 0).sum())
    p = binomial_test(better, better + worse, 0.5, "two-sided") if better + worse else 1.0
    difference = Value("difference", float(moved.mean()), low, high, len(set(groups)))
    return _share(a), _share(b), difference, p


def _share(hits: Any) -> Value:
    low, high = clopper_pearson(int(hits.sum()), len(hits))
    return Value("share", float(hits.mean()), low, high, len(hits))
