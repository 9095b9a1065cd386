"""How fast is every method on this machine, and what does its card say?

Paper: none; medians with intervals over pictures, methods timed side by side. Why it works as a
test: all methods see the same pictures in the same minutes, on one thread, so that ratios hold
where times do not. Fails when: the machine is busy with something else; the pictures are few.
"""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from originlens.bench.copies import Task
from originlens.bench.draws import shuffled
from originlens.bench.outcome import Cell, Chart, Outcome, Row, Series, Setting, Table, Takes
from originlens.bench.results import Value
from originlens.bench.runner import Answer, Journal, answers, content_of, key_of, version_of
from originlens.bench.suites._copy import enrol_all
from originlens.bench.suites._values import machine
from originlens.bench.timing import KINDS, Timed, TimeMethods
from originlens.core.errors import UsageError
from originlens.core.registry import Card, Cost, Method, method, methods, register
from originlens.core.stats import bootstrap

#: What the others of a kind are compared with.
_REFERENCES = {"matcher": "phash", "descriptor": "pdq"}
_PICTURES, _FEWEST = 8, 2
_COLUMNS = (
    "method", "ms", "card says, ms", "measured / card", "MB", "times the reference",
)  # fmt: skip


@register(
    Card(
        name="speed",
        kind="suite",
        task="time and memory of every method",
        claims="medians with intervals, beside what the cards state",
        paper="none; our own protocol",
        code_licence="Apache-2.0",
        reads=("collection",),
        cost=Cost(ms_per_mpx=0.0, mb=600.0, note="every method x 8 pictures x 5 calls, one thread"),
        status="stable",
        scope="this machine, pictures like those given",
        fails_when="the machine is busy with something else",
    )
)
class Speed:
    """Times methods of the kinds in :data:`originlens.bench.timing.KINDS`.

    Systems are kinds ("attack") or methods ("matcher:pdq"); by default all of them.
    """

    system_kinds = ("method",)
    takes: Takes = "pictures"

    def run(self, setting: Setting) -> Outcome:
        """See :class:`originlens.bench.outcome.Suite`; one process, however many are offered."""
        named = [os.path.abspath(path) for path in setting.pictures]
        pictures = shuffled(named, setting.seed, fewest=_FEWEST)[: setting.each or _PICTURES]
        chosen = _chosen(setting.systems)
        folders, missing = _enrolled(chosen, pictures, setting)
        questions = {}
        # Picture by picture: a slow minute of the machine slows every method alike.
        for number, picture in enumerate(pictures):
            other = pictures[(number + 1) % len(pictures)]
            for found in chosen:
                card = found.card
                if _label(card) not in missing:
                    folder = folders.get(card.name, "")
                    asked = Timed(card.kind, card.name, picture, other, folder, number)
                    contents = [content_of(path) for path in (picture, other)]
                    key = key_of("speed", _label(card), version_of(found), *contents)
                    questions[key] = asked
        with Journal(Path(setting.folder) / "timed.jsonl") as journal:
            given = answers(TimeMethods(), questions, journal, progress=_progress(setting))
        by_method: dict[str, list[Answer]] = defaultdict(list)
        for asked, answer in zip(questions.values(), given, strict=True):
            if answer["missing"]:
                missing[f"{asked.kind}:{asked.name}"] = answer["missing"]
            else:
                by_method[f"{asked.kind}:{asked.name}"].append(answer)
        cards = [found.card for found in chosen if by_method.get(_label(found.card))]
        kinds = sorted({card.kind for card in cards}, key=_ORDER.index)
        tables = tuple(_table(kind, cards, by_method, setting.seed) for kind in kinds)
        charts = tuple(_chart(table) for table in tables)
        rows = tuple(
            _row(asked, answer) for asked, answer in zip(questions.values(), given, strict=True)
        )
        return Outcome("speed", _facts(pictures, cards), tables, charts, missing, rows)


#: Whole systems first: theirs is the table that the command line shows.
_ORDER = (
    "matcher", "comparator", "watermark", "detector", "baseline", "descriptor", "verifier",
    "attack", "metric",
)  # fmt: skip


def _label(card: Card) -> str:
    return f"{card.kind}:{card.name}"


