"""Is another photo of the same thing called a copy? It must not be.

One view of every subject is indexed among distractors, all other views are asked; repeated with
another view indexed. The interval is bootstrapped over subjects, since views of one subject fail
together.
"""

from __future__ import annotations

import numpy as np
from _corpus import Corpus
from _lines import Line, Section
from _queries import Answer, Query, Setting, ask, build_index

from originlens.core.stats import bootstrap

DISTRACTORS = 500


def run(setting: Setting) -> Section:
    """The share of other views that are called a copy of anything."""
    corpus = Corpus(setting.data, setting.split, setting.seed)
    subjects = {name: views for name, views in corpus.subjects.items() if len(views) > 1}
    answers: list[tuple[str, Answer]] = []
    for turn in range(setting.few(3, 1)):
        indexed = [views[turn % len(views)] for views in subjects.values()]
        folder = setting.cache / f"hard-negatives-{setting.split}-{setting.seed}-{turn}"
        build_index(folder, [*indexed, *corpus.distractors[:DISTRACTORS]], setting.jobs)
        asked = [
            (name, path)
            for name, views in subjects.items()
            for path in views
            if path not in set(indexed)
        ]
        queries = [Query(path) for _, path in asked[: setting.few(len(asked), 10)]]
        found = ask(folder, queries, setting.jobs)
        answers += [(name, answer) for (name, _), answer in zip(asked, found, strict=False)]
    called = [float(bool(answer.copies())) for _, answer in answers]
    groups = [name for name, _ in answers]
    low, high = bootstrap(
        called,
        lambda drawn: float(drawn.mean()),
        np.random.default_rng(setting.seed),
        groups=groups,
    )
    hits, total = int(sum(called)), len(called)
    line = Line(
        "other views of a subject called a copy",
        hits / total,
        low,
        high,
        ("<=", 0.03),
        note=f"{hits}/{total} queries, {len(set(groups))} subjects",
    )
    related = sum(a.decision == "related" for _, a in answers)
    lines = [line, Line("... called related", related / total, note=f"{related}/{total}")]
    errors = [a.error for _, a in answers if a.error]
    wrong = [
        {"query": a.query.picture, "called": a.copies(), "scores": a.matches[:3]}
        for _, a in answers
        if a.copies()
    ]
    return Section("hard_negatives", lines, {"wrong": wrong, "errors": errors})


if __name__ == "__main__":
    from main_job import run_alone

    run_alone("hard_negatives")
