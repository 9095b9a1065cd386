"""The whole matcher: uAP, recall of every kind of edit, and is what it decides right?

Copies are asked in the index of ``quality.py``, sixty of every kind, those that change a part of
the picture too. A decision about a copy is right when the first candidate is the picture that it
was made from, called a copy; one about a negative when nothing is called a copy. Negatives are
photos, blank pictures, textures, and other photos of an indexed subject (which may be related).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import hard_negatives
import numpy as np
from _corpus import Corpus
from _drawn import DRAWERS
from _lines import Line, Section, grouped, proportion
from _queries import Answer, Query, Setting, ask, build_index
from quality import (
    DISTRACTORS,
    in_thorough,
    is_found,
    made_thorough,
    queries_of,
    strangers,
    summary,
    truth_of,
)

from originlens.bench.kinds import KINDS

EACH, NEGATIVES, DRAWN = 60, 600, 40
RECALL = 0.97
#: Kinds of which so little is left that less is promised.
HARDEST = {"pip-10": 0.90, "crop-12": 0.90}


@dataclass(frozen=True)
class Negatives:
    """Questions that have no original in the index of ``folder``, and which of them are one unit.

    ``groups`` (one per question) name those that fail together.
    """

    name: str
    folder: Path
    queries: list[Query]
    groups: list[str]

    def thorough(self) -> Negatives:
        """Every sixth of them, to be asked with ``thorough``."""
        again = [made_thorough(query) for query in self.queries[::6]]
        return replace(self, queries=again, groups=self.groups[::6])


def run(setting: Setting) -> Section:
    """Lines of retrieval, then of decisions; default mode, with ``--thorough`` beside."""
    corpus = Corpus(setting.data, setting.split, setting.seed)
    folder = setting.cache / f"quality-{setting.split}-{setting.seed}"
    build_index(folder, [*corpus.originals, *corpus.distractors[:DISTRACTORS]], setting.jobs)
    each = setting.few(EACH, 1)
    queries = [query for kind in KINDS for query in queries_of(kind, corpus, setting, each)]
    default = list(ask(folder, queries, setting.jobs))
    careful = [made_thorough(query) for query in queries if in_thorough(query, setting)]
    thorough = list(ask(folder, careful, setting.jobs))
    sets = _negatives(corpus, folder, setting)
    asked = _asked(sets, setting)
    again = _asked([s.thorough() for s in sets], setting)
    plain = sets[0].name
    lines = summary("default", _whole(default) + asked[plain], setting.seed, least=0.985)
    lines += summary("thorough", _whole(thorough) + again[plain], setting.seed)
    lines += recalls(default, thorough)
    lines += _right_copies(default, thorough, setting.seed)
    lines += _right_negatives(sets, asked, again, setting.seed)
    failed = [a for answers in asked.values() for a in answers if a.error]
    details = {
        "queries": len(queries),
        "wrong": [
            {"kind": a.query.kind, "picture": a.query.picture, "list": a.matches[:2]}
            for a in default
            if not is_right(a)
        ],
        "false_alarms": [
            {"set": name, "picture": a.query.picture, "list": a.matches[:1]}
            for name, answers in asked.items()
            for a in answers
            if a.copies()
        ],
        "errors": [a.error for a in failed],
    }
    return Section("matcher", lines, details)


def _asked(sets: Sequence[Negatives], setting: Setting) -> dict[str, list[Answer]]:
    """Answers by the sets' names; what one index is asked is asked at once."""
    found = {}
    for folder in dict.fromkeys(s.folder for s in sets):
        mine = [s for s in sets if s.folder == folder]
        answers = ask(folder, [query for s in mine for query in s.queries], setting.jobs)
        for s in mine:
            found[s.name] = list(islice(answers, len(s.queries)))
    return found


def _whole(answers: Sequence[Answer]) -> list[Answer]:
    """Those of kinds that act on the whole picture, as the suite ``copy-full`` asks."""
    names = {kind.name for kind in KINDS if kind.group != "local"}
    return [answer for answer in answers if answer.query.kind in names]


