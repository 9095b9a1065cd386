"""Is an edited picture found? Recall per kind, uAP, peers; default mode and ``--thorough``.

Every original of the split is indexed among 1 000 distractor photos; each kind edits a drawn
sample of them. Negatives are photos that are not indexed. A match counts when the product calls the
right asset a copy (or identical) at its default false-positive rate, and the share of negatives
that it calls a copy of anything stands beside. Peers get their best threshold at <= 1 % of
negatives.
"""

from __future__ import annotations

from collections.abc import Sequence

import _peers
import numpy as np
from _corpus import Corpus
from _lines import Line, Section, mean, proportion
from _queries import Answer, Query, Setting, ask, build_index, seed_of

from originlens.bench.kinds import KINDS, Kind
from originlens.core.stats import bootstrap, micro_average_precision

DISTRACTORS = 1000
#: Kinds that copy_descriptor.py asks: the figures here stay comparable with earlier ones.
ADDED_LATER = ("crop-12", "pip-10")


def run(setting: Setting) -> Section:
    """Every line about finding."""
    corpus = Corpus(setting.data, setting.split, setting.seed)
    indexed = [*corpus.originals, *corpus.distractors[:DISTRACTORS]]
    folder = setting.cache / f"quality-{setting.split}-{setting.seed}"
    build_index(folder, indexed, setting.jobs)
    asked = [kind for kind in KINDS if kind.group != "local" and kind.name not in ADDED_LATER]
    queries = [
        query
        for kind in asked
        for query in queries_of(kind, corpus, setting, _count(kind, setting))
    ]
    negatives = strangers(corpus, setting.few(600, 24))
    default = list(ask(folder, queries + negatives, setting.jobs))
    careful = [q for q in queries if in_thorough(q, setting)] + negatives[: len(negatives) // 6]
    thorough = list(ask(folder, [made_thorough(q) for q in careful], setting.jobs))
    lines = summary("default", default, setting.seed, least=0.95)
    lines += summary("thorough", thorough, setting.seed)
    lines += _recalls(default, thorough)
    lines += _peer_lines(default, indexed, setting.jobs)
    lines.append(_drift(default, setting.seed))
    details = {
        "indexed": len(indexed),
        "queries": len(queries),
        "negatives": len(negatives),
        "false_alarms": [
            {"picture": a.query.picture, "called": a.matches[:1]}
            for a in default
            if a.query.kind is None and a.copies()
        ],
        "misses": [
            {"kind": a.query.kind, "picture": a.query.picture, "best": a.matches[:1]}
            for a in default
            if a.query.kind is not None and not is_found(a)
        ],
    }
    return Section("quality", lines, details)


def _count(kind: Kind, setting: Setting) -> int:
    """Promised kinds get more."""
    return setting.few(60, 2) if kind.goal is not None else setting.few(20, 1)


def queries_of(kind: Kind, corpus: Corpus, setting: Setting, count: int) -> list[Query]:
    """A drawn sample of the originals under one kind."""
    rng = np.random.default_rng([setting.seed, seed_of(kind.name)])
    drawn = [corpus.originals[i] for i in rng.permutation(len(corpus.originals))[:count]]
    found = []
    for path in drawn:
        others: tuple[str, ...] = ()
        if kind.others == "unrelated":
            others = tuple(corpus.hosts[i] for i in rng.integers(0, len(corpus.hosts), 4))
        elif kind.others == "indexed":
            pool = [p for p in corpus.originals if p != path]
            others = (pool[int(rng.integers(len(pool)))],)
        seed = seed_of(setting.seed, kind.name, path)
        found.append(Query(path, kind.name, others, seed, peers=True))
    return found


def strangers(corpus: Corpus, count: int) -> list[Query]:
    """Photos that are not indexed."""
    return [Query(path, peers=True) for path in corpus.negatives[:count]]


def in_thorough(query: Query, setting: Setting) -> bool:
    """A sixth of the queries are asked again with ``thorough``, which costs several times more."""
    return query.seed % setting.few(6, 12) == 0


def made_thorough(query: Query) -> Query:
    """The same question, asked with ``thorough``."""
    return Query(query.picture, query.kind, query.others, query.seed, thorough=True)


def is_found(answer: Answer) -> bool:
    """Whether the picture that was edited is called a copy."""
    return answer.relation_to(answer.query.picture) in ("copy", "identical")


def truth_of(answer: Answer) -> set[str]:
    """Paths of the indexed pictures that the query was made of."""
    if answer.query.kind is None:
        return set()
    known = next(kind for kind in KINDS if kind.name == answer.query.kind)
    hosts = answer.query.others if known.others == "indexed" else ()
    return {answer.query.picture, *hosts}


def uap(answers: Sequence[Answer]) -> float:
    """uAP over all (query, asset, score) of the lists; a pasted picture's indexed host counts."""
    scores, correct, positives = [], [], 0
    for answer in answers:
        truth = truth_of(answer)
        positives += len(truth)
        for path, _, score in answer.matches:
            scores.append(score)
            correct.append(path in truth)
    # A resample of few queries may hold negatives alone: it has no uAP.
    return micro_average_precision(scores, correct, positives) if positives else float("nan")


def summary(
    mode: str, answers: list[Answer], seed: int, *, least: float | None = None
) -> list[Line]:
    """uAP (all, by half) and the negatives matched, of one mode; ``least`` uAP is a goal."""
    halves = {kind.name: kind.split for kind in KINDS}
    lines = []
    for half in (None, "seen", "held-out"):
        chosen = [
            a for a in answers if a.query.kind is None or half in (None, halves[a.query.kind])
        ]
        if not any(a.query.kind for a in chosen):
            continue
        low, high = bootstrap(
            np.arange(len(chosen)),
            lambda rows, c=chosen: uap([c[int(i)] for i in rows]),
            np.random.default_rng(seed),
            rounds=200,
        )
        goal = (">=", least) if least is not None and half is None else None
        name = f"uAP, {mode}, {half or 'all'} kinds"
        lines.append(Line(name, uap(chosen), low, high, goal, note=f"{len(chosen)} queries"))
    negatives = [a for a in answers if a.query.kind is None]
    matched = sum(bool(a.copies()) for a in negatives)
    goal = ("<=", 0.01) if least is not None else None
    lines.append(proportion(f"negatives matched, {mode}", matched, len(negatives), goal))
    errors = [a for a in answers if a.error]
    if errors:
        lines.append(
            Line(f"queries that failed, {mode}", len(errors), note=errors[0].error, passed=False)
        )
    return lines


def _recalls(default: list[Answer], thorough: list[Answer]) -> list[Line]:
    """Recall per kind by the product's decision; promised kinds first, halves apart."""
    lines = []
    for promised in (True, False):
        for half in ("seen", "held-out"):
            for kind in KINDS:
                if (kind.goal is not None) != promised or kind.split != half:
                    continue
                answers = [a for a in default if a.query.kind == kind.name]
                again = [a for a in thorough if a.query.kind == kind.name]
                if not answers:
                    continue
                hits = sum(is_found(a) for a in answers)
                more = f"thorough {sum(is_found(a) for a in again)}/{len(again)}"
                goal = None if kind.goal is None else (">=", kind.goal)
                name = f"recall {kind.name} ({half})"
                lines.append(
                    proportion(name, hits, len(answers), goal, f"{hits}/{len(answers)}, {more}")
                )
    hosts = [a for a in default if a.query.kind == "pip-50-indexed"]
    both = sum(a.relation_to(a.query.others[0]) in ("copy", "identical") for a in hosts)
    lines.append(proportion("recall of the indexed host, pip-50-indexed", both, len(hosts)))
    return lines


def _peer_lines(answers: list[Answer], indexed: list[str], jobs: int) -> list[Line]:
    """Mean recall over kinds and per promised kind of the peers at <= 1 % of negatives."""
    names = _peers.available()
    lines = []
    for module, name in _peers.NAMES.items():
        if module not in names:
            lines.append(Line(f"{name}", float("nan"), note=f"not measured: pip install {module}"))
    if not names:
        return lines
    known = _peers.hashes_of_files(indexed, jobs)
    place = {path: i for i, path in enumerate(indexed)}
    for name in names.values():
        references = _peers.matrix([known[path][name] for path in indexed])
        usable = [a for a in answers if name in a.hashes]
        table = _peers.distances(_peers.matrix([a.hashes[name] for a in usable]), references)
        nearest = np.sort([table[i].min() for i, a in enumerate(usable) if a.query.kind is None])
        # The widest threshold that at most 1 % of the negatives meet.
        limit = int(nearest[int(0.01 * len(nearest))]) - 1
        for kind in KINDS:
            rows = [i for i, a in enumerate(usable) if a.query.kind == kind.name]
            if rows and kind.goal is not None:
                hits = sum(int(table[i, place[usable[i].query.picture]]) <= limit for i in rows)
                lines.append(
                    proportion(f"peer {name} <= {limit} bits, recall {kind.name}", hits, len(rows))
                )
        lines.append(Line(f"peer {name}, uAP, all kinds", _peer_uap(usable, table, indexed)))
    return lines


def _peer_uap(answers: list[Answer], table: np.ndarray, indexed: list[str]) -> float:
    """uAP of the ten nearest by Hamming distance."""
    scores, correct, positives = [], [], 0
    for answer, row in zip(answers, table, strict=True):
        truth = truth_of(answer)
        positives += len(truth)
        for i in np.argsort(row, kind="stable")[:10]:
            scores.append(-float(row[i]))
            correct.append(indexed[i] in truth)
    return micro_average_precision(scores, correct, positives)


def _drift(answers: list[Answer], seed: int) -> Line:
    """How far the reported transforms are off, of the queries that were found."""
    found = [a.drift for a in answers if a.drift is not None]
    near = [d <= 0.01 for d in found]
    return mean("transforms within 1 % of the diagonal", near, seed, note=f"n={len(found)}")


if __name__ == "__main__":
    from main_job import run_alone

    run_alone("quality")
