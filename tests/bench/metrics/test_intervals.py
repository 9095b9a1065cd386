"""Intervals and table values, which all metrics share."""

from __future__ import annotations

import json

import numpy as np
import pytest

from originlens.bench.metrics.auc import Auc
from originlens.bench.metrics.bit_accuracy import BitAccuracy
from originlens.bench.metrics.cllr import Cllr
from originlens.bench.metrics.eer import Eer
from originlens.bench.metrics.pixel_auc import PixelAuc
from originlens.bench.metrics.pixel_f1 import PixelF1
from originlens.bench.metrics.recall_at_k import RecallAtK
from originlens.bench.metrics.recall_at_precision import RecallAtPrecision
from originlens.bench.metrics.risk_at_coverage import RiskAtCoverage
from originlens.bench.metrics.ssim import Ssim
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
    assert grouped == pytest.approx(stats.clopper_pearson(10, 10))
    none = RecallAtK().interval(ids, [[-1]] * 60, rng=RNG(0), groups=groups)
    assert none == pytest.approx(stats.clopper_pearson(0, 10))


def lower(k: int) -> float:
    """Clopper and Pearson's lower bound of k of k, in closed form."""
    return float(0.025 ** (1 / k))


def test_only_groups_with_a_positive_are_trials_of_a_true_positive_rate() -> None:
    labels = np.arange(205) < 5
    for groups in (None, list(range(205)), [f"g{i}" if i < 5 else "rest" for i in range(205)]):
        found = TprAtFpr().interval(labels, labels * 1.0, rng=RNG(0), groups=groups)
        assert found == pytest.approx((lower(5), 1), abs=1e-9)
        assert found[0] == pytest.approx(0.478, abs=5e-4)
    missed = TprAtFpr().interval(labels, labels * -1.0, rng=RNG(0), groups=list(range(205)))
    assert missed == pytest.approx((0, 1 - lower(5)), abs=1e-9)
    # Two pictures of the five share a source: four trials.
    shared = [0, 0, *range(2, 205)]
    found = TprAtFpr().interval(labels, labels * 1.0, rng=RNG(0), groups=shared)
    assert found == pytest.approx((lower(4), 1), abs=1e-9)


def test_risk_counts_the_answers_kept() -> None:
    right, confidence = np.arange(10) < 8, np.linspace(1, 0, 10)
    for groups in (None, list(range(10))):
        found = RiskAtCoverage(coverage=0.8).interval(
            right, confidence, rng=RNG(0), groups=groups, rounds=50
        )
        assert found[0] == 0
        assert found[1] >= 1 - lower(8) - 1e-9
    sure = RiskAtCoverage(coverage=0.5).interval(
        right | True, confidence, rng=RNG(0), groups=list(range(10)), rounds=50
    )
    assert sure == pytest.approx((0, 1 - lower(5)), abs=1e-9)


def test_the_smaller_class_limits_a_perfect_auc() -> None:
    labels = np.arange(6) < 5
    value = Auc().value(labels, labels * 1.0, rng=RNG(0))
    # One negative: as little as one success in one trial tells.
    assert (value.low, value.high) == pytest.approx((0.025, 1))
    assert "1 of 1" in value.note
    worst = Auc().value(labels, labels * -1.0, rng=RNG(0))
    assert (worst.low, worst.high) == pytest.approx((0, 0.975))
    assert "0 of 1" in worst.note
    labels = np.arange(40) < 10
    assert Eer().interval(labels, labels * 1.0, rng=RNG(0)) == pytest.approx((0, 1 - lower(10)))
    # The class of more samples may be that of fewer groups.
    groups = [*range(10), *[10 + i // 10 for i in range(30)]]
    found = Auc().interval(labels, labels * 1.0, rng=RNG(0), groups=groups)
    assert found == pytest.approx((lower(3), 1))
    # A wrong certainty would cost infinity, and ten right ones do not rule it out.
    llr = np.where(labels, np.inf, -np.inf)
    assert Cllr().interval(labels, llr, rng=RNG(0)) == (0, np.inf)


def test_only_queries_with_a_reference_limit_a_perfect_ranking() -> None:
    query = np.arange(12)
    truth = Pairs(query < 7, query, (query < 7).astype(np.int64))
    for metric in (Uap(), RecallAtPrecision()):
        found = metric.interval(truth, truth.correct * 1.0, rng=RNG(0), rounds=100)
        assert found == pytest.approx((lower(7), 1))


def test_perfect_bits_pixels_and_pictures_are_no_certainty() -> None:
    bits = RNG(0).random((8, 32)) < 0.5
    assert BitAccuracy().interval(bits, bits, rng=RNG(0)) == pytest.approx((lower(8), 1))
    assert BitAccuracy().interval(bits, ~bits, rng=RNG(0)) == pytest.approx((0, 1 - lower(8)))
    pairs = [i // 2 for i in range(8)]
    grouped = BitAccuracy().interval(bits, bits, rng=RNG(0), groups=pairs)
    assert grouped == pytest.approx((lower(4), 1))

    masks = [np.zeros((6, 6), bool) for _ in range(5)]
    for mask in masks[:3]:
        mask[1:3, 2:5] = True
    assert PixelF1().interval(masks, masks, rng=RNG(0)) == pytest.approx((lower(5), 1))
    # Pictures without a change cannot lower these.
    for metric in (PixelF1(average="pooled"), PixelAuc(), PixelAuc(average="pooled")):
        maps = [mask * 1.0 for mask in masks]
        found = metric.interval(masks, maps, rng=RNG(0), rounds=100)
        assert found == pytest.approx((lower(3), 1))

    pictures = [RNG(i).integers(0, 256, (16, 16), dtype=np.uint8) for i in range(4)]
    # Scaled to the bounds of SSIM, -1 and 1.
    found = Ssim().interval(pictures, pictures, rng=RNG(0), rounds=20)
    assert found == pytest.approx((2 * lower(4) - 1, 1))


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
    assert value == Value("auc", 1.0, value.low, 1.0, 20, value.note)
    assert value.note == "all units agree: exact interval of 10 of 10 (Clopper-Pearson)"
    constant = Auc().value(labels, labels * 0.0, rng=RNG(0))
    assert (constant.low, constant.high) == (0.5, 0.5)
    assert "every resample agrees" in constant.note
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
