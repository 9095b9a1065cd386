"""Intervals where every resample agrees: a bootstrap tells nothing of what it never saw.

Source: Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404. Where k independent units all gave
one value, at most a share h = 1 - (lower bound of k of k) of all there are can give another. Those
can lie anywhere within the metric's bounds, which limits the mean.
"""

from __future__ import annotations

import math

from originlens.core import stats

Interval = tuple[float, float]
#: What sums in another order may differ by.
ROUNDING = 1e-9


def agree(low: float, high: float) -> bool:
    """Whether an interval has no width."""
    return low == high or high - low <= ROUNDING


def on_bound(value: float, bounds: Interval) -> bool:
    """Whether a value lies on a finite bound."""
    return any(math.isfinite(bound) and abs(value - bound) <= ROUNDING for bound in bounds)


def agreed(value: float, units: int, bounds: Interval, level: float = 0.95) -> Interval:
    """The interval of confidence ``level`` of a mean of which each of ``units`` gave ``value``.

    On a bound this is the Clopper-Pearson interval of k of k (or 0 of k), scaled to the bounds; a
    bound that is infinite stays infinite. Without units it is the bounds.
    """
    unseen = 1 - stats.clopper_pearson(units, units, level)[0]
    low, high = bounds
    value = max(low, min(high, value))
    return value - unseen * (value - low), value + unseen * (high - value)


def agreement_note(value: float, units: int, bounds: Interval) -> str:
    """How the interval of a value on a bound was made."""
    hits = 0 if abs(value - bounds[0]) <= ROUNDING else units
    return f"all units agree: exact interval of {hits} of {units} (Clopper-Pearson)"