def recalls(default: Sequence[Answer], thorough: Sequence[Answer]) -> list[Line]:
    """Recall of every kind, halves apart."""
    lines = []
    for kind in sorted(KINDS, key=lambda kind: kind.split, reverse=True):
        hits = [is_found(a) for a in default if a.query.kind == kind.name]
        more = [is_found(a) for a in thorough if a.query.kind == kind.name]
        note = f"{sum(hits)}/{len(hits)}, thorough {sum(more)}/{len(more)}"
        goal = (">=", HARDEST.get(kind.name, RECALL))
        name = f"recall {kind.name} ({kind.split})"
        lines.append(proportion(name, sum(hits), len(hits), goal, note))
    return lines


def is_right(answer: Answer) -> bool:
    """Whether a copy's first candidate is what it was made from, and is called a copy."""
    if not answer.matches:
        return False
    path, relation, _ = answer.matches[0]
    return path in truth_of(answer) and relation in ("copy", "identical")


def _right_copies(default: Sequence[Answer], thorough: Sequence[Answer], seed: int) -> list[Line]:
    halves = {kind.name: kind.split for kind in KINDS}
    lines = []
    for half in ("all", "seen", "held-out"):
        chosen, again = (
            [a for a in answers if half in ("all", halves[str(a.query.kind)])]
            for answers in (default, thorough)
        )
        right = [float(is_right(a)) for a in chosen]
        groups = [a.query.picture for a in chosen]
        more = sum(map(is_right, again))
        note = f"{sum(right):.0f}/{len(right)}, thorough {more}/{len(again)}"
        goal = (">=", 0.98) if half == "all" else None
        name = f"decision right, copies, {half} kinds"
        lines.append(grouped(name, right, groups, seed, goal, note))
    return lines


def _right_negatives(
    sets: Sequence[Negatives],
    asked: dict[str, list[Answer]],
    again: dict[str, list[Answer]],
    seed: int,
) -> list[Line]:
    """All of them, then each set."""
    lines = []
    for name, chosen in [("all", list(sets)), *((s.name, [s]) for s in sets)]:
        answers = [a for s in chosen for a in asked[s.name]]
        right = [float(not a.copies() and not a.error) for a in answers]
        groups = [group for s in chosen for group in s.groups]
        more = [not a.copies() for s in chosen for a in again[s.name]]
        note = f"{sum(right):.0f}/{len(right)}, thorough {sum(more)}/{len(more)}"
        goal = (">=", 0.99) if name == "all" else None
        lines.append(grouped(f"decision right, negatives, {name}", right, groups, seed, goal, note))
    return lines


def _negatives(corpus: Corpus, folder: Path, setting: Setting) -> list[Negatives]:
    """Photos, pictures that we draw, and other views of what the other index holds."""
    photos = strangers(corpus, setting.few(NEGATIVES, 24))
    sets = [Negatives("photos", folder, photos, [query.picture for query in photos])]
    for name in DRAWERS:
        paths = _drawn(name, setting)
        sets.append(Negatives(name, folder, [Query(path) for path in paths], paths))
    other, views = hard_negatives.views(corpus, setting, 0)
    groups = [subject for subject, _ in views]
    sets.append(Negatives("same subject", other, [Query(path) for _, path in views], groups))
    return sets


def _drawn(name: str, setting: Setting) -> list[str]:
    """Files of drawn pictures, every other one a JPEG."""
    from PIL import Image as Pillow

    target = setting.cache / f"drawn-{setting.seed}"
    target.mkdir(exist_ok=True)
    paths = []
    for number in range(setting.few(DRAWN, 4)):
        path = target / f"{name}-{number}.{'jpg' if number % 2 else 'png'}"
        if not path.is_file():
            rng = np.random.default_rng([setting.seed, number, list(DRAWERS).index(name)])
            Pillow.fromarray(DRAWERS[name](rng)).save(path)
        paths.append(str(path))
    return paths
