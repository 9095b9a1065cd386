"""Worst-group figures: exact intervals, clusters, small groups, widening for many groups."""

from __future__ import annotations

import numpy as np
import pytest

from originlens.bench.protocols.worst_group import group_figures
from originlens.core.stats import clopper_pearson


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_independent_rows_get_the_exact_interval(rng: np.random.Generator) -> None:
    outcomes = [True] * 27 + [False] * 3
    (figure,) = group_figures(outcomes, ["a"] * 30, rng=rng).groups
    low, high = clopper_pearson(27, 30)
    assert figure.value == pytest.approx(0.9)
    # A variance is estimated, so that the effective size falls short of the rows a little.
    assert figure.low == pytest.approx(low, abs=0.01)
    assert figure.high == pytest.approx(high, abs=0.01)


def test_the_worst_group_is_the_lowest_that_is_large_enough(rng: np.random.Generator) -> None:
    outcomes = [1] * 90 + [0] * 10 + [1] * 60 + [0] * 40 + [0] * 5
    groups = ["good"] * 100 + ["bad"] * 100 + ["tiny"] * 5
    figures = group_figures(outcomes, groups, rng=rng)
    assert [figure.group for figure in figures.groups] == ["tiny", "bad", "good"]
    assert figures.too_small == ("tiny",)
    assert figures.worst is not None
    assert (figures.worst.group, figures.worst.value) == ("bad", 0.6)
    alone = figures.groups[1]
    assert figures.worst.low < alone.low < 0.6 < alone.high < figures.worst.high
    assert group_figures(outcomes, groups, rng=rng, at_least=500).worst is None


def test_copies_of_a_row_tell_nothing_new(rng: np.random.Generator) -> None:
    outcomes = np.array([1] * 20 + [0] * 10)
    once = group_figures(outcomes, ["a"] * 30, rng=rng).groups[0]
    units = [f"u{i}" for i in range(30)] * 10
    tenfold = group_figures(np.tile(outcomes, 10), ["a"] * 300, rng=rng, units=units).groups[0]
    assert (tenfold.rows, tenfold.units) == (300, 30)
    assert tenfold.low == pytest.approx(once.low, abs=1e-9)
    assert tenfold.high == pytest.approx(once.high, abs=1e-9)


def test_without_an_error_the_units_bound_the_claim(rng: np.random.Generator) -> None:
    units = [f"u{i % 20}" for i in range(400)]
    (figure,) = group_figures([True] * 400, ["a"] * 400, rng=rng, units=units).groups
    assert (figure.low, figure.high) == (pytest.approx(clopper_pearson(20, 20)[0]), 1.0)


def test_intervals_of_clustered_outcomes_cover_the_truth() -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(200):
        share = rng.beta(4, 1, 40)
        outcomes = rng.random((40, 10)) < share[:, None]
        units = [str(i) for i in np.repeat(np.arange(40), 10)]
        figure = group_figures(outcomes, ["a"] * 400, rng=rng, units=units).groups[0]
        covered += figure.low <= 0.8 <= figure.high
    assert covered >= 184  # 95 % of 200, less three standard deviations


def test_other_outcomes_are_resampled_by_units(rng: np.random.Generator) -> None:
    values = rng.normal(0.7, 0.1, 60)
    figures = group_figures(
        values, ["a"] * 30 + ["b"] * 30, rng=rng, units=["u"] * 30 + list("vw" * 15)
    )
    by_name = {figure.group: figure for figure in figures.groups}
    assert (by_name["a"].low, by_name["a"].high) == (float("-inf"), float("inf"))
    assert by_name["b"].low <= by_name["b"].value <= by_name["b"].high


def test_nonsense_is_refused(rng: np.random.Generator) -> None:
    with pytest.raises(ValueError, match="2 outcomes, 1 groups, 2 units"):
        group_figures([1, 0], ["a"], rng=rng)
    with pytest.raises(ValueError, match="not finite"):
        group_figures([np.nan], ["a"], rng=rng)
    with pytest.raises(ValueError, match="a level lies in"):
        group_figures([1], ["a"], rng=rng, level=1.0)
