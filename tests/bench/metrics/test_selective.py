"""Risk against coverage, checked by enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from originlens.bench.metrics.aurc import Aurc
from originlens.bench.metrics.risk_at_coverage import RiskAtCoverage
from originlens.core import stats
from originlens.core.errors import UsageError

ROWS = st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6)


def risks(right: list[bool], confidence: list[int]) -> np.ndarray:
    """Mean error rate among the first k over every order that respects the confidences."""
    curves = []
    for order in itertools.permutations(range(len(right))):
        ranked = [confidence[i] for i in order]
        if ranked == sorted(ranked, reverse=True):
            wrong = np.cumsum([not right[i] for i in order])
            curves.append(wrong / np.arange(1, len(right) + 1))
    return np.mean(curves, axis=0)


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_ties_count_as_the_mean_of_all_their_orders(rows: list[tuple[int, bool]]) -> None:
    confidence, right = [r[0] for r in rows], [r[1] for r in rows]
    expected = risks(right, confidence)
    assert Aurc().measure(right, confidence) == pytest.approx(expected.mean(), abs=1e-12)
    for kept in range(1, len(rows) + 1):
        value = RiskAtCoverage(coverage=kept / len(rows)).measure(right, confidence)
        assert value == pytest.approx(expected[kept - 1], abs=1e-12)


def test_by_hand() -> None:
    right, confidence = [True, True, False, True], [0.9, 0.8, 0.7, 0.6]
    assert Aurc().measure(right, confidence) == pytest.approx((0 + 0 + 1 / 3 + 1 / 4) / 4)
    assert RiskAtCoverage(coverage=0.5).measure(right, confidence) == 0
    assert RiskAtCoverage(coverage=0.75).measure(right, confidence) == pytest.approx(1 / 3)
    assert Aurc().measure(right, np.exp(confidence)) == Aurc().measure(right, confidence)


def test_no_error_seen_is_no_certainty() -> None:
    right = np.ones(50, bool)
    low, high = RiskAtCoverage(coverage=0.8).interval(
        right, np.arange(50.0), rng=np.random.default_rng(0)
    )
    assert (low, high) == stats.clopper_pearson(0, 40)


@pytest.mark.parametrize("coverage", [0.0, 1.1, float("nan")])
def test_a_coverage_outside_its_range_is_refused(coverage: float) -> None:
    with pytest.raises(UsageError, match="coverage"):
        RiskAtCoverage(coverage=coverage).measure([True], [1.0])
