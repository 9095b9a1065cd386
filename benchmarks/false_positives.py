"""Does ``--max-false-positive-rate`` keep its word, at every index size?

Unrelated pictures are asked at rates 0.1 and 0.01 against indexes of 20, 100, 1 000 and 6 000
pictures. The rate is a promise per query, so small indexes are drawn five times. The measured rate
passes unless its exact 95 % interval lies above the promise; where it lies below, the line says
that the product is more careful than asked.
"""

from __future__ import annotations

import numpy as np
from _corpus import Corpus
from _lines import Line, Section
from _queries import Answer, Query, Setting, ask, build_index

from originlens.core.stats import clopper_pearson

SIZES = (20, 100, 1000, 6000)
RATES = (0.1, 0.01)


def run(setting: Setting) -> Section:
    """A line per index size and rate."""
    corpus = Corpus(setting.data, setting.split, setting.seed)
    crowd = corpus.crowd(max(SIZES))
    negatives = corpus.unrelated[: setting.few(1000, 20)]
    lines: list[Line] = []
    details = {}
    for size in SIZES[: setting.few(len(SIZES), 2)]:
        draws = 5 if size <= 100 else 1
        counts = dict.fromkeys(RATES, 0)
        errors = 0
        for draw in range(draws):
            rng = np.random.default_rng([setting.seed, size, draw])
            chosen = [crowd[i] for i in rng.permutation(len(crowd))[:size]]
            folder = setting.cache / f"false-{setting.split}-{setting.seed}-{size}-{draw}"
            build_index(folder, chosen, setting.jobs)
            asked = negatives[draw::draws]
            called = _called(folder, asked, setting)
            errors += sum(bool(answer.error) for answer in called[RATES[0]])
            for rate in RATES:
                counts[rate] += sum(bool(answer.copies()) for answer in called[rate])
        for rate in RATES:
            lines.append(_line(len(chosen), rate, counts[rate], len(negatives) - errors))
        details[str(size)] = {"indexed": len(chosen), "draws": draws, "errors": errors}
    return Section("false_positives", lines, details)


def _called(folder: object, asked: list[str], setting: Setting) -> dict[float, list[Answer]]:
    """Answers at both rates. What is no copy at the wide rate is none at the narrow one either.

    (A rate moves decisions, never the list or its scores: that is part of the contract and tested
    there; so only the copies of the wide rate are asked again.)
    """
    wide = list(ask(folder, [Query(path, rate=RATES[0]) for path in asked], setting.jobs))
    again = [answer.query.picture for answer in wide if answer.copies()]
    narrow = list(ask(folder, [Query(path, rate=RATES[1]) for path in again], setting.jobs))
    return {RATES[0]: wide, RATES[1]: narrow}


def _line(size: int, rate: float, hits: int, total: int) -> Line:
    low, high = clopper_pearson(hits, total)
    note = f"{hits}/{total}"
    if high < rate:
        note += ", more careful than asked"
    name = f"unrelated queries called a copy at rate {rate:g}, index of {size}"
    return Line(name, hits / total, low, high, ("<=", rate), note=note, passed=low <= rate)


if __name__ == "__main__":
    from main_job import run_alone

    run_alone("false_positives")
