"""Tables and charts of systems over the cells of a grid."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from originlens.bench.metrics._agreement import agreed, agreement_note, on_bound
from originlens.bench.outcome import Cell as Entry
from originlens.bench.outcome import Chart, Series, Table
from originlens.bench.protocols.grids import Cell
from originlens.bench.protocols.worst_group import FEWEST_UNITS, GroupFigures, group_figures
from originlens.bench.results import Value
from originlens.bench.suites._rates import (
    FALSE_ALARMS,
    PIXEL_COLUMNS,
    PIXEL_NOTE,
    ROUNDS,
    Judged,
    examined_share,
    has_both,
    localises,
    mean_of,
    median_ms,
    metric_of,
    pixel_means,
    roc,
)
from originlens.bench.suites._values import UNIT, series_of
from originlens.core import stats
from originlens.core.stats import Floats


@dataclass(frozen=True, slots=True)
class CellAnswers:
    """A system's answers in one cell, and the generator or source of each picture."""

    judged: tuple[Judged, ...]
    origins: tuple[str, ...]


#: Per system, a list with an entry per cell; None where it could not be trained there.
Found = Mapping[str, Sequence[CellAnswers | None]]


def tables(made: Sequence[Cell], found: Found, seed: int) -> tuple[Table, ...]:
    """Whole systems first, then by cell and by origin, then maps where masks are known."""
    by_cell = (
        _by_cell("AUC by cell", made, found, lambda judged: metric_of("auc", judged, seed)),
        _by_cell(
            "TPR at 1 % FPR by cell",
            made,
            found,
            lambda judged: metric_of("tpr-at-fpr", judged, seed, fpr=FALSE_ALARMS),
        ),
    )
    return (_systems(made, found, seed), *by_cell, _by_origin(found, seed), *_maps(found, seed))


def _all(answers: Sequence[CellAnswers | None]) -> list[Judged]:
    return [judged for cell in answers if cell is not None for judged in cell.judged]


def _systems(made: Sequence[Cell], found: Found, seed: int) -> Table:
    rows: list[tuple[Entry, ...]] = []
    for name, answers in found.items():
        judged = _all(answers)
        ranked, groups = _rows(answers)
        aucs = _per_cell(ranked, _auc)
        worst = min(aucs, key=aucs.__getitem__, default=None)
        figures = _figures(answers, seed)
        group = None if figures is None else figures.worst
        rows.append(
            (
                name,
                f"{len(aucs)} of {len(made)}",
                _mean(ranked, groups, _auc, (False, True), seed),
                _mean(ranked, groups, _tpr, (True,), seed),
                "" if worst is None else f"{aucs[worst]:.3f} {made[worst].name}",
                None
                if group is None
                else Value("right", group.value, group.low, group.high, group.units),
                "" if group is None else group.group,
                examined_share(judged, seed),
                median_ms([j.answer for j in judged]),
                sum(j.answer["error"] is not None for j in judged),
            )
        )
    columns = (
        "system", "cells", "AUC, mean of cells", "TPR at 1 % FPR, mean", "worst cell's AUC",
        "right in the worst group", "worst group", "examined", "ms p50", "errors",
    )  # fmt: skip
    note = (
        "Over what was examined. Intervals: 95 %, bootstrapped over the manifest's groups. Right: "
        "share of right decisions of the system itself; the worst group is the generator or source "
        f"of at least {FEWEST_UNITS} independent pictures with the lowest, its interval holds for "
        "all groups at once."
    )
    return Table("Systems", columns, tuple(rows), note)


def _curve(truth: Floats, ranks: Floats) -> stats.Roc | None:
    """The ROC curve; None where a class is absent."""
    positive = truth > 0.5
    return None if positive.all() or not positive.any() else stats.roc(ranks, positive)


def _auc(curve: stats.Roc) -> float:
    return curve.auc


def _tpr(curve: stats.Roc) -> float:
    return curve.tpr_at(FALSE_ALARMS)[0]


