"""Is another photograph of the same thing called a copy? One view of each is enrolled.

Paper: the question of NDEC (Wang et al. 2023, A Benchmark and Asymmetrical-Similarity Learning for
Practical Image Copy Detection, AAAI, arXiv:2205.12358), whose rankings and directions stand beside.
Why it works as a test: views of one subject share everything but the picture. Fails when: folders
hold copies of one picture, which are then right to be called so.
"""

from __future__ import annotations

import os
from collections import defaultdict

from originlens.bench.copies import Question, Task, row
from originlens.bench.outcome import Cell, Outcome, Setting, Table
from originlens.bench.runner import content_of
from originlens.bench.suites._copy import (
    Asked,
    ask_all,
    copy_card,
    enrol_all,
    facts_of,
    is_called,
)
from originlens.bench.suites._ndec import copies_of, directions, rankings
from originlens.bench.suites._values import grouped_share
from originlens.core.errors import UsageError
from originlens.core.registry import register


@register(
    copy_card(
        "hard-negatives",
        "copy detection, other views of the same thing",
        note="a folder per subject; every view but one is asked, and edits and crops of that one",
        fails_when="folders hold copies of one picture",
    )
)
class HardNegatives:
    """A folder is a subject, its pictures are its views; a picture alone in one is a distractor."""

    system_kinds = ("matcher",)
    takes = "pictures"
    systems: tuple[str, ...] = ("originlens", "pdq", "phash", "sift-brute-force")

    def run(self, setting: Setting) -> Outcome:
        """See :class:`originlens.bench.outcome.Suite`."""
        views = _views(setting)
        drawn = _task(views, setting)
        wanted = setting.systems or self.systems
        folders, missing = enrol_all(drawn, wanted, setting)
        asked = ask_all(drawn, folders, setting)
        shown = [paths[0] for paths in views if len(paths) > 1]
        told = directions(shown, setting, tuple(folders))
        tables = (_called(asked, setting.seed), rankings(asked, setting.seed), told)
        facts = facts_of("hard-negatives", drawn, folders, setting)
        answered = [row(name, q, a) for name, pairs in asked.items() for q, a in pairs]
        return Outcome("hard-negatives", facts, tables, (), missing, tuple(answered))


def _called(asked: dict[str, Asked], seed: int) -> Table:
    """What systems make of the other views."""
    rows: list[tuple[Cell, ...]] = []
    for name, answered in asked.items():
        pairs = [(q, a) for q, a in answered if q.edit is None]
        subjects = [os.path.dirname(q.picture) for q, _ in pairs]
        called = [is_called(a) for _, a in pairs]
        related = [any(r == "related" for _, r, _ in a["matches"]) for _, a in pairs]
        rows.append(
            (
                name,
                grouped_share(called, subjects, seed),
                grouped_share(related, subjects, seed),
                len(pairs),
                len(set(subjects)),
            )
        )
    return Table(
        "Other views of an enrolled subject",
        ("system", "called a copy", "called related", "views", "subjects"),
        tuple(rows),
        "Intervals: 95 %, bootstrapped over subjects, whose views fail together. A system that "
        "calls nothing a copy is the best one here: read it beside the copies.",
        best="lowest",
    )


def _views(setting: Setting) -> list[list[str]]:
    """Views of each subject, ordered by content, so that names decide nothing.

    Raises:
        UsageError: no subject has two.
    """
    subjects: dict[str, dict[str, str]] = defaultdict(dict)
    for path in sorted(os.path.abspath(p) for p in setting.pictures):
        subjects[os.path.dirname(path)].setdefault(content_of(path), path)
    views = [[paths[sha] for sha in sorted(paths)] for paths in subjects.values()]
    if not any(len(paths) > 1 for paths in views):
        raise UsageError("no folder holds two views of a subject: give a folder per subject")
    return views


def _task(views: list[list[str]], setting: Setting) -> Task:
    """The first view of each subject is enrolled; its edits and the other views are asked."""
    others = [path for paths in views for path in paths[1 : 1 + (setting.each or len(paths))]]
    copies = copies_of([paths[0] for paths in views if len(paths) > 1], setting.seed)
    return Task(tuple(paths[0] for paths in views), (*copies, *map(Question, others)))
