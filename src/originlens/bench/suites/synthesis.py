"""Are generated pictures told from real ones, also those of a generator or source not trained on?

Paper: the protocols of :mod:`originlens.bench.protocols.grids` (DF40, Yan et al. 2024,
arXiv:2406.13495, and others). Why it works as a test: groups stay whole, what a file alone tells is
shown beside, and the worst group stands beside the mean. Fails when: the classes differ in content
(a manifest is the user's), or in their files, of which the report warns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from originlens.bench.detection import Asked, System, Trial, available, examined, label_of, system
from originlens.bench.draws import rng_of
from originlens.bench.findings import PIXEL_METRICS
from originlens.bench.outcome import Cell as Entry
from originlens.bench.outcome import Outcome, Setting, Table, Takes
from originlens.bench.outcome import Row as Line
from originlens.bench.protocols.grids import Cell, Sides, cells
from originlens.bench.protocols.manifest import Manifest, Row
from originlens.bench.protocols.shortcut import LEAK_AUC, LEAK_P, audit
from originlens.bench.results import Value
from originlens.bench.runner import Answer, content_of, key_of
from originlens.bench.suites._grid_tables import CellAnswers, charts, tables
from originlens.bench.suites._rates import Judged, systems_for, versions
from originlens.bench.suites._values import machine
from originlens.core.errors import MissingExtra, UsageError
from originlens.core.registry import Card, Cost, register

_BASELINE = "shortcut"


@register(
    Card(
        name="synthesis",
        kind="suite",
        task="detection of generated pictures",
        claims="detectors and baselines over the cells of a grid, with the worst group",
        paper="grids after DF40, Yan et al. 2024 (arXiv:2406.13495)",
        code_licence="Apache-2.0",
        reads=("collection",),
        cost=Cost(ms_per_mpx=0.0, mb=600.0, note="every picture once, a fit per cell"),
        status="stable",
        scope="a manifest of labelled pictures; figures hold for its sources and generators",
        fails_when="the classes differ in content, or in their files, of which it warns",
    )
)
class Synthesis:
    """Any binary question over a manifest, whose positive label is what is to be detected.

    The baseline of metadata and size is always beside. ``each`` takes that many rows at most of
    every label, source and generator.
    """

    system_kinds = ("detector", "baseline")
    takes: Takes = "manifest"

    def run(self, setting: Setting) -> Outcome:
        """See :class:`originlens.bench.outcome.Suite`."""
        manifest, gone = _manifest(setting)
        grid = setting.grid or _proposed(manifest)
        made = _on_sides(cells(grid, manifest, seed=setting.seed), manifest, setting.seed)
        _check(made, manifest, grid)
        wanted = setting.systems or systems_for("synthesis", self.system_kinds)
        chosen = dict.fromkeys((*wanted, _BASELINE))
        ready, missing = available(system(name, self.system_kinds) for name in chosen)
        trials = [_trial(manifest, cell, setting.seed) for cell in made]
        told = examined(ready, trials, setting)
        units = manifest.units()
        found = {
            label_of(name): [
                None if answers is None else _judged(manifest, units, cell, answers)
                for cell, answers in zip(made, per_cell, strict=True)
            ]
            for name, per_cell in told.items()
        }
        audit, warning = _audited(manifest, setting.seed)
        facts = _facts(manifest, grid, made, ready, setting, gone, warning)
        shown = (*tables(made, found, setting.seed), *audit)
        lines = _lines(manifest, made, trials, told)
        return Outcome("synthesis", facts, shown, charts(made, found), missing, tuple(lines))


def _manifest(setting: Setting) -> tuple[Manifest, int]:
    """The rows that are there, at most ``each`` of a kind, and how many are not there."""
    if setting.manifest is None:
        raise UsageError(
            "this suite needs labels: give --data MANIFEST.csv (or .parquet), or --layout NAME "
            "with --data FOLDER of a known data set"
        )
    manifest = setting.manifest
    manifest.require_both_classes()
    lacking = {number - 1 for number, _ in manifest.missing()}
    kept = [i for i in range(len(manifest)) if i not in lacking]
    if setting.each is not None:
        kept = _few(manifest, kept, setting.each, setting.seed)
    return manifest.take(kept), len(lacking)


def _few(manifest: Manifest, rows: Sequence[int], each: int, seed: int) -> list[int]:
    order = sorted(rows, key=lambda i: key_of(seed, manifest.rows[i].path))
    taken: dict[tuple[str, str, str], list[int]] = {}
    for i in order:
        row = manifest.rows[i]
        same = taken.setdefault((row.label, row.source, row.generator), [])
        if len(same) < each:
            same.append(i)
    return sorted(i for same in taken.values() for i in same)


def _proposed(manifest: Manifest) -> str:
    """Unseen generators are the question, where there are several."""
    return "leave-one-generator-out" if len(manifest.values("generator")) > 1 else "none"


def _on_sides(made: Sequence[Cell], manifest: Manifest, seed: int) -> list[Cell]:
    """Cells of a grid that trains nothing, with the sides that trained baselines need."""
    if all(cell.train is not None for cell in made):
        return list(made)
    sides = Sides(manifest, seed=seed)
    everything = np.ones(len(manifest), bool)
    on = sides.cell("", everything, everything)
    return [replace(on, name=cell.name, attack=cell.attack) for cell in made]


def _check(made: Sequence[Cell], manifest: Manifest, grid: str) -> None:
    """Refuse a grid of which no cell can be judged; one without training rows still can."""
    truth = manifest.truth()
    if not any(len(set(truth[cell.test].tolist())) == 2 for cell in made):
        why = f"{made[0].name}: {made[0].problem}" if made else "there is none"
        raise UsageError(f"no cell of the grid {grid} can be judged ({why}): give more pictures")


def _trial(manifest: Manifest, cell: Cell, seed: int) -> Trial:
    truth = manifest.truth()
    train = [] if cell.train is None else cell.train.tolist()
    return Trial(
        tuple((_asked(manifest, manifest.rows[i], "", seed), bool(truth[i])) for i in train),
        tuple(_asked(manifest, manifest.rows[i], cell.attack, seed) for i in cell.test),
    )


def _asked(manifest: Manifest, row: Row, attack: str, seed: int) -> Asked:
    path = str(manifest.file(row))
    drawn = 0
    if attack:
        drawn = int(rng_of(seed, attack, content_of(path)).integers(np.iinfo(np.int32).max))
    mask = str(manifest.root / row.mask) if row.mask else ""
    return Asked(path, afterwards=attack, seed=drawn, mask=mask)


def _judged(
    manifest: Manifest, units: Sequence[str], cell: Cell, answers: Sequence[Answer]
) -> CellAnswers:
    rows = [manifest.rows[i] for i in cell.test]
    judged = [
        Judged(not row.is_negative, answer, units[i])
        for i, row, answer in zip(cell.test, rows, answers, strict=True)
    ]
    return CellAnswers(tuple(judged), tuple(_origin(row) for row in rows))


def _origin(row: Row) -> str:
    """The group that a row is reported under."""
    if row.is_negative:
        return f"{row.label}: {row.source}" if row.source else row.label
    return (
        f"{row.label}: {row.generator or row.source}" if row.generator or row.source else row.label
    )


def _audited(manifest: Manifest, seed: int) -> tuple[tuple[Table, ...], str]:
    """What the files alone tell of the classes, as a table, and the warning where it is much."""
    try:
        found = audit(manifest, np.random.default_rng(seed))
    except (UsageError, MissingExtra) as error:
        return (), f"no shortcut audit: {error}"
    whole = Value("auc", found.auc, found.low, found.high, found.units, f"p = {found.p_value:.3g}")
    rows: list[tuple[Entry, ...]] = [("all together", whole, whole.note, "")]
    rows += [(f.name, f.auc, f.negative, f.positive) for f in found.features[:8]]
    note = found.warning or (
        "No leak by the audit's limits: lower end of the AUC's interval above "
        f"{LEAK_AUC:g} with p below {LEAK_P:g}."
    )
    columns = ("of the file", "AUC", "negative", "positive")
    return (Table("Shortcut audit", columns, tuple(rows), note),), found.warning


def _facts(
    manifest: Manifest,
    grid: str,
    made: Sequence[Cell],
    ready: Sequence[System],
    setting: Setting,
    gone: int,
    warning: str,
) -> dict[str, Any]:
    truth = manifest.truth()
    facts = {
        "suite": "synthesis",
        "systems": ", ".join(label_of(s.name) for s in ready),
        "grid": grid,
        "cells": len(made),
        "negative rows": int((~truth).sum()),
        "positive rows": int(truth.sum()),
        "groups": len(set(manifest.units())),
        "seed": setting.seed,
        "versions": versions(ready),
        "machine": machine(setting.jobs),
    }
    if gone:
        facts["files not there"] = gone
    if warning:
        facts["warning"] = warning
    return facts


def _lines(
    manifest: Manifest,
    made: Sequence[Cell],
    trials: Sequence[Trial],
    told: Mapping[str, Sequence[Sequence[Answer] | None]],
) -> list[Line]:
    """A row per system, cell and test picture; ``found``: a positive one that it calls so."""
    lines = []
    for name, per_cell in told.items():
        for cell, trial, answers in zip(made, trials, per_cell, strict=True):
            if answers is None:
                continue
            rows = [manifest.rows[i] for i in cell.test]
            for row, asked, answer in zip(rows, trial.test, answers, strict=True):
                lines.append(
                    {
                        "system": label_of(name),
                        "edit": cell.name,
                        "strength": None,
                        "picture": row.path,
                        "sha256": content_of(asked.picture),
                        "label": row.label,
                        "source": row.source,
                        "generator": row.generator,
                        "group": row.group,
                        "attack": cell.attack,
                        "seed": asked.seed,
                        "negative": row.is_negative,
                        "found": not row.is_negative and bool(answer["called"]),
                        **{k: answer[k] for k in ("called", "score", "llr", "status", "why")},
                        **{k: answer[k] for k in ("lit", *PIXEL_METRICS, "ms", "error")},
                    }
                )
    return lines
