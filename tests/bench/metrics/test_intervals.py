"""Intervals and table values, which all metrics share."""

from __future__ import annotations

import json

import numpy as np
import pytest

from originlens.bench.metrics.auc import Auc
from originlens.bench.metrics.cllr import Cllr
from originlens.bench.metrics.recall_at_k import RecallAtK
from originlens.bench.metrics.tpr_at_fpr import TprAtFpr
from originlens.bench.metrics.uap import Uap
from originlens.bench.results import Pairs, Value
from originlens.core import stats
from originlens.core.errors import UsageError

RNG = np.random.default_rng


def test_the_bootstrap_covers_the_true_auc() -> None:
    # Of two unit normals at distance 1: AUC = Phi(1 / sqrt 2).
    true, covered = 0.7602499389, 0
    for seed in range(100):
        rng = RNG(seed)
        labels = np.arange(150) % 2 == 0
        scores = rng.normal(labels * 1.0, 1)
        low, high = Auc().interval(labels, scores, rng=rng, rounds=200)
        covered += low <= true <= high
    # A binomial of 95 % falls below 86 of 100 once in four thousand times.
    assert covered >= 86


def test_groups_widen_what_they_explain() -> None:
    rng = RNG(1)
    labels = np.repeat(np.arange(40) % 2 == 0, 20)
    scores = np.repeat(rng.normal(np.arange(40) % 2 == 0, 1.0), 20) + rng.normal(0, 0.1, 800)
    groups = np.repeat(np.arange(40), 20).tolist()
    plain = Auc().interval(labels, scores, rng=RNG(2), rounds=200)
    grouped = Auc().interval(labels, scores, rng=RNG(2), rounds=200, groups=groups)
    assert 2 < (grouped[1] - grouped[0]) / (plain[1] - plain[0]) < 8


def test_a_proportion_without_a_miss_counts_groups_as_trials() -> None:
    ids = list(range(60))
    answers = [[i] for i in ids]
    groups = [i // 6 for i in ids]
    assert RecallAtK().interval(ids, answers, rng=RNG(0)) == stats.clopper_pearson(60, 60)
    grouped = RecallAtK().interval(ids, answers, rng=RNG(0), groups=groups)
    assert grouped == stats.clopper_pearson(10, 10)
    none = RecallAtK().interval(ids, [[-1]] * 60, rng=RNG(0), groups=groups)
    assert none == stats.clopper_pearson(0, 10)


def test_a_chosen_threshold_never_narrows_the_exact_interval() -> None:
    rng = RNG(3)
    labels = np.arange(300) % 3 == 0
    scores = rng.normal(labels * 2.0, 1)
    metric = TprAtFpr(fpr=0.05)
    low, high = metric.interval(labels, scores, rng=RNG(0))
    exact = stats.clopper_pearson(*metric.counts(labels, scores))
    assert low <= exact[0] < exact[1] <= high
    assert high - low > exact[1] - exact[0]


def test_resamples_without_a_value_are_left_out() -> None:
    # Of two queries only one has a true pair: a resample without it has no uAP.
    truth = Pairs(np.array([True, False]), np.array([0, 1]), np.array([1, 0]))
    low, high = Uap().interval(truth, np.array([0.4, 0.6]), rng=RNG(0))
    assert low < high <= 1


def test_an_infinite_value_is_not_bounded_by_leaving_it_out() -> None:
    # One positive of ten was stated to be impossible: resamples without it would look fine.
    labels = np.arange(20) % 2 == 0
    llr = np.where(labels, 2.0, -2.0)
    llr[0] = -np.inf
    assert Cllr().measure(labels, llr) == np.inf
    assert Cllr().interval(labels, llr, rng=RNG(0)) == (0, np.inf)


def test_a_value_says_what_limits_it() -> None:
    labels = np.arange(20) % 2 == 0
    value = Auc().value(labels, labels * 1.0, rng=RNG(0))
    assert value == Value("auc", 1.0, 1.0, 1.0, 20, value.note)
    assert "every resample agrees" in value.note
    grouped = Auc().value(labels, RNG(0).random(20), rng=RNG(0), groups=[i // 4 for i in range(20)])
    assert grouped.n == 5
    assert grouped.note == ""


def test_values_become_text_and_json() -> None:
    value = Value("psnr", float("inf"), 31.25, float("inf"), 3)
    assert str(Value("auc", 0.98765, 0.9, 1.0, 9)) == "0.9877 [0.9, 1]"
    told = json.loads(json.dumps(value.to_dict(), allow_nan=False))
    assert told == {"name": "psnr", "value": None, "low": 31.25, "high": None, "n": 3, "note": ""}


def test_wrong_levels_and_groups_are_refused() -> None:
    labels, scores = np.array([True, False]), np.array([1.0, 0.0])
    for level in (0.0, 1.0, 95):
        with pytest.raises(UsageError, match="level"):
            Auc().interval(labels, scores, rng=RNG(0), level=level)
    with pytest.raises(UsageError, match="groups"):
        Auc().interval(labels, scores, rng=RNG(0), groups=[1])
