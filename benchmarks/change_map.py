"""Does the change map show local edits, and stay dark where nothing local changed?

Local edits are judged by pixel F1 at the fixed threshold 128 against the attack's true mask, a
query that was not found counts as 0. Benign edits (recompression, scale, colour, blur) are judged
by the share of pixels lit; the kinds held out of every fitting stand apart.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from _corpus import Corpus
from _lines import Line, Section, mean, proportion
from _queries import Answer, Query, Setting, ask, build_index, seed_of
from quality import DISTRACTORS

from originlens.bench.kinds import KINDS, Kind


def run(setting: Setting, least: float = 0.6, *, thorough: bool = False) -> Section:
    """Lines per half and per kind; the F1 of local edits must reach ``least``.

    With ``thorough`` every fourth question about a local edit is asked in that mode, too.
    """
    corpus = Corpus(setting.data, setting.split, setting.seed)
    indexed = [*corpus.originals, *corpus.distractors[:DISTRACTORS]]
    folder = setting.cache / f"quality-{setting.split}-{setting.seed}"
    build_index(folder, indexed, setting.jobs)
    local = [kind for kind in KINDS if kind.group == "local"]
    benign = [kind for kind in KINDS if kind.benign]
    placed = [kind for kind in KINDS if kind.group in ("overlay", "composite")]
    counts = {
        "local": setting.few(20, 1),
        "benign": setting.few(12, 1),
        "placed": setting.few(6, 1),
    }
    queries = [
        query
        for name, group in (("local", local), ("benign", benign), ("placed", placed))
        for kind in group
        for query in _queries(kind, corpus, setting, counts[name])
    ]
    answers = list(ask(folder, queries, setting.jobs))
    lines: list[Line] = []
    for split in ("seen", "held-out"):
        names = {kind.name for kind in local if kind.split == split}
        f1 = [a.f1 or 0.0 for a in answers if a.query.kind in names]
        lines.append(
            mean(f"pixel F1 at 128, local edits, {split} kinds", f1, setting.seed, (">=", least))
        )
    for split in ("seen", "held-out"):
        names = {kind.name for kind in benign if kind.split == split}
        lit = [a.lit for a in answers if a.query.kind in names and a.lit is not None]
        lines.append(
            mean(f"pixels lit, benign edits, {split} kinds", lit, setting.seed, ("<=", 0.01))
        )
    if thorough:
        lines += _thorough(folder, local, queries, setting)
    for kind in [*local, *benign, *placed]:
        lines.append(_kind_line(kind, answers, setting.seed))
    lines += _forgeries(corpus, setting)
    return Section("change_map", lines)


def _thorough(
    folder: Path, local: list[Kind], queries: list[Query], setting: Setting
) -> list[Line]:
    """The F1 of local edits when asked with ``thorough``."""
    lines = []
    for split in ("seen", "held-out"):
        names = {kind.name for kind in local if kind.split == split}
        mine = [replace(q, thorough=True) for q in queries if q.kind in names][::4]
        f1 = [answer.f1 or 0.0 for answer in ask(folder, mine, setting.jobs)]
        name = f"pixel F1 at 128, local edits, {split} kinds, thorough"
        lines.append(mean(name, f1, setting.seed))
    return lines


def _queries(kind: Kind, corpus: Corpus, setting: Setting, count: int) -> list[Query]:
    import numpy as np

    rng = np.random.default_rng([setting.seed, 2, seed_of(kind.name)])
    drawn = [corpus.originals[i] for i in rng.permutation(len(corpus.originals))[:count]]
    found = []
    for path in drawn:
        pool = corpus.hosts if kind.others == "unrelated" else corpus.originals
        others = tuple(pool[i] for i in rng.integers(0, len(pool), 4) if pool[i] != path)
        seed = seed_of(setting.seed, "map", kind.name, path)
        found.append(Query(path, kind.name, others, seed, diff=True))
    return found


def _kind_line(kind: Kind, answers: list[Answer], seed: int) -> Line:
    mine = [a for a in answers if a.query.kind == kind.name]
    missed = sum(a.f1 is None for a in mine)
    note = f"n={len(mine)}, {missed} not found"
    if kind.benign:
        lit = [a.lit for a in mine if a.lit is not None]
        return mean(f"  lit {kind.name} ({kind.split})", lit, seed, note=note)
    f1 = [a.f1 or 0.0 for a in mine]
    return mean(f"  F1 {kind.name} ({kind.split})", f1, seed, note=note)


def _forgeries(corpus: Corpus, setting: Setting) -> list[Line]:
    """Edits that people made: are they found, and does the map show the true mask?"""
    pairs = corpus.forgeries[: setting.few(len(corpus.forgeries), 4)]
    if not pairs:
        return []
    folder = setting.cache / f"quality-{setting.split}-{setting.seed}"
    queries = [Query(p, diff=True, asset=o, mask=m or "") for p, o, m in pairs]
    found = list(ask(folder, queries, setting.jobs))
    hits = sum(bool(a.copies()) for a in found)
    f1 = [a.f1 or 0.0 for a in found if a.query.mask]
    return [
        proportion("edits by people (CASIA, Photoshop battles) found", hits, len(pairs)),
        mean("  F1 CASIA v1 forgeries, recompressed", f1, setting.seed),
    ]


if __name__ == "__main__":
    from main_job import run_alone

    run_alone("change_map")
