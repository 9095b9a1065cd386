"""Statistics against independent computations: enumeration, scikit-learn and scipy."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from originlens.core import stats


def binomial_tail(hits: int, trials: int, share: float) -> float:
    """P(X >= hits), by enumeration."""
    return sum(
        math.comb(trials, k) * share**k * (1 - share) ** (trials - k)
        for k in range(hits, trials + 1)
    )


@pytest.mark.parametrize(("hits", "trials"), [(0, 20), (1, 20), (7, 20), (20, 20), (3, 1000)])
def test_clopper_pearson_solves_its_defining_equations(hits: int, trials: int) -> None:
    low, high = stats.clopper_pearson(hits, trials)
    assert low == 0 if hits == 0 else binomial_tail(hits, trials, low) == pytest.approx(0.025)
    expected = 1 - binomial_tail(hits + 1, trials, high) if hits < trials else None
    assert high == 1 if expected is None else expected == pytest.approx(0.025)


def test_one_sided_bound_of_no_event_is_the_rule_of_three() -> None:
    assert stats.upper_bound(0, 100) == pytest.approx(1 - 0.05 ** (1 / 100))
    assert stats.upper_bound(0, 0) == 1.0
    assert stats.clopper_pearson(0, 0) == (0.0, 1.0)


def test_wilson_agrees_with_scipy() -> None:
    from scipy.stats import binomtest

    for hits, trials in [(0, 9), (4, 9), (9, 9), (37, 211)]:
        expected = binomtest(hits, trials).proportion_ci(method="wilson")
        assert stats.wilson(hits, trials) == pytest.approx((expected.low, expected.high))


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="not a proportion"):
        stats.clopper_pearson(3, 2)
    with pytest.raises(ValueError, match="level"):
        stats.wilson(1, 2, level=1.0)


def test_bootstrap_covers_the_mean_and_widens_with_groups() -> None:
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(20), 30)
    values = np.repeat(rng.normal(0, 1, 20), 30) + rng.normal(0, 0.1, 600)
    plain = stats.bootstrap(values, lambda v: float(v.mean()), np.random.default_rng(2))
    grouped = stats.bootstrap(
        values, lambda v: float(v.mean()), np.random.default_rng(2), groups=groups.tolist()
    )
    assert plain[0] < values.mean() < plain[1]
    # Rows of one group carry the information of one: the honest interval is sqrt(30) times wider.
    assert 3 < (grouped[1] - grouped[0]) / (plain[1] - plain[0]) < 8
    again = stats.bootstrap(values, lambda v: float(v.mean()), np.random.default_rng(2))
    assert again == plain


def test_jackknife_of_a_mean_is_the_textbook_interval() -> None:
    from scipy.stats import sem, t

    values = np.random.default_rng(4).normal(3, 2, 40)
    low, high = stats.jackknife(
        40, lambda kept: float(values[kept].mean()), np.random.default_rng(0), blocks=40
    )
    assert (low, high) == pytest.approx(t.interval(0.95, 39, values.mean(), sem(values)))


def test_jackknife_keeps_groups_together_and_needs_two() -> None:
    labels = ["a", "b", "c"] * 20
    kept_groups = []

    def statistic(kept: np.ndarray) -> float:
        kept_groups.append({labels[i] for i in kept})
        assert len(kept) == 20 * len(kept_groups[-1])
        return 0.0

    stats.jackknife(60, statistic, np.random.default_rng(0), groups=labels)
    assert sorted(map(len, kept_groups)) == [2, 2, 2, 3]
    with pytest.raises(ValueError, match="two"):
        stats.jackknife(5, statistic, np.random.default_rng(0), groups=["a"] * 5)
    with pytest.raises(ValueError, match="groups"):
        stats.jackknife(5, statistic, np.random.default_rng(0), groups=["a", "b"])


def test_exact_tests_agree_with_enumeration() -> None:
    assert stats.binomial_test(8, 10, 0.5) == pytest.approx(binomial_tail(8, 10, 0.5))
    # Fisher's tea: 3 of 4 right, one-sided p = 17/70.
    assert stats.fisher_exact([[3, 1], [1, 3]], "greater") == pytest.approx(17 / 70)


def tied_sample() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    labels = rng.random(400) < 0.3
    return np.round(rng.normal(labels * 1.0, 1), 1), labels


def test_roc_with_ties_agrees_with_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    scores, labels = tied_sample()
    curve = stats.roc(scores, labels)
    assert curve.auc == pytest.approx(metrics.roc_auc_score(labels, scores))
    fpr, tpr, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    assert np.allclose(curve.fpr, fpr)
    assert np.allclose(curve.tpr, tpr)


def test_auc_is_the_probability_of_ranking_right_with_half_for_ties() -> None:
    scores, labels = tied_sample()
    pairs = itertools.product(scores[labels], scores[~labels])
    won = [1.0 if p > n else 0.5 if p == n else 0.0 for p, n in pairs]
    assert stats.roc(scores, labels).auc == pytest.approx(np.mean(won))


def test_infinite_scores_tie_with_one_another() -> None:
    curve = stats.roc([math.inf, math.inf, -math.inf, -math.inf], [True, False, True, False])
    assert curve.auc == 0.5
    assert curve.fpr.tolist() == [0.0, 0.5, 1.0]


def test_eer_lies_where_the_curve_meets_the_diagonal() -> None:
    scores, labels = tied_sample()
    curve = stats.roc(scores, labels)
    assert np.interp(curve.eer, curve.fpr, curve.tpr) == pytest.approx(1 - curve.eer)
    assert stats.roc([1.0, 2.0], [False, True]).eer == 0
    assert stats.roc([2.0, 1.0], [False, True]).eer == 1
    assert stats.roc([1.0, 1.0], [False, True]).eer == 0.5


def test_tpr_at_fpr_honours_the_rate_and_states_the_bound() -> None:
    scores, labels = tied_sample()
    tpr, threshold, bound = stats.roc(scores, labels).tpr_at(0.01)
    wrong = int((scores[~labels] >= threshold).sum())
    assert wrong / (~labels).sum() <= 0.01
    assert tpr == pytest.approx((scores[labels] >= threshold).mean())
    assert bound == pytest.approx(stats.upper_bound(wrong, int((~labels).sum())))
    assert bound > 0.01


def test_roc_refuses_what_has_no_answer() -> None:
    with pytest.raises(ValueError, match="both classes"):
        stats.roc([1.0, 2.0], [True, True])
    with pytest.raises(ValueError, match="NaN"):
        stats.roc([1.0, math.nan], [True, False])


def test_micro_average_precision_by_hand_and_with_ties() -> None:
    # Ranking: hit, miss, hit; one further true pair was never returned.
    value = stats.micro_average_precision([0.9, 0.8, 0.7], [True, False, True], 3)
    assert value == pytest.approx((1 / 1 + 2 / 3) / 3)
    for labels in ([True, False], [False, True]):
        assert stats.micro_average_precision([0.5, 0.5], labels, 1) == 0.5
    assert stats.micro_average_precision([], [], 2) == 0.0


def test_micro_average_precision_agrees_with_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    scores, labels = tied_sample()
    expected = metrics.average_precision_score(labels, scores)
    found = stats.micro_average_precision(scores, labels, int(labels.sum()))
    assert found == pytest.approx(expected)
    order = np.random.default_rng(0).permutation(len(scores))
    shuffled = stats.micro_average_precision(scores[order], labels[order], int(labels.sum()))
    assert shuffled == pytest.approx(found)


def test_recalls() -> None:
    assert stats.recall_at([1, 3, None, 2], 2) == 0.5
    scores = [0.9, 0.8, 0.7, 0.6, 0.5]
    correct = [True, True, False, True, False]
    assert stats.recall_at_precision(scores, correct, 4, 0.9) == 0.5
    assert stats.recall_at_precision(scores, correct, 4, 0.7) == 0.75
    assert stats.recall_at_precision([0.9], [False], 4, 0.9) == 0.0


@pytest.mark.parametrize("fit", [stats.isotonic, stats.platt])
def test_calibration_recovers_the_ratio_of_two_normals(fit: object) -> None:
    rng = np.random.default_rng(5)
    labels = np.arange(40_000) % 4 == 0  # a prior of 1/4 must not leak into the ratio
    scores = rng.normal(np.where(labels, 1.0, -1.0), 1.0)
    calibration = fit(scores, labels)  # type: ignore[operator]
    points = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
    assert np.allclose(calibration(points), 2 * points / math.log(10), atol=0.15)
    assert np.abs(calibration([-99.0, 99.0])).max() <= stats.llr_cap(10_000, 30_000)
    held_out = rng.normal(np.where(labels, 1.0, -1.0), 1.0)
    probability = calibration.probability(held_out, prior=0.25)
    assert stats.expected_calibration_error(probability, labels) < 0.02
    # Of two unit normals at distance 2 the best Cllr is about 0.51 bits.
    assert stats.cllr(calibration(held_out), labels) == pytest.approx(0.51, abs=0.03)


def test_isotonic_agrees_with_scikit_learn() -> None:
    module = pytest.importorskip("sklearn.isotonic")
    scores, labels = tied_sample()
    calibration = stats.isotonic(scores, labels)
    reference = module.IsotonicRegression().fit(scores, labels.astype(float)).predict(scores)
    prior = labels.mean()
    assert np.allclose(
        calibration.probability(scores, prior=float(prior)),
        np.clip(reference, *calibration.probability([-9.0, 9.0], prior=float(prior))),
        atol=1e-6,
    )


def test_separated_classes_are_capped_by_the_smaller_one() -> None:
    scores = np.concatenate([np.zeros(9), np.ones(99)])
    calibration = stats.isotonic(scores, scores > 0.5)
    assert calibration([0.0, 1.0]) == pytest.approx([-1.0, 1.0])


def test_cllr_of_no_information_is_one_bit() -> None:
    assert stats.cllr([0.0, 0.0], [True, False]) == pytest.approx(1.0)
    assert stats.cllr([3.0, -3.0], [True, False]) < 0.01


def test_cllr_min_is_what_the_best_monotone_map_leaves() -> None:
    scores, labels = tied_sample()
    least = stats.cllr_min(scores, labels)
    assert stats.cllr_min(np.exp(scores), labels) == pytest.approx(least, abs=1e-12)
    for map_of in (lambda s: s, lambda s: s / 2, lambda s: s - 0.4):
        assert stats.cllr(map_of(scores), labels) >= least
    assert stats.cllr_min([1.0, 2.0, 3.0], [False, True, True]) == 0
    assert stats.cllr_min([2.0, 1.0], [False, True]) == pytest.approx(1)
