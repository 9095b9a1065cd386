"""Metrics of rankings: uAP, recall at precision and recall@k."""

from __future__ import annotations

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, precision_recall_curve

from originlens.bench.metrics._base import Metric
from originlens.bench.metrics.recall_at_k import RecallAtK
from originlens.bench.metrics.recall_at_precision import RecallAtPrecision
from originlens.bench.metrics.uap import Uap
from originlens.bench.results import Pairs
from originlens.core import stats
from originlens.core.errors import UsageError

RNG = np.random.default_rng


def ranking(seed: int, missing: int = 0, digits: int = 12) -> tuple[Pairs, np.ndarray]:
    rng = RNG(seed)
    correct = rng.random(300) < 0.3
    scores = np.round(rng.normal(1.5 * correct, 1), digits)
    return Pairs.of(correct, int(correct.sum()) + missing), scores


@pytest.mark.parametrize("digits", [1, 12])
@pytest.mark.parametrize("missing", [0, 40])
def test_uap_equals_scikit_learn_times_the_share_found(missing: int, digits: int) -> None:
    truth, scores = ranking(1, missing, digits)
    found = int(truth.correct.sum())
    expected = average_precision_score(truth.correct, scores) * found / (found + missing)
    assert Uap().measure(truth, scores) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("precision", [0.5, 0.9, 1.0])
@pytest.mark.parametrize("digits", [1, 12])
def test_recall_at_precision_equals_scikit_learns_curve(precision: float, digits: int) -> None:
    truth, scores = ranking(2, digits=digits)
    shares, recalls, _ = precision_recall_curve(truth.correct, scores)
    expected = recalls[shares >= precision].max()
    value = RecallAtPrecision(precision=precision).measure(truth, scores)
    assert value == pytest.approx(expected, abs=1e-12)


def test_uap_by_hand() -> None:
    # Hit, miss, hit; one further true pair never came back.
    truth = Pairs.of([True, False, True], 3)
    assert Uap().measure(truth, [0.9, 0.8, 0.7]) == pytest.approx((1 + 2 / 3) / 3, abs=1e-12)
    assert RecallAtPrecision().measure(truth, [0.9, 0.8, 0.7]) == pytest.approx(1 / 3, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=20))
def test_no_order_within_ties_and_no_monotone_map_matters(rows: list[tuple[int, bool]]) -> None:
    scores, correct = np.array([r[0] for r in rows], float), np.array([r[1] for r in rows])
    truth = Pairs.of(correct, int(correct.sum()) + 1)
    order = RNG(0).permutation(len(rows))
    for metric in (Uap(), RecallAtPrecision(precision=0.6)):
        value = metric.measure(truth, scores)
        assert 0 <= value <= 1
        assert metric.measure(truth, np.exp(scores)) == value
        turned = Pairs.of(correct[order], int(truth.positives.sum()))
        assert metric.measure(turned, scores[order]) == pytest.approx(value, abs=1e-12)


def test_a_drawn_query_brings_its_pairs_and_its_missed_ones() -> None:
    truth = Pairs(np.array([True, False, True, False]), np.array([2, 0, 0, 2]), np.array([3, 1, 1]))
    scores = np.array([0.1, 0.2, 0.3, 0.4])
    drawn, kept = Uap().take(truth, scores, np.array([2, 1, 2, 0]))
    assert kept.tolist() == [0.1, 0.4, 0.1, 0.4, 0.2, 0.3]
    assert drawn.query.tolist() == [0, 0, 2, 2, 3, 3]
    assert drawn.correct.tolist() == [True, False, True, False, False, True]
    assert drawn.positives.tolist() == [1, 1, 1, 3]


@pytest.mark.parametrize("groups", [None, [0, 0, 1, 1, 1, 2, 2, 3, 4, 4]])
def test_the_quick_interval_equals_that_of_measuring_anew(groups: list[int] | None) -> None:
    rng = RNG(5)
    query, correct = rng.integers(0, 10, 60), rng.random(60) < 0.4
    found = np.bincount(query[correct], minlength=10)
    truth, scores = Pairs(correct, query, found + 1), np.round(rng.normal(correct, 1), 1)
    for metric in (Uap(), RecallAtPrecision(precision=0.7)):
        quick = metric.interval(truth, scores, rng=RNG(1), groups=groups, rounds=100)
        slow = Metric.resampled(metric, truth, scores, RNG(1), 0.95, groups, 100)
        assert quick == pytest.approx(slow, abs=1e-12)


def test_a_precision_outside_its_range_is_refused() -> None:
    for precision in (0.0, 1.1, np.nan):
        with pytest.raises(UsageError, match="precision"):
            RecallAtPrecision(precision=precision).measure(*ranking(0))


def test_pairs_that_contradict_themselves_are_refused() -> None:
    flags, queries, one = np.array([True]), np.array([0]), np.array([1])
    with pytest.raises(UsageError, match="more correct"):
        Pairs(flags, queries, np.array([0]))
    with pytest.raises(UsageError, match="outside"):
        Pairs(flags, np.array([1]), one)
    with pytest.raises(UsageError, match="positives"):
        Pairs.of([True, True], 1)
    with pytest.raises(UsageError, match="Pairs"):
        Uap().measure([True], [1.0])
    with pytest.raises(UsageError, match="NaN"):
        Uap().measure(Pairs(flags, queries, one), [np.nan])
    with pytest.raises(UsageError, match="no query"):
        Uap().measure(Pairs.of([False], 0), [1.0])


@pytest.mark.parametrize("k", [1, 3, 10])
def test_recall_at_k_of_a_faiss_search(k: int) -> None:
    rng = RNG(3)
    base = rng.normal(size=(200, 8)).astype(np.float32)
    wanted = rng.integers(0, 200, 60)
    queries = base[wanted] + rng.normal(0, 0.9, (60, 8)).astype(np.float32)
    index = faiss.IndexFlatL2(8)
    index.add(base)
    _, found = index.search(queries, 10)
    # Independent: how many references are nearer than the true one.
    distances = ((queries[:, None, :] - base) ** 2).sum(axis=2)
    nearer = (distances < distances[np.arange(60), wanted][:, None]).sum(axis=1)
    value = RecallAtK(k=k).measure(wanted, found)
    assert value == pytest.approx((nearer < k).mean(), abs=1e-12)
    assert 0.1 < value < 1


def test_recall_at_k_takes_names_sets_and_short_lists() -> None:
    truth = ["a", {"b", "c"}, "d", "e"]
    answers = [["a"], ["x", "c"], [], ["y", "z", "e"]]
    assert [RecallAtK(k=k).measure(truth, answers) for k in (1, 2, 3)] == [0.25, 0.5, 0.75]
    low, high = RecallAtK(k=2).interval(truth, answers, rng=RNG(0))
    assert (low, high) == stats.clopper_pearson(2, 4)
    with pytest.raises(UsageError, match="answers"):
        RecallAtK().measure(truth, answers[:3])
    with pytest.raises(UsageError, match="at least 1"):
        RecallAtK(k=0).measure(truth, answers)
