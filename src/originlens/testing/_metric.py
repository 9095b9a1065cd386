"""Conformance checks of kind "metric"."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np

from originlens.core.registry import Method
from originlens.testing._pictures import Checks, make, require

#: What two orders of summation may differ by, relative to the value.
ROUNDING = 1e-9


def _metric_direction(method: Method) -> None:
    metric = make(method)
    require(isinstance(metric.higher_is_better, bool), "higher_is_better is not a bool")
    low, high = metric.bounds
    require(low < high, f"bounds {metric.bounds} are not (least, largest)")


def _metric_extremes(method: Method) -> None:
    metric = make(method)
    values = {name: metric.measure(*pair) for name, pair in metric.examples().items()}
    require(set(values) == {"perfect", "typical", "worst"}, f"examples are {sorted(values)}")
    low, high = metric.bounds
    for name, value in values.items():
        require(isinstance(value, float), f"{name}: {type(value).__name__} is no float")
        slack = ROUNDING * max(1.0, abs(value)) if math.isfinite(value) else 0.0
        require(low - slack <= value <= high + slack, f"{name}: {value} outside {metric.bounds}")
    ranking = [values["worst"], values["typical"], values["perfect"]]
    if not metric.higher_is_better:
        ranking.reverse()
    require(ranking[0] < ranking[1] < ranking[2], f"direction is not as declared: {values}")
    best = high if metric.higher_is_better else low
    if math.isfinite(best):
        reached = abs(values["perfect"] - best) <= ROUNDING
        require(reached, f"a perfect output gives {values['perfect']}, not {best}")


def _metric_deterministic(method: Method) -> None:
    truth, output = make(method).examples()["typical"]
    before = copy.deepcopy((truth, output))
    first, again = make(method).measure(truth, output), make(method).measure(*before)
    require(first == again, "a second instance gave another value")
    require(_same((truth, output), before), "the input was changed")


def _same(a: Any, b: Any) -> bool:
    """Whether nested sequences, arrays and their dataclasses hold the same values."""
    if isinstance(a, np.ndarray):
        return bool(np.array_equal(a, b))
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    fields = getattr(a, "__dataclass_fields__", None)
    if fields is not None:
        return all(_same(getattr(a, name), getattr(b, name)) for name in fields)
    return bool(a == b)


def _metric_order(method: Method) -> None:
    metric = make(method)
    truth, output = metric.examples()["typical"]
    order = np.random.default_rng(1).permutation(metric.units(truth, output))
    value = metric.measure(truth, output)
    shuffled = metric.measure(*metric.take(truth, output, order))
    near = abs(shuffled - value) <= ROUNDING * max(1.0, abs(value))
    require(near, f"another order of the units gives {shuffled}, not {value}")


def _metric_interval(method: Method) -> None:
    metric = make(method)
    truth, output = metric.examples()["typical"]

    def interval(level: float) -> tuple[float, float]:
        found = metric.interval(truth, output, rng=np.random.default_rng(2), level=level)
        return float(found[0]), float(found[1])

    low, high = interval(0.9)
    require(metric.bounds[0] <= low <= high <= metric.bounds[1], f"interval [{low}, {high}]")
    require((low, high) == interval(0.9), "the same generator gave another interval")
    narrow = interval(0.5)
    require(narrow[1] - narrow[0] < high - low, "a lower level gives no narrower interval")


CHECKS: Checks = {
    "declares-its-direction": _metric_direction,
    "perfect-and-worst": _metric_extremes,
    "deterministic": _metric_deterministic,
    "order-does-not-matter": _metric_order,
    "interval": _metric_interval,
}
