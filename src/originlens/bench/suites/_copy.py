"""What the suites of copy detection share: enrol, ask, and the tables and charts of the answers."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from originlens.bench.copies import AskMatchers, Edit, Question, Task, row, system, task, version
from originlens.bench.outcome import Cell, Chart, Outcome, Series, Setting, Table
from originlens.bench.results import Pairs, Value
from originlens.bench.runner import Answer, Journal, answers, content_of, key_of
from originlens.bench.suites._values import grouped_share, machine, series_of, share
from originlens.core.errors import MissingExtra
from originlens.core.registry import Card, Cost, make

_FALSE_ALARMS = 0.01
Asked = list[tuple[Question, Answer]]
Scores = npt.NDArray[np.float64]


def copy_card(name: str, task_: str, *, note: str, fails_when: str) -> Card:
    """The card of a suite of copy detection; ``note`` tells its size."""
    return Card(
        name=name,
        kind="suite",
        task=task_,
        claims="compares whole systems on the same questions, with intervals",
        paper="protocol after Douze et al. 2021, DISC21 (arXiv:2106.09672)",
        code_licence="Apache-2.0",
        reads=("collection",),
        cost=Cost(ms_per_mpx=0.0, mb=600.0, note=note),
        status="stable",
        scope="any folder of pictures; figures hold for pictures like those",
        fails_when=fails_when,
    )


class CopySuite:
    """Enrol references, ask edited ones and strangers, compare systems."""

    card: ClassVar[Card]
    system_kinds: ClassVar[tuple[str, ...]] = ("matcher",)
    takes: ClassVar[str] = "pictures"
    systems: ClassVar[tuple[str, ...]] = ("originlens", "pdq", "phash", "dhash")
    each: ClassVar[int]
    negatives: ClassVar[int]
    references: ClassVar[int]

    def edits(self) -> list[Edit]:
        """What is done to references."""
        raise NotImplementedError

    def run(self, setting: Setting) -> Outcome:
        """See :class:`originlens.bench.outcome.Suite`."""
        drawn = task(
            [os.path.abspath(path) for path in setting.pictures],
            self.edits(),
            each=setting.each or self.each,
            negatives=self.negatives,
            references=self.references,
            seed=setting.seed,
        )
        wanted = setting.systems or self.systems
        folders, missing = enrol_all(drawn, wanted, setting)
        asked = ask_all(drawn, folders, setting)
        rows = [row(name, q, a) for name, pairs in asked.items() for q, a in pairs]
        facts = facts_of(self.card.name, drawn, folders, setting)
        tables = (_systems(asked, setting.seed), *_halves(asked, setting.seed), _by_edit(asked))
        charts = (_bars(asked), _curves(asked), *_strengths(asked), *_confusions(asked))
        return Outcome(self.card.name, facts, tables, charts, missing, tuple(rows))


def facts_of(suite: str, drawn: Task, folders: dict[str, str], setting: Setting) -> dict[str, Any]:
    """What was run on what, for the head of a report."""
    return {
        "suite": suite,
        "systems": ", ".join(folders),
        "references": len(drawn.references),
        "questions": sum(q.edit is not None for q in drawn.questions),
        "strangers": sum(q.edit is None for q in drawn.questions),
        "seed": setting.seed,
        "versions": "; ".join(f"{n} {version(n)}" for n in folders),
        "machine": machine(setting.jobs),
    }


def enrol_all(
    drawn: Task, wanted: Sequence[str], setting: Setting
) -> tuple[dict[str, str], dict[str, str]]:
    """Folders of the systems that could enrol the references, and why others could not."""
    folders: dict[str, str] = {}
    missing: dict[str, str] = {}
    contents = [content_of(path) + path for path in drawn.references]
    for done, name in enumerate(wanted):
        if setting.progress is not None:
            setting.progress("enrolling", done, len(wanted))
        label = Path(name).stem
        folder = Path(setting.folder) / f"{label}-{key_of(name, version(name), *contents)}"
        complete = folder / "complete"
        try:
            if not complete.is_file():
                system(name).enrol(drawn.references, str(folder))
                complete.write_text("ok\n")
        except MissingExtra as error:
            missing[name] = str(error)
            continue
        folders[name] = str(folder)
    return folders, missing


def ask_all(drawn: Task, folders: dict[str, str], setting: Setting) -> dict[str, Asked]:
    """Every question with its answer, by system."""
    questions = {
        key_of(name, os.path.basename(folder), question.key): (name, question)
        for question in drawn.questions
        for name, folder in folders.items()
    }

    def told(done: int, total: int) -> None:
        if setting.progress is not None:
            setting.progress("asking", done, total)

    with Journal(Path(setting.folder) / "answers.jsonl") as journal:
        given = answers(AskMatchers(folders), questions, journal, jobs=setting.jobs, progress=told)
    found: dict[str, Asked] = {name: [] for name in folders}
    for (name, question), answer in zip(questions.values(), given, strict=True):
        found[name].append((question, answer))
    return found


def _truths(question: Question) -> set[str]:
    """References that the question was made of."""
    if question.edit is None:
        return set()
    return {question.picture, *(question.others if question.edit.indexed_host else ())}


def ranking(asked: Asked) -> tuple[Pairs, Scores]:
    """Truth and scores of all candidates; a pasted picture's enrolled host is true, too."""
    scores = [m[2] for _, a in asked for m in a["matches"]]
    correct = [m[0] in _truths(q) for q, a in asked for m in a["matches"]]
    query = [i for i, (_, a) in enumerate(asked) for _ in a["matches"]]
    positives = [len(_truths(q)) for q, _ in asked]
    truth = Pairs(np.array(correct, bool), np.array(query, np.int64), np.array(positives, np.int64))
    return truth, np.array(scores, np.float64)


