"""Are edits of a part of a picture found and shown, with the original at hand and without?

Paper: localisation as in Ma et al. 2024, IMDL-BenCo (arXiv:2406.10580); own forgeries with exact
masks. Why it works as a test: a forgery and its counterpart are saved alike by construction, so
that a file tells nothing, which a baseline of metadata and size shows beside. Fails when: pictures
given were edited before; forgeries by people look different: their figures are lower.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from originlens.bench.detection import System, Trial, available, examined, label_of, system
from originlens.bench.draws import shuffled
from originlens.bench.findings import PIXEL_METRICS
from originlens.bench.kinds import KINDS
from originlens.bench.outcome import Cell, Chart, Outcome, Row, Series, Setting, Table, Takes
from originlens.bench.results import Value
from originlens.bench.runner import Answer
from originlens.bench.suites._forgeries import Forgery, forgeries
from originlens.bench.suites._rates import (
    PIXEL_COLUMNS,
    PIXEL_NOTE,
    Judged,
    at_one_percent,
    called,
    examined_share,
    has_both,
    localises,
    mean_of,
    median_ms,
    metric_of,
    pixel_mean,
    pixel_means,
    roc,
    systems_for,
    versions,
)
from originlens.bench.suites._values import machine, series_of
from originlens.core.registry import Card, Cost, register

_EACH = 20
_ROLES = ("forged", "untouched", "benign")
Track = Literal["with the original", "blind"]
Pairs = list[tuple[Forgery, Answer]]


@register(
    Card(
        name="edits",
        kind="suite",
        task="detection and localisation of local edits",
        claims="comparators beside the original, detectors and baselines without it",
        paper="localisation after Ma et al. 2024, IMDL-BenCo (arXiv:2406.10580)",
        code_licence="Apache-2.0",
        reads=("collection",),
        cost=Cost(ms_per_mpx=0.0, mb=600.0, note="9 local and 9 benign kinds x 20 pictures"),
        status="stable",
        scope="any folder of pictures; forgeries made by this project",
        fails_when="the pictures given were edited before; people forge in other ways",
    )
)
class Edits:
    """Forgeries, their counterparts and benign edits; two tracks.

    Trained baselines learn from every second picture and are asked about the others.
    """

    system_kinds = ("comparator", "detector", "baseline")
    takes: Takes = "pictures"

    def run(self, setting: Setting) -> Outcome:
        """See :class:`originlens.bench.outcome.Suite`."""
        pictures = shuffled([os.path.abspath(path) for path in setting.pictures], setting.seed)
        made = forgeries(pictures, setting.each or _EACH, setting.seed)
        wanted = setting.systems or systems_for("edits", self.system_kinds)
        ready, missing = available(system(name, self.system_kinds) for name in wanted)
        found = _answers(ready, made, set(pictures[::2]), setting)
        tables: list[Table] = []
        charts: list[Chart] = []
        for track in ("with the original", "blind"):
            pairs = {label_of(s.name): found[s.name] for s in ready if _track(s) == track}
            if pairs:
                tables += _tables(track, pairs, setting.seed)
                charts += _charts(track, pairs)
        rows = [
            _row(label_of(s.name), _track(s), forgery, answer)
            for s in ready
            for forgery, answer in found[s.name]
        ]
        facts = {
            "suite": "edits",
            "systems": ", ".join(label_of(s.name) for s in ready),
            "pictures": len(pictures),
            **{f"{r} pictures": sum(f.role == r for f in made) for r in _ROLES},
            "seed": setting.seed,
            "versions": versions(ready),
            "machine": machine(setting.jobs),
        }
        return Outcome("edits", facts, _ordered(tables), tuple(charts), missing, tuple(rows))


def _ordered(tables: Sequence[Table]) -> tuple[Table, ...]:
    """Those of whole systems first."""
    return tuple(sorted(tables, key=lambda table: not table.title.startswith("Systems")))


def _track(found: System) -> Track:
    return "with the original" if found.kind == "comparator" else "blind"


def _answers(
    ready: Sequence[System], made: Sequence[Forgery], learnt: set[str], setting: Setting
) -> dict[str, Pairs]:
    """What each system answers; trained ones about pictures that they did not learn from."""
    train = [f for f in made if f.asked.picture in learnt and f.role != "benign"]
    test = [f for f in made if f.asked.picture not in learnt]
    whole = Trial((), tuple(f.asked for f in made))
    half = Trial(tuple((f.asked, f.role == "forged") for f in train), tuple(f.asked for f in test))
    found: dict[str, Pairs] = {}
    for is_trained, trial, asked in ((False, whole, made), (True, half, test)):
        chosen = [s for s in ready if s.is_trained == is_trained]
        for name, told in examined(chosen, [trial], setting).items():
            found[name] = list(zip(asked, told[0] or [], strict=True))
    return found


def _row(name: str, track: Track, forgery: Forgery, answer: Answer) -> Row:
    """One line of the results table; ``found``: a forgery that the system calls one."""
    is_forged = forgery.role == "forged"
    return {
        "system": name,
        "track": track,
        "edit": forgery.kind,
        "strength": None,
        "role": forgery.role,
        "unseen": forgery.is_unseen,
        "reframed": forgery.is_reframed,
        "picture": forgery.asked.picture,
        "sha256": forgery.group,
        "expression": forgery.asked.expression,
        "afterwards": forgery.asked.afterwards,
        "seed": forgery.asked.seed,
        "negative": not is_forged,
        "found": is_forged and bool(answer["called"]),
        **{key: answer[key] for key in ("called", "score", "llr", "status", "why", "lit")},
        **{key: answer[key] for key in PIXEL_METRICS},
        "ms": answer["ms"],
        "error": answer["error"],
    }


def _judged(pairs: Pairs, *roles: str) -> list[Judged]:
    return [Judged(f.role == "forged", a, f.group) for f, a in pairs if f.role in roles]


def _tables(track: Track, found: Mapping[str, Pairs], seed: int) -> list[Table]:
    tables = [_systems(track, found, seed)]
    shown = {name: pairs for name, pairs in found.items() if localises(_judged(pairs, *_ROLES))}
    if shown:
        tables += [_localisation(track, shown, seed), _f1_by_part(track, shown, seed)]
    return [*tables, _auc_by_part(track, found, seed)]


def _systems(track: Track, found: Mapping[str, Pairs], seed: int) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, pairs in found.items():
        matched = _judged(pairs, "forged", "untouched")
        rows.append(
            (
                name,
                metric_of("auc", matched, seed),
                *at_one_percent(matched, seed),
                called(_judged(pairs, "forged"), seed),
                called(_judged(pairs, "untouched"), seed),
                called(_judged(pairs, "benign"), seed),
                examined_share(_judged(pairs, *_ROLES), seed),
                len(pairs),
                median_ms([a for _, a in pairs]),
                sum(a["error"] is not None for _, a in pairs),
            )
        )
    columns = (
        "system", "AUC", "TPR at 1 % FPR", "FPR there", "forged called", "untouched called",
        "benign called", "examined", "questions", "ms p50", "errors",
    )  # fmt: skip
    note = (
        "Forgeries against their untouched counterparts, over what was examined; intervals: 95 %, "
        "by picture. The threshold at 1 % is fixed on one half of the pictures, both rates are "
        "those of the other. Called: by the system's own decision. Systems that are trained learnt "
        "from every second picture and are asked about the others. Empty corners after a turn are "
        "in forgery and counterpart alike; a system may count them as changes."
    )
    return Table(f"Systems, {track}", columns, tuple(rows), note)


def _localisation(track: Track, found: Mapping[str, Pairs], seed: int) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, pairs in found.items():
        forged = _judged(pairs, "forged")
        shown = sum(j.answer["lit"] is not None for j in forged)
        lit = (mean_of(_judged(pairs, r), "lit", seed) for r in ("untouched", "benign"))
        rows.append((name, *pixel_means(forged, seed), *lit, f"{shown} of {len(forged)}"))
    columns = ("system", *PIXEL_COLUMNS, "lit, untouched", "lit, benign", "maps of forgeries")
    return Table(f"Localisation, {track}", columns, tuple(rows), PIXEL_NOTE)


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the forgeries, with their counterparts."""

    name: str
    note: str
    kind: str | None = None
    is_reframed: bool | None = None

    def of(self, pairs: Pairs) -> Pairs:
        """Those of the pairs that belong to it."""
        return [
            (f, a)
            for f, a in pairs
            if f.role != "benign"
            and self.kind in (None, f.kind)
            and self.is_reframed in (None, f.is_reframed)
        ]