def _rows(answers: Sequence[CellAnswers | None]) -> tuple[Floats, list[str]]:
    """(N, 3) float64 of cell, truth and rank of everything examined, and (N,) groups."""
    found = [
        (float(number), float(j.truth), j.rank, j.group)
        for number, cell in enumerate(answers)
        if cell is not None
        for j in cell.judged
        if j.rank is not None
    ]
    values = np.array([row[:3] for row in found], np.float64).reshape(-1, 3)
    return values, [row[3] for row in found]


def _per_cell(rows: Floats, value: Callable[[stats.Roc], float]) -> dict[int, float]:
    """The value in every cell where both classes were examined."""
    found = {}
    for number in np.unique(rows[:, 0]):
        here = rows[rows[:, 0] == number]
        curve = _curve(here[:, 1], here[:, 2])
        if curve is not None:
            found[int(number)] = value(curve)
    return found


def _mean(
    rows: Floats,
    groups: Sequence[str],
    value: Callable[[stats.Roc], float],
    deciding: Sequence[bool],
    seed: int,
) -> Value | None:
    """The mean over cells; a group is drawn with all that it has in every cell.

    Where it is 0 or 1, the interval covers the exact one of none or all of k groups: k is their
    number in the cell with the fewest, of the ``deciding`` class with the fewest.
    """
    values = _per_cell(rows, value)
    if not values:
        return None

    def statistic(drawn: Floats) -> float:
        again = _per_cell(drawn, value)
        return float(np.mean(list(again.values()))) if again else math.nan

    low, high = stats.bootstrap(
        rows, statistic, np.random.default_rng(seed), groups=groups, rounds=ROUNDS
    )
    mean, count, note = float(np.mean(list(values.values()))), len(set(groups)), ""
    if on_bound(mean, UNIT):
        units = min(
            len({g for g, (c, t, _) in zip(groups, rows, strict=True) if c == cell and t == truth})
            for cell in values
            for truth in deciding
        )
        exact, note = agreed(mean, units, UNIT), agreement_note(mean, units, UNIT)
        low, high = min(low, exact[0]), max(high, exact[1])
    return Value("mean", mean, low, high, count, note)


def _by_cell(
    title: str,
    made: Sequence[Cell],
    found: Found,
    value: Callable[[Sequence[Judged]], Value | None],
) -> Table:
    rows: list[tuple[Entry, ...]] = []
    for number, cell in enumerate(made):
        answers = [per_cell[number] for per_cell in found.values()]
        truths = next(([j.truth for j in a.judged] for a in answers if a is not None), [])
        values = [None if a is None else value(a.judged) for a in answers]
        trained = 0 if cell.train is None else len(cell.train)
        rows.append(
            (cell.name, cell.problem, trained, truths.count(False), truths.count(True), *values)
        )
    columns = ("cell", "problem", "trained on", "negative", "positive", *found)
    note = "A system is left blank in a cell where it could not be trained or judged nothing."
    return Table(title, columns, tuple(rows), note)


def _figures(answers: Sequence[CellAnswers | None], seed: int) -> GroupFigures | None:
    """Right decisions by generator or source, over all cells."""
    known = [
        (j.answer["called"] == j.truth, origin, j.group)
        for cell in answers
        if cell is not None
        for j, origin in zip(cell.judged, cell.origins, strict=True)
        if j.answer["called"] is not None
    ]
    if not known:
        return None
    right, origins, groups = zip(*known, strict=True)
    return group_figures(right, origins, rng=np.random.default_rng(seed), units=groups)