def pictures_of(asked: Asked) -> list[str]:
    """The groups of questions: those made of one picture fail together."""
    return [content_of(q.picture) for q, _ in asked]


def ranked(metric: str, asked: Asked, seed: int) -> Value:
    """A metric of rankings, by its name, over all candidates."""
    rng = np.random.default_rng(seed)
    found: Value = make("metric", metric).value(*ranking(asked), rng=rng, groups=pictures_of(asked))
    return found


def _is_copy(relation: str) -> bool:
    return relation in ("copy", "identical")


def is_called(answer: Answer) -> bool:
    return any(_is_copy(relation) for _, relation, _ in answer["matches"])


def _found(question: Question, answer: Answer) -> bool:
    return any(p == question.picture and _is_copy(r) for p, r, _ in answer["matches"])


def _true_score(question: Question, answer: Answer) -> float:
    return max((s for p, _, s in answer["matches"] if p == question.picture), default=-math.inf)


def _best_score(answer: Answer) -> float:
    return max((s for *_, s in answer["matches"]), default=-math.inf)


def _systems(asked: dict[str, Asked], seed: int) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, pairs in asked.items():
        edited = [(q, a) for q, a in pairs if q.edit is not None]
        strangers = [a for q, a in pairs if q.edit is None]
        groups = [content_of(q.picture) for q, _ in edited]
        fixed, other = strangers[::2], strangers[1::2]
        allowed = int(_FALSE_ALARMS * len(fixed))
        limit = sorted((_best_score(a) for a in fixed), reverse=True)[allowed]
        first = [bool(a["matches"]) and a["matches"][0][0] == q.picture for q, a in edited]
        times = [a["ms"] for _, a in pairs if a["ms"] is not None]
        rows.append(
            (
                name,
                ranked("uap", pairs, seed),
                grouped_share(first, groups, seed),
                grouped_share([_found(q, a) for q, a in edited], groups, seed),
                share([is_called(a) for a in strangers]),
                grouped_share([_true_score(q, a) > limit for q, a in edited], groups, seed),
                share([_best_score(a) > limit for a in other]),
                f"{np.median(times):.0f}" if times else "",
                sum(a["error"] is not None for _, a in pairs),
            )
        )
    columns = (
        "system", "uAP", "recall@1", "recall (own decision)", "strangers called",
        "recall (fixed threshold)", "strangers above it", "ms p50", "errors",
    )  # fmt: skip
    note = (
        "Intervals: 95 %, by picture. Own decision: what the system itself calls a copy. Fixed "
        "threshold: the one that at most 1 % of every second stranger exceeds; the share of the "
        "other strangers above it stands beside. Times are of busy processes, one CPU each."
    )
    return Table("Systems", columns, tuple(rows), note)


def _edits(asked: dict[str, Asked]) -> list[Edit]:
    """The first edit of each name, in the order of the questions."""
    found: dict[str, Edit] = {}
    for pairs in asked.values():
        for question, _ in pairs:
            if question.edit is not None:
                found.setdefault(question.edit.name, question.edit)
    return list(found.values())