_PARTS = (
    _Part("in place", "all kinds", is_reframed=False),
    _Part("cropped, turned, recoloured", "all kinds", is_reframed=True),
    *(
        _Part(k.name, "unseen" if k.split == "held-out" else "", kind=k.name)
        for k in KINDS
        if k.group == "local"
    ),
)


def _by_part(
    title: str, note: str, found: Mapping[str, Pairs], value: Callable[[Pairs], Value | None]
) -> Table:
    """A row per part that was asked, a column per system."""
    rows: list[tuple[Cell, ...]] = []
    for part in _PARTS:
        chosen = {name: part.of(pairs) for name, pairs in found.items()}
        count = max(sum(f.role == "forged" for f, _ in pairs) for pairs in chosen.values())
        if count:
            rows.append((part.name, part.note, count, *map(value, chosen.values())))
    return Table(title, ("forgeries", "", "number", *found), tuple(rows), note)


def _f1_by_part(track: Track, found: Mapping[str, Pairs], seed: int) -> Table:
    note = "Unseen: no code that fits, calibrates or chooses may use the kind."
    title = f"Pixel F1 by kind, {track}"
    return _by_part(
        title, note, found, lambda pairs: pixel_mean(_judged(pairs, "forged"), "f1", seed)
    )


def _auc_by_part(track: Track, found: Mapping[str, Pairs], seed: int) -> Table:
    note = "Forgeries against their own counterparts."
    return _by_part(
        f"AUC by kind, {track}",
        note,
        found,
        lambda pairs: metric_of("auc", _judged(pairs, "forged", "untouched"), seed),
    )


def _charts(track: Track, found: Mapping[str, Pairs]) -> list[Chart]:
    charts = []
    bars: list[Series] = []
    for name, pairs in found.items():
        if not localises(_judged(pairs, *_ROLES)):
            continue
        values = {p.name: pixel_mean(_judged(p.of(pairs), "forged"), "f1", 0) for p in _PARTS}
        known = {part: value for part, value in values.items() if value is not None}
        bars.append(series_of(name, list(known), list(known.values())))
    if bars:
        title = f"Pixel F1 by kind, {track}"
        charts.append(Chart(title, "bars", "", "pixel F1 at 0.5", tuple(bars)))
    matched = {name: _judged(pairs, "forged", "untouched") for name, pairs in found.items()}
    curves = tuple(roc(name, judged) for name, judged in matched.items() if has_both(judged))
    title = f"ROC, {track}"
    return [*charts, Chart(title, "lines", "false-positive rate", "true-positive rate", curves)]
