"""Is another photograph of the same thing called a copy? One view of each is enrolled.

Paper: the question of NDEC (Wang et al. 2023, A Benchmark and Asymmetrical-Similarity Learning for
Practical Image Copy Detection, AAAI, arXiv:2205.12358). Why it works as a test: views of one
subject share everything but the picture. Fails when: folders hold copies of one picture, which are
then right to be called so.
"""

from __future__ import annotations

import os
from collections import defaultdict

from originlens.bench.copies import Question, Task, row
from originlens.bench.outcome import Cell, Outcome, Setting, Table
from originlens.bench.runner import content_of
from originlens.bench.suites._copy import (
    ask_all,
    copy_card,
    enrol_all,
    facts_of,
    is_called,
)
from originlens.bench.suites._values import grouped_share
from originlens.core.errors import UsageError
from originlens.core.registry import register


@register(
    copy_card(
        "hard-negatives",
        "copy detection, other views of the same thing",
        note="a folder per subject; every view but one is asked",
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
        drawn = _task(setting)
        folders, missing = enrol_all(drawn, setting.systems or self.systems, setting)
        asked = ask_all(drawn, folders, setting)
        rows: list[tuple[Cell, ...]] = []
        for name, pairs in asked.items():
            subjects = [os.path.dirname(q.picture) for q, _ in pairs]
            called = [is_called(a) for _, a in pairs]
            related = [any(r == "related" for _, r, _ in a["matches"]) for _, a in pairs]
            rows.append(
                (
                    name,
                    grouped_share(called, subjects, setting.seed),
                    grouped_share(related, subjects, setting.seed),
                    len(pairs),
                    len(set(subjects)),
                )
            )
        table = Table(
            "Other views of an enrolled subject",
            ("system", "called a copy", "called related", "views", "subjects"),
            tuple(rows),
            "Intervals: 95 %, bootstrapped over subjects, whose views fail together. A system that "
            "calls nothing a copy is the best one here: read it beside a suite of copies.",
            best="lowest",
        )
        facts = facts_of("hard-negatives", drawn, folders, setting)
        answered = [row(name, q, a) for name, pairs in asked.items() for q, a in pairs]
        return Outcome("hard-negatives", facts, (table,), (), missing, tuple(answered))


def _task(setting: Setting) -> Task:
    """The first view of each subject by content (so that names decide nothing) is enrolled."""
    subjects: dict[str, dict[str, str]] = defaultdict(dict)
    for path in sorted(os.path.abspath(p) for p in setting.pictures):
        subjects[os.path.dirname(path)].setdefault(content_of(path), path)
    views = {folder: [v[sha] for sha in sorted(v)] for folder, v in subjects.items()}
    if not any(len(v) > 1 for v in views.values()):
        raise UsageError("no folder holds two views of a subject: give a folder per subject")
    others = [path for v in views.values() for path in v[1 : 1 + (setting.each or len(v))]]
    return Task(tuple(v[0] for v in views.values()), tuple(Question(path) for path in others))
