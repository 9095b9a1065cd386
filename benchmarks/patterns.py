"""Patterns that nothing was fitted on: what do ten examples of a new trick gain?

The attacks that the bench reserves as unseen, each with ten (original, replica) pairs of pictures
that are neither indexed nor asked. The same questions are asked without the pairs and with them:
replicas of originals, and strangers, half of them under the same pattern.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from _corpus import Corpus
from _lines import Line, Section, grouped, proportion
from _queries import Answer, Query, Setting, ask, build_index, seed_of
from quality import DISTRACTORS, is_found

from originlens.bench.attacks._unseen import UNSEEN
from originlens.bench.comparison import paired_difference
from originlens.bench.kinds import SAVED
from originlens.bench.results import Pairs
from originlens.core.registry import make

EXAMPLES, EACH, STRANGERS = 10, 20, 20
STRENGTH = "0.5..1"
Ranking = tuple[Pairs, np.ndarray]


def run(setting: Setting) -> Section:
    """uAP without and with examples, the gain, and what is called a copy wrongly."""
    corpus = Corpus(setting.data, setting.split, setting.seed)
    folder = setting.cache / f"quality-{setting.split}-{setting.seed}"
    build_index(folder, [*corpus.originals, *corpus.distractors[:DISTRACTORS]], setting.jobs)
    names = UNSEEN[: setting.few(len(UNSEEN), 2)]
    plain = [query for name in names for query in _queries(name, corpus, setting)]
    told = [query for name in names for query in _told(name, corpus, setting)]
    originals = set(corpus.originals)
    without, conditioned = (list(ask(folder, asked, setting.jobs)) for asked in (plain, told))
    first, second = (_ranking(answers, originals) for answers in (conditioned, without))
    pictures = [query.picture for query in plain]
    rng = np.random.default_rng(setting.seed)
    metric = make("metric", "uap")
    gain = paired_difference(metric, first, second, rng=rng, groups=pictures)
    lines = []
    for label, ranking in (("without examples", second), ("with ten examples", first)):
        value = metric.value(*ranking, rng=np.random.default_rng(setting.seed), groups=pictures)
        note = f"{len(plain)} questions, {len(names)} patterns"
        name = f"uAP, unseen patterns, {label}"
        lines.append(Line(name, value.value, value.low, value.high, note=note))
    lines.append(
        Line(
            "uAP gained by examples, unseen patterns", gain.value, gain.low, gain.high, (">", 0),
            note="paired over pictures; the interval must lie above 0", passed=gain.low > 0,
        )
    )  # fmt: skip
    for label, answers in (("without examples", without), ("with ten examples", conditioned)):
        strangers = [a for a in answers if a.query.picture not in originals]
        called = [float(bool(a.copies())) for a in strangers]
        groups = [a.query.picture for a in strangers]
        name = f"strangers called a copy, {label}"
        lines.append(grouped(name, called, groups, setting.seed))
    lines += _by_pattern(names, without, conditioned, originals)
    errors = [a.error for a in (*without, *conditioned) if a.error]
    return Section("patterns", lines, {"errors": errors})


def _queries(name: str, corpus: Corpus, setting: Setting) -> list[Query]:
    """Replicas of originals, strangers under the pattern, and strangers as they are."""
    rng = np.random.default_rng([setting.seed, 5, seed_of(name)])
    asked = _drawn(corpus.originals, setting.few(EACH, 3), rng)
    strangers = _drawn(corpus.negatives, setting.few(STRANGERS, 4), rng)
    half = len(strangers) // 2
    return [
        *(_replica(path, name, corpus, setting) for path in [*asked, *strangers[:half]]),
        *(Query(path) for path in strangers[half:]),
    ]


def _told(name: str, corpus: Corpus, setting: Setting) -> list[Query]:
    """The same with ten pairs that show the pattern on hosts, which are never indexed."""
    rng = np.random.default_rng([setting.seed, 6, seed_of(name)])
    shown = _drawn(corpus.hosts, EXAMPLES, rng)
    examples = tuple(_replica(path, name, corpus, setting) for path in shown)
    return [replace(query, examples=examples) for query in _queries(name, corpus, setting)]


def _replica(path: str, name: str, corpus: Corpus, setting: Setting) -> Query:
    seed = seed_of(setting.seed, name, path)
    others = _drawn([p for p in corpus.hosts if p != path], 2, np.random.default_rng(seed))
    return Query(path, others=tuple(others), seed=seed, expression=f"{name}:{STRENGTH}{SAVED}")


def _drawn(paths: list[str], count: int, rng: np.random.Generator) -> list[str]:
    return [paths[i] for i in rng.permutation(len(paths))[:count]]


def _by_pattern(
    names: Sequence[str], without: list[Answer], conditioned: list[Answer], originals: set[str]
) -> list[Line]:
    """Recall of each pattern by the product's decision, with examples."""
    each = len(without) // len(names)
    lines = []
    for number, name in enumerate(names):
        hits = []
        for answers in (without, conditioned):
            mine = answers[number * each : (number + 1) * each]
            copies = [a for a in mine if a.query.picture in originals]
            hits.append(sum(is_found(a) for a in copies))
        note = f"{hits[1]}/{len(copies)}, without examples {hits[0]}/{len(copies)}"
        lines.append(
            proportion(f"  recall {name}, with examples", hits[1], len(copies), None, note)
        )
    return lines


def _ranking(answers: list[Answer], originals: set[str]) -> Ranking:
    """Truth and scores of all candidates."""
    correct = [path == a.query.picture for a in answers for path, *_ in a.matches]
    query = [i for i, a in enumerate(answers) for _ in a.matches]
    positives = [int(a.query.picture in originals) for a in answers]
    scores = [score for a in answers for *_, score in a.matches]
    truth = Pairs(np.array(correct, bool), np.array(query, np.int64), np.array(positives, np.int64))
    return truth, np.array(scores, np.float64)
