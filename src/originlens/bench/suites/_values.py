"""What suites of every kind put into tables and charts: shares, series, the machine."""

from __future__ import annotations

import math
import platform
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from originlens.bench.metrics._agreement import agreed, agreement_note
from originlens.bench.outcome import Series
from originlens.bench.results import Value
from originlens.core.processors import available_cpus
from originlens.core.stats import bootstrap, clopper_pearson

_ROUNDS = 200
#: Bounds of shares.
UNIT = (0.0, 1.0)


def share(hits: Sequence[bool], name: str = "share") -> Value:
    """A share of independent answers with its exact 95 % interval; NaN of none."""
    count = len(hits)
    if not count:
        return Value(name, math.nan, 0.0, 1.0, 0)
    low, high = clopper_pearson(sum(hits), count)
    return Value(name, sum(hits) / count, low, high, count)


def grouped_share(hits: Sequence[bool], groups: Sequence[str], seed: int) -> Value:
    """A share with its 95 % interval whose units are groups, such as a picture's many edits."""
    return replace(grouped_mean([float(h) for h in hits], groups, seed), name="share")


def grouped_mean(values: Sequence[float], groups: Sequence[str], seed: int) -> Value:
    """A mean with its 95 % bootstrap interval over groups; NaN of none.

    Where all values are exactly 0 or all exactly 1, they are taken as numbers in [0, 1] and get the
    exact interval of none or all of the groups: that every resample agrees is no certainty.
    """
    count = len(set(groups))
    if not values:
        return Value("mean", math.nan, math.nan, math.nan, 0)
    if set(values) in ({0.0}, {1.0}):
        mean = float(values[0])
        note = agreement_note(mean, count, UNIT)
        return Value("mean", mean, *agreed(mean, count, UNIT), count, note)
    low, high = bootstrap(
        values,
        lambda drawn: float(drawn.mean()),
        np.random.default_rng(seed),
        groups=groups,
        rounds=_ROUNDS,
    )
    note = "every resample agrees: n, not the interval, limits the claim" if low == high else ""
    return Value("mean", float(np.mean(values)), low, high, count, note)


def series_of(name: str, x: Sequence[float | str], values: Sequence[Value]) -> Series:
    """A system's values at the places ``x`` of a chart, with their intervals."""
    return Series(
        name,
        tuple(x),
        tuple(v.value for v in values),
        tuple(v.low for v in values),
        tuple(v.high for v in values),
    )


def machine(jobs: int) -> str:
    """What a run's times hold for."""
    return (
        f"{platform.system()} {platform.machine()}, {available_cpus()} CPUs, "
        f"{jobs} processes, Python {platform.python_version()}"
    )
