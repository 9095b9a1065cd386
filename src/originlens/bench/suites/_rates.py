"""What suites of detection tell of scores: AUC, rates at a threshold, curves, with intervals."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from originlens.bench.detection import System
from originlens.bench.findings import PIXEL_METRICS, ranked_by
from originlens.bench.outcome import Series
from originlens.bench.results import Value
from originlens.bench.runner import Answer
from originlens.bench.suites._values import grouped_mean, grouped_share
from originlens.core import stats
from originlens.core.registry import make, methods

ROUNDS = 200
FALSE_ALARMS = 0.01


@dataclass(frozen=True, slots=True)
class Judged:
    """An answer beside the truth; answers of one ``group`` are not independent."""

    truth: bool
    answer: Answer
    group: str

    @property
    def rank(self) -> float | None:
        """The number that ranks it; None where it was not examined."""
        return ranked_by(self.answer)


def systems_for(question: str, kinds: Sequence[str]) -> tuple[str, ...]:
    """Every registered system of the kinds whose card says that it answers the question."""
    return tuple(m.card.name for k in kinds for m in methods(k) if question in m.card.task)


def versions(systems: Sequence[System]) -> str:
    """The facts' line of systems with what their answers depend on."""
    return "; ".join(f"{found.name} {found.version}" for found in systems)


def _ranked(judged: Sequence[Judged]) -> list[tuple[bool, float, str]]:
    found = [(j.truth, j.rank, j.group) for j in judged]
    return [(truth, rank, group) for truth, rank, group in found if rank is not None]


def has_both(judged: Sequence[Judged]) -> bool:
    """Whether pictures of both classes were examined."""
    return len({truth for truth, *_ in _ranked(judged)}) == 2


def metric_of(name: str, judged: Sequence[Judged], seed: int, **options: float) -> Value | None:
    """A metric of scores over what was examined, by groups; None where a class is absent."""
    if not has_both(judged):
        return None
    truth, ranks, groups = zip(*_ranked(judged), strict=True)
    found: Value = make("metric", name, **options).value(
        np.array(truth, bool),
        np.array(ranks, np.float64),
        rng=np.random.default_rng(seed),
        groups=groups,
        rounds=ROUNDS,
    )
    return found


def at_one_percent(judged: Sequence[Judged], seed: int) -> tuple[Value | None, Value | None]:
    """(TPR, FPR) on one half of the groups, above the threshold that the other half fixes.

    The threshold is the lowest one that at most 1 % of that half's negatives exceed.
    """
    groups = sorted(
        {j.group for j in judged}, key=lambda g: hashlib.sha256(f"{seed}:{g}".encode()).digest()
    )
    fixing = set(groups[::2])
    ranked = _ranked(judged)
    fixed = sorted((r for t, r, g in ranked if g in fixing and not t), reverse=True)
    rest = [(t, r, g) for t, r, g in ranked if g not in fixing]
    if not fixed or len({t for t, *_ in rest}) < 2:
        return None, None
    limit = fixed[int(FALSE_ALARMS * len(fixed))]
    tpr, fpr = (
        grouped_share(
            [r > limit for t, r, _ in rest if t == c], [g for t, _, g in rest if t == c], seed
        )
        for c in (True, False)
    )
    return tpr, fpr


def called(judged: Sequence[Judged], seed: int) -> Value | None:
    """Share that the system itself calls positive, of what it examined."""
    seen = [j for j in judged if j.answer["called"] is not None]
    if not seen:
        return None
    return grouped_share([j.answer["called"] for j in seen], [j.group for j in seen], seed)


def examined_share(judged: Sequence[Judged], seed: int) -> Value | None:
    """Share that the system could examine."""
    if not judged:
        return None
    return grouped_share(
        [j.answer["called"] is not None for j in judged], [j.group for j in judged], seed
    )


def mean_of(judged: Sequence[Judged], name: str, seed: int) -> Value | None:
    """The mean of a number of the answers, over those that have it."""
    seen = [j for j in judged if j.answer[name] is not None]
    if not seen:
        return None
    return grouped_mean([j.answer[name] for j in seen], [j.group for j in seen], seed)


#: What a map counts for where a system gave none: as one that is dark everywhere.
_DARK = {"f1": 0.0, "f1_best": 0.0, "iou": 0.0, "pixel_auc": 0.5}
PIXEL_COLUMNS = ("pixel F1 at 0.5", "best F1", "IoU at 0.5", "pixel AUC")
PIXEL_NOTE = (
    "Means over pictures that were changed in a part; a map that a system did not give counts as "
    "dark (pixel AUC 0.5). Best F1 takes each picture's best threshold with the truth at hand: an "
    "upper limit, no result. Lit: share of unchanged pixels at or above 0.5."
)


def pixel_mean(judged: Sequence[Judged], metric: str, seed: int) -> Value | None:
    """The mean of a pixel metric over changed pictures; a missing map counts as a dark one."""
    values = [_DARK[metric] if j.answer[metric] is None else j.answer[metric] for j in judged]
    return grouped_mean(values, [j.group for j in judged], seed) if values else None


def pixel_means(judged: Sequence[Judged], seed: int) -> tuple[Value | None, ...]:
    """The cells under :data:`PIXEL_COLUMNS`."""
    return tuple(pixel_mean(judged, metric, seed) for metric in PIXEL_METRICS)


def localises(judged: Sequence[Judged]) -> bool:
    """Whether the system gave a map at all."""
    return any(j.answer["lit"] is not None for j in judged)


def roc(name: str, judged: Sequence[Judged]) -> Series:
    """The ROC curve of what was examined, for a chart of lines."""
    truth, ranks, _ = zip(*_ranked(judged), strict=True)
    curve = stats.roc(ranks, truth)
    return Series(name, tuple(curve.fpr.tolist()), tuple(curve.tpr.tolist()))


def median_ms(answers: Sequence[Answer]) -> str:
    """The median time of a call in milliseconds; empty where none was timed."""
    times = [a["ms"] for a in answers if a["ms"] is not None]
    return f"{np.median(times):.0f}" if times else ""
