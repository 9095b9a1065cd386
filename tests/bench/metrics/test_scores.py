"""Metrics of scored samples against scikit-learn, enumeration and the laws they obey."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from sklearn import metrics as reference
from sklearn.isotonic import IsotonicRegression

from originlens.bench.metrics.auc import Auc
from originlens.bench.metrics.cllr import Cllr
from originlens.bench.metrics.cllr_calibration_loss import CllrCalibrationLoss
from originlens.bench.metrics.ece import Ece
from originlens.bench.metrics.eer import Eer
from originlens.bench.metrics.tpr_at_fpr import TprAtFpr
from originlens.core import stats
from originlens.core.errors import UsageError

RANKING = [Auc(), Eer(), TprAtFpr(fpr=0.1)]


def sample(seed: int, count: int = 500, digits: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Overlapping classes; rounding makes ties."""
    rng = np.random.default_rng(seed)
    labels = rng.random(count) < 0.3
    return labels, np.round(rng.normal(1.2 * labels, 1), digits)


@st.composite
def samples(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Both classes, few distinct scores, so that ties abound."""
    count = draw(st.integers(2, 30))
    labels = draw(arrays.arrays(bool, count))
    labels[0], labels[1] = True, False
    scores = draw(arrays.arrays(np.int64, count, elements=st.integers(-4, 4)))
    return labels, scores.astype(float)


@pytest.mark.parametrize("digits", [0, 1, 12])
@pytest.mark.parametrize("seed", range(5))
def test_auc_equals_scikit_learn(seed: int, digits: int) -> None:
    labels, scores = sample(seed, digits=digits)
    expected = reference.roc_auc_score(labels, scores)
    assert Auc().measure(labels, scores) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("digits", [0, 1, 12])
@pytest.mark.parametrize("fpr", [0.0, 0.001, 0.01, 0.1, 1.0])
def test_tpr_at_fpr_equals_scikit_learns_curve(fpr: float, digits: int) -> None:
    labels, scores = sample(7, 3000, digits)
    rates, hits, _ = reference.roc_curve(labels, scores, drop_intermediate=False)
    expected = hits[rates <= fpr].max()
    assert TprAtFpr(fpr=fpr).measure(labels, scores) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("digits", [0, 1, 12])
def test_eer_equals_the_root_on_scikit_learns_curve(digits: int) -> None:
    labels, scores = sample(8, 900, digits)
    rates, hits, _ = reference.roc_curve(labels, scores, drop_intermediate=False)
    # Vertical steps of the curve are slightly tilted: interpolation needs a function.
    curve = interp1d(rates + np.arange(rates.size) * 1e-13, hits)
    top = rates[-1]
    expected = brentq(lambda x: 1 - x - curve(x), 0, top, xtol=1e-14)
    assert Eer().measure(labels, scores) == pytest.approx(expected, abs=1e-9)


def test_eer_by_hand() -> None:
    # One of four positives lies below one of four negatives: both rates are a quarter there.
    labels = [0, 0, 0, 1, 0, 1, 1, 1]
    assert Eer().measure(labels, np.arange(8.0)) == pytest.approx(0.25)
    assert Eer().measure([0, 1], [0.0, 0.0]) == pytest.approx(0.5)


@settings(max_examples=60, deadline=None)
@given(samples())
def test_rankings_ignore_monotone_maps_and_the_order_of_ties(
    drawn: tuple[np.ndarray, np.ndarray],
) -> None:
    labels, scores = drawn
    order = np.random.default_rng(0).permutation(labels.size)
    for metric in RANKING:
        value = metric.measure(labels, scores)
        assert 0 <= value <= 1
        assert metric.measure(labels, np.exp(scores / 3)) == value
        assert metric.measure(labels[order], scores[order]) == pytest.approx(value, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(samples())
def test_turning_scores_over_turns_auc_and_eer_over(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    labels, scores = drawn
    for metric in (Auc(), Eer()):
        total = metric.measure(labels, scores) + metric.measure(labels, -scores)
        assert total == pytest.approx(1)


def test_infinite_scores_are_ties_among_themselves() -> None:
    labels = [True, False, True, False]
    scores = [math.inf, math.inf, -math.inf, -math.inf]
    assert Auc().measure(labels, scores) == 0.5
    assert TprAtFpr(fpr=0.4).measure(labels, scores) == 0.0


def test_too_few_negatives_are_told() -> None:
    labels = np.arange(200) < 100
    value = TprAtFpr(fpr=0.01).value(labels, labels * 1.0, rng=np.random.default_rng(0))
    assert value.value == 1.0
    # The rule of three: no false positive among 100 leaves 3 % possible.
    assert TprAtFpr().bound(labels, labels * 1.0) == pytest.approx(1 - 0.05**0.01)
    assert "cannot claim 0.01" in value.note
    assert value.low == pytest.approx(stats.clopper_pearson(100, 100)[0])
    assert value.name == "tpr-at-fpr(fpr=0.01)"
    enough = np.arange(1000) < 100
    note = TprAtFpr(fpr=0.01).value(enough, enough * 1.0, rng=np.random.default_rng(0)).note
    assert "cannot" not in note


def test_cllr_by_hand() -> None:
    # log10 LR of +-1: each class pays log2(1 + 1/10).
    assert Cllr().measure([1, 0], [1.0, -1.0]) == pytest.approx(math.log2(1.1), abs=1e-12)
    assert Cllr().measure([1, 0, 0], [0.0, 0.0, 0.0]) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("digits", [0, 1, 12])
def test_calibration_loss_equals_scikit_learns_pool_adjacent_violators(digits: int) -> None:
    labels, scores = sample(9, digits=digits)
    posterior = IsotonicRegression().fit(scores, labels * 1.0).predict(scores)
    odds = labels.sum() / (~labels).sum()
    with np.errstate(divide="ignore"):
        ratio = posterior / (1 - posterior) / odds
        costs = np.log2(1 + np.where(labels, 1 / ratio, ratio))
        cllr_min = (costs[labels].mean() + costs[~labels].mean()) / 2
    assert stats.cllr_min(scores, labels) == pytest.approx(cllr_min, abs=1e-9)
    expected = reference_cllr(labels, scores) - cllr_min
    assert CllrCalibrationLoss().measure(labels, scores) == pytest.approx(expected, abs=1e-9)


def reference_cllr(labels: np.ndarray, llr: np.ndarray) -> float:
    """Through scikit-learn's log loss of the posterior at even odds, each class by itself."""
    posterior = 1 / (1 + 10.0**-llr)
    losses = [
        reference.log_loss(labels[labels == side], posterior[labels == side], labels=[False, True])
        for side in (True, False)
    ]
    return float(np.mean(losses) / math.log(2))


@settings(max_examples=60, deadline=None)
@given(samples())
def test_the_calibration_loss_is_never_negative_and_cllr_min_is_at_most_one(
    drawn: tuple[np.ndarray, np.ndarray],
) -> None:
    labels, scores = drawn
    least = stats.cllr_min(scores, labels)
    assert 0 <= least <= 1 + 1e-12
    assert stats.cllr(scores, labels) >= least - 1e-12
    assert stats.cllr_min(np.exp(scores), labels) == pytest.approx(least, abs=1e-12)
    # What is calibrated on the samples has nothing left to lose.
    _, llr, inverse = stats._pooled_llr(scores, labels)
    assert CllrCalibrationLoss().measure(labels, llr[inverse]) == pytest.approx(0, abs=1e-9)


def test_ece_by_hand_and_of_the_last_bin() -> None:
    # Bin [0.2, 0.3): said 0.25, happens 0; bin [0.9, 1]: said 0.95 and 1, happens 1.
    labels, stated = [0, 0, 1, 1], [0.25, 0.25, 0.95, 1.0]
    assert Ece().measure(labels, stated) == pytest.approx((2 * 0.25 + 0.05) / 4, abs=1e-12)
    assert Ece(bins=1).measure(labels, stated) == pytest.approx(abs(2.45 - 2) / 4, abs=1e-12)


@pytest.mark.parametrize("bins", [5, 10, 15])
def test_ece_equals_scikit_learns_calibration_curve(bins: int) -> None:
    from sklearn.calibration import calibration_curve

    rng = np.random.default_rng(11)
    stated = rng.random(400)
    labels = rng.random(400) < stated**1.5
    happened, said = calibration_curve(labels, stated, n_bins=bins)
    weight = np.histogram(stated, bins, (0, 1))[0]
    expected = np.sum(weight[weight > 0] * np.abs(happened - said)) / 400
    assert Ece(bins=bins).measure(labels, stated) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("labels", "scores"),
    [([], []), ([1, 0], [0.5]), ([1, 2], [0.5, 0.5]), ([1, 0], [0.5, math.nan]), ([1, 1], [0, 1])],
)
def test_what_has_no_value_is_refused(labels: list[int], scores: list[float]) -> None:
    for metric in (Auc(), Eer(), TprAtFpr(), Cllr(), CllrCalibrationLoss()):
        with pytest.raises(UsageError):
            metric.measure(labels, scores)


def test_options_outside_their_range_are_refused() -> None:
    for fpr, bins in itertools.product((-0.1, 1.1, math.nan), (0,)):
        with pytest.raises(UsageError, match="rate"):
            TprAtFpr(fpr=fpr).measure([1, 0], [1, 0])
        with pytest.raises(UsageError, match="bin"):
            Ece(bins=bins).measure([1, 0], [1, 0])
    with pytest.raises(UsageError, match="outside"):
        Ece().measure([1, 0], [1.5, 0])
