"""Values of tables: what their intervals say where every resample agrees."""

from __future__ import annotations

import numpy as np
import pytest

from originlens.bench.suites._grid_tables import _auc, _mean, _tpr
from originlens.bench.suites._values import grouped_mean, grouped_share


def lower(k: int) -> float:
    """Clopper and Pearson's lower bound of k of k, in closed form."""
    return float(0.025 ** (1 / k))


def test_a_mean_of_nothing_but_ones_counts_its_groups():
    groups = ["a", "a", "b", "c"]
    ones = grouped_mean([1.0] * 4, groups, 0)
    assert (ones.value, ones.n) == (1, 3)
    assert (ones.low, ones.high) == pytest.approx((lower(3), 1))
    assert "3 of 3" in ones.note
    none = grouped_mean([0.0] * 4, groups, 0)
    assert (none.low, none.high) == pytest.approx((0, 1 - lower(3)))
    assert "0 of 3" in none.note
    share = grouped_share([True] * 4, groups, 0)
    assert (share.name, share.low, share.high) == ("share", ones.low, ones.high)


def test_other_means_without_spread_say_so():
    # Decibels have no bound that agreement could be measured against.
    found = grouped_mean([31.5, 31.5], ["a", "b"], 0)
    assert (found.low, found.high) == (31.5, 31.5)
    assert "every resample agrees" in found.note
    assert grouped_mean([0.0, 1.0], ["a", "b"], 0).note == ""


def test_a_mean_over_perfect_cells_counts_the_smallest():
    # Cell 0 has 8 positives and 6 negatives, cell 1 has 4 and 9; all are apart.
    classes = [(0, 1)] * 8 + [(0, 0)] * 6 + [(1, 1)] * 4 + [(1, 0)] * 9
    rows = np.array([(cell, truth, truth) for cell, truth in classes], np.float64)
    groups = [str(n) for n in range(len(rows))]
    found = _mean(rows, groups, _auc, (False, True), 0)
    assert found is not None
    assert (found.value, found.n) == (1, 27)
    assert (found.low, found.high) == pytest.approx((lower(4), 1))
    assert "4 of 4" in found.note
    # Only positives are trials of a true-positive rate.
    few_negatives = rows[:10]
    rate = _mean(few_negatives, groups[:10], _tpr, (True,), 0)
    area = _mean(few_negatives, groups[:10], _auc, (False, True), 0)
    assert rate is not None
    assert area is not None
    assert (rate.low, area.low) == pytest.approx((lower(8), lower(2)))
