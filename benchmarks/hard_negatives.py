"""Is another photo of the same thing called a copy? It must not be.

One view of every subject is indexed among distractors, all other views are asked; repeated with
another view indexed. The interval is bootstrapped over subjects, since views of one subject fail
together.
"""

from __future__ import annotations

from pathlib import Path

from _corpus import Corpus
from _lines import Line, Section, grouped
from _queries import Answer, Query, Setting, ask, build_index

DISTRACTORS = 500


def run(setting: Setting, most: float = 0.03, *, thorough: bool = False) -> Section:
    """The share of other views that are called a copy of anything, which may be ``most``.

    With ``thorough`` those of the first turn are asked in that mode, too.
    """
    corpus = Corpus(setting.data, setting.split, setting.seed)
    answers: list[tuple[str, Answer]] = []
    for turn in range(setting.few(3, 1)):
        folder, asked = views(corpus, setting, turn)
        found = ask(folder, [Query(path) for _, path in asked], setting.jobs)
        answers += [(name, answer) for (name, _), answer in zip(asked, found, strict=True)]
    called = [float(bool(answer.copies())) for _, answer in answers]
    groups = [name for name, _ in answers]
    hits, total = int(sum(called)), len(called)
    note = f"{hits}/{total} queries, {len(set(groups))} subjects"
    what = "other views of a subject called a copy"
    line = grouped(what, called, groups, setting.seed, ("<=", most), note)
    related = sum(a.decision == "related" for _, a in answers)
    lines = [line, Line("... called related", related / total, note=f"{related}/{total}")]
    if thorough:
        folder, asked = views(corpus, setting, 0)
        careful = list(ask(folder, [Query(p, thorough=True) for _, p in asked], setting.jobs))
        again = [float(bool(answer.copies())) for answer in careful]
        groups = [name for name, _ in asked]
        lines.append(grouped(f"{what}, thorough", again, groups, setting.seed))
    errors = [a.error for _, a in answers if a.error]
    wrong = [
        {"query": a.query.picture, "called": a.copies(), "scores": a.matches[:3]}
        for _, a in answers
        if a.copies()
    ]
    return Section("hard_negatives", lines, {"wrong": wrong, "errors": errors})


def views(corpus: Corpus, setting: Setting, turn: int) -> tuple[Path, list[tuple[str, str]]]:
    """The index that holds one view of each subject, and (subject, path) of all other views."""
    subjects = {name: paths for name, paths in corpus.subjects.items() if len(paths) > 1}
    indexed = [paths[turn % len(paths)] for paths in subjects.values()]
    folder = setting.cache / f"hard-negatives-{setting.split}-{setting.seed}-{turn}"
    build_index(folder, [*indexed, *corpus.distractors[:DISTRACTORS]], setting.jobs)
    asked = [
        (name, path)
        for name, paths in subjects.items()
        for path in paths
        if path not in set(indexed)
    ]
    return folder, asked[: setting.few(len(asked), 10)]


if __name__ == "__main__":
    from main_job import run_alone

    run_alone("hard_negatives")