def _recall(pairs: Asked, name: str) -> Value:
    return share([_found(q, a) for q, a in pairs if q.edit is not None and q.edit.name == name])


def _halves(asked: dict[str, Asked], seed: int) -> tuple[Table, ...]:
    """uAP on edits that something was fitted on and on those that nothing was, where both are."""
    if len({edit.unseen for edit in _edits(asked)}) < 2:
        return ()
    rows: list[tuple[Cell, ...]] = []
    for name, pairs in asked.items():
        values = []
        for unseen in (False, True):
            kept = [(q, a) for q, a in pairs if q.edit is None or q.edit.unseen == unseen]
            values.append(ranked("uap", kept, seed))
        rows.append((name, *values))
    note = "Unseen: no code that fits, calibrates or chooses may use the edit."
    return (Table("uAP by half", ("system", "seen edits", "unseen edits"), tuple(rows), note),)


def _by_edit(asked: dict[str, Asked]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for edit in _edits(asked):
        found = [_recall(pairs, edit.name) for pairs in asked.values()]
        expression = edit.expression if edit.strength is None else "several strengths"
        unseen = "unseen" if edit.unseen else ""
        rows.append((edit.name, unseen, expression, max(v.n for v in found), *found))
    columns = ("edit", "", "expression", "questions", *asked)
    note = "Recall by the system's own decision; intervals are exact (Clopper-Pearson)."
    return Table("Recall by edit", columns, tuple(rows), note)


def _bars(asked: dict[str, Asked]) -> Chart:
    names = tuple(edit.name for edit in _edits(asked))
    series = []
    for label, pairs in asked.items():
        values = [_recall(pairs, name) for name in names]
        series.append(series_of(label, names, values))
    return Chart("Recall by edit", "bars", "", "recall (own decision)", tuple(series))


def _strengths(asked: dict[str, Asked]) -> tuple[Chart, ...]:
    """Recall over the strength of the edit, all edits together."""
    series = []
    for label, pairs in asked.items():
        edited = [(q, a) for q, a in pairs if q.edit is not None]
        at = sorted({q.edit.strength for q, _ in edited if q.edit and q.edit.strength is not None})
        if len(at) < 2:
            return ()
        values = [
            share([_found(q, a) for q, a in edited if q.edit and q.edit.strength == s]) for s in at
        ]
        series.append(series_of(label, at, values))
    return (Chart("Recall by strength", "lines", "strength", "recall", tuple(series)),)


def _curves(asked: dict[str, Asked]) -> Chart:
    """Recall over the share of strangers above the same score."""
    series = []
    for name, pairs in asked.items():
        true = np.array([_true_score(q, a) for q, a in pairs if q.edit is not None])
        wrong = np.array([_best_score(a) for q, a in pairs if q.edit is None])
        limits = np.unique(wrong[np.isfinite(wrong)])[::-1]
        x = [0.0, *[float((wrong >= t).mean()) for t in limits], 1.0]
        top = limits[0] if limits.size else -math.inf
        y = [float((true > top).mean()), *[float((true >= t).mean()) for t in limits]]
        series.append(Series(name, tuple(x), (*y, y[-1])))
    return Chart("Recall and false alarms", "lines", "strangers above", "recall", tuple(series))


_RELATIONS = ("identical", "copy", "related", "none")


def _confusions(asked: dict[str, Asked]) -> tuple[Chart, ...]:
    """What each system calls the picture that was edited, by edit, and of a stranger at most."""
    charts = []
    for name, pairs in asked.items():
        called: dict[str, list[str]] = {}
        for question, answer in pairs:
            found = [
                relation
                for path, relation, _ in answer["matches"]
                if question.edit is None or path == question.picture
            ]
            row_name = "strangers" if question.edit is None else question.edit.name
            called.setdefault(row_name, []).append(min(found, key=_RELATIONS.index, default="none"))
        series = tuple(
            Series(
                f"{edit} ({len(of)})",
                _RELATIONS,
                tuple(of.count(relation) / len(of) for relation in _RELATIONS),
            )
            for edit, of in called.items()
        )
        charts.append(Chart(f"Relation by edit: {name}", "matrix", "", "", series))
    return tuple(charts)