def _by_origin(found: Found, seed: int) -> Table:
    figures = {name: _figures(answers, seed) for name, answers in found.items()}
    by_name = {
        name: {} if f is None else {g.group: g for g in f.groups} for name, f in figures.items()
    }
    origins = sorted({group for groups in by_name.values() for group in groups})
    rows: list[tuple[Entry, ...]] = []
    for origin in origins:
        values = [
            Value("right", g.value, g.low, g.high, g.units) if g is not None else None
            for g in (groups.get(origin) for groups in by_name.values())
        ]
        units = max(v.n for v in values if v is not None)
        rows.append((origin, units, *values))
    note = (
        "Share of right decisions of the system itself, over what it examined; intervals are exact "
        "at the effective sample size of the groups."
    )
    return Table("Right by generator or source", ("origin", "groups", *found), tuple(rows), note)


def _maps(found: Found, seed: int) -> tuple[Table, ...]:
    """Localisation, where something was changed in a part and a system shows where."""
    rows: list[tuple[Entry, ...]] = []
    for name, answers in found.items():
        judged = _all(answers)
        masked = [j for j in judged if j.truth and j.answer["f1"] is not None]
        if localises(judged) and masked:
            quiet = [j for j in judged if not j.truth]
            rows.append((name, *pixel_means(masked, seed), mean_of(quiet, "lit", seed)))
    if not rows:
        return ()
    columns = ("system", *PIXEL_COLUMNS, "lit, negative")
    return (Table("Localisation", columns, tuple(rows), PIXEL_NOTE),)


def charts(made: Sequence[Cell], found: Found) -> tuple[Chart, ...]:
    """AUC by cell, curves of a degradation, ROC, and each system's confusion by origin."""
    aucs = {
        name: [metric_of("auc", c.judged, 0) if c is not None else None for c in answers]
        for name, answers in found.items()
    }
    known = {
        name: [(cell, v) for cell, v in zip(made, values, strict=True) if v is not None]
        for name, values in aucs.items()
    }
    bars = tuple(
        series_of(name, [cell.name for cell, _ in pairs], [v for _, v in pairs])
        for name, pairs in known.items()
        if pairs
    )
    drawn = [Chart("AUC by cell", "bars", "", "AUC", bars)] if bars else []
    drawn += _degradations(known)
    curves = tuple(
        roc(name, _all(answers)) for name, answers in found.items() if has_both(_all(answers))
    )
    if curves:
        title = "ROC, all cells together"
        drawn.append(Chart(title, "lines", "false-positive rate", "true-positive rate", curves))
    return (*drawn, *(_confusion(name, answers) for name, answers in found.items()))


def _degradations(known: Mapping[str, Sequence[tuple[Cell, Value]]]) -> list[Chart]:
    """AUC over the strength of each attack, from untouched pictures on."""
    attacks = dict.fromkeys(
        cell.attack.rpartition(":")[0]
        for pairs in known.values()
        for cell, _ in pairs
        if cell.attack
    )
    drawn = []
    for attack in attacks:
        series = []
        for name, pairs in known.items():
            points = [
                (float(cell.attack.rpartition(":")[2]) if cell.attack else 0.0, value)
                for cell, value in pairs
                if not cell.attack or cell.attack.rpartition(":")[0] == attack
            ]
            points.sort(key=lambda point: point[0])
            series.append(series_of(name, [x for x, _ in points], [v for _, v in points]))
        drawn.append(Chart(f"AUC under {attack}", "lines", "strength", "AUC", tuple(series)))
    return drawn


def _confusion(name: str, answers: Sequence[CellAnswers | None]) -> Chart:
    """What the system calls the pictures of each generator or source."""
    calls: dict[str, list[bool | None]] = {}
    for cell in answers:
        if cell is not None:
            for judged, origin in zip(cell.judged, cell.origins, strict=True):
                calls.setdefault(origin, []).append(judged.answer["called"])
    columns = {"called negative": False, "called positive": True, "not examinable": None}
    series = tuple(
        Series(
            f"{origin} ({len(calls[origin])})",
            tuple(columns),
            tuple(
                sum(c is v for c in calls[origin]) / len(calls[origin]) for v in columns.values()
            ),
        )
        for origin in sorted(calls)
    )
    return Chart(f"Confusion by generator or source: {name}", "matrix", "", "", series)