def _chosen(systems: Sequence[str]) -> list[Method]:
    """Methods that can be called without training, by kind and name.

    Of a whole kind those that need PyTorch are left out: one gradient takes longer than all others.
    """
    found: dict[str, Method] = {}
    for name in systems or KINDS:
        kind, _, single = name.partition(":")
        if kind not in KINDS:
            raise UsageError(
                f"{name!r} is not timed: name a kind ({', '.join(KINDS)}) or KIND:NAME"
            )
        whole = [each for each in methods(kind) if each.card.extra != "torch"]
        for each in [method(kind, single)] if single else whole:
            if not hasattr(each.cls, "fit"):
                found[_label(each.card)] = each
    return list(found.values())


def _enrolled(
    chosen: Sequence[Method], pictures: Sequence[str], setting: Setting
) -> tuple[dict[str, str], dict[str, str]]:
    """Folders of the matchers that are asked, and why others cannot be, by label."""
    wanted = [found.card.name for found in chosen if found.card.kind == "matcher"]
    folders, missing = enrol_all(Task(tuple(pictures), ()), wanted, setting)
    return folders, {f"matcher:{name}": why for name, why in missing.items()}


def _progress(setting: Setting) -> Any:
    told = setting.progress
    return None if told is None else lambda done, total: told("timing", done, total)


def _facts(pictures: Sequence[str], cards: Sequence[Card]) -> dict[str, Any]:
    return {
        "suite": "speed",
        "methods": len(cards),
        "pictures": len(pictures),
        "machine": f"{machine(1)}, one thread of each library",
    }


def _row(asked: Timed, answer: Answer) -> Row:
    return {
        "kind": asked.kind,
        "system": asked.name,
        "picture": asked.picture,
        "sha256": content_of(asked.picture),
        "ms": float(np.median(answer["ms"])) if answer["ms"] else None,
        "mb": answer["mb"],
        "error": answer["error"],
    }


def _table(
    kind: str, cards: Sequence[Card], by_method: Mapping[str, list[Answer]], seed: int
) -> Table:
    reference = _times(by_method.get(f"{kind}:{_REFERENCES.get(kind, '')}", []))
    rows: list[tuple[Cell, ...]] = []
    for card in cards:
        if card.kind != kind:
            continue
        given = by_method[_label(card)]
        times = _times(given)
        measured = _median("ms", list(times.values()), seed)
        stated = card.cost.ms_per_mpx
        memory = [a["mb"] for a in given if a["mb"] is not None]
        ratios = [ms / reference[k] for k, ms in times.items() if k in reference]
        rows.append(
            (
                card.name,
                measured,
                f"{stated:g} per {card.cost.per}" if stated else "",
                # A metric's card speaks of more data than its example has.
                measured.value / stated if stated and times and kind != "metric" else None,
                max(memory) if memory else None,
                _median("ratio", ratios, seed) if ratios else None,
            )
        )
    named = _REFERENCES.get(kind, "")
    note = (
        f"One call: {KINDS[kind]}; pictures have one megapixel. Medians over pictures of each "
        "picture's median call, 95 % bootstrap intervals over pictures; MB: how far resident "
        "memory rose during a call at most."
        + (f" Reference: {named}, on the same picture." if named and reference else "")
    )
    return Table(f"{kind.capitalize()}s", _COLUMNS, tuple(rows), note, best="lowest")


def _times(given: Sequence[Answer]) -> dict[int, float]:
    """The median call by number of the picture."""
    return {k: float(np.median(a["ms"])) for k, a in enumerate(given) if a["ms"]}


def _median(name: str, values: Sequence[float], seed: int) -> Value:
    if not values:
        return Value(name, math.nan, 0.0, math.inf, 0)
    low, high = bootstrap(
        values, lambda drawn: float(np.median(drawn)), np.random.default_rng(seed), rounds=500
    )
    return Value(name, float(np.median(values)), low, high, len(values))


def _chart(table: Table) -> Chart:
    """Milliseconds of a call by method, slowest first."""
    measured = [(str(row[0]), row[1]) for row in table.rows if isinstance(row[1], Value)]
    found = sorted(
        ((name, value) for name, value in measured if value.n), key=lambda pair: -pair[1].value
    )
    series = Series(
        "ms",
        tuple(name for name, _ in found),
        tuple(value.value for _, value in found),
        tuple(value.low for _, value in found),
        tuple(value.high for _, value in found),
    )
    return Chart(f"{table.title}: time of a call", "bars", "", "ms", (series,), log_x=True)
