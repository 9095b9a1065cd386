"""Statistics of detection and retrieval: exact where an exact method exists.

Intervals: Clopper and Pearson (1934); Wilson (1927); bootstrap and jackknife, by groups if samples
share a source (Efron and Tibshirani 1993, chapter 8). Tests: exact binomial, Fisher (1922).
Retrieval: micro average precision as in the Image Similarity Challenge 2021 (Douze et al. 2021,
arXiv:2106.09672). Calibration: isotonic regression, Platt scaling (Platt 1999), Cllr (Brümmer and
du Preez 2006), expected calibration error (Naeini et al. 2015).

Scores rise with the positive class everywhere. Ties never depend on the order of the input.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Alternative = Literal["two-sided", "less", "greater"]


def clopper_pearson(hits: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Exact two-sided interval of a proportion; (0, 1) without trials.

    Raises:
        ValueError: not 0 <= hits <= trials, or the level is not in (0, 1).
    """
    from scipy.stats import beta

    _check_counts(hits, trials, level)
    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits, trials - hits + 1))
    high = 1.0 if hits == trials else float(beta.ppf(1 - tail, hits + 1, trials - hits))
    return low, high


def upper_bound(hits: int, trials: int, level: float = 0.95) -> float:
    """Exact one-sided upper bound of a proportion (Clopper-Pearson); 1 without trials."""
    from scipy.stats import beta

    _check_counts(hits, trials, level)
    return 1.0 if hits == trials else float(beta.ppf(level, hits + 1, trials - hits))


def wilson(hits: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson score interval of a proportion: closer to its level on average, but not exact."""
    from scipy.stats import norm

    _check_counts(hits, trials, level)
    if trials == 0:
        return 0.0, 1.0
    z = float(norm.ppf((1 + level) / 2))
    share = hits / trials
    centre = share + z * z / (2 * trials)
    spread = z * np.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    low = 0.0 if hits == 0 else float((centre - spread) / scale)
    high = 1.0 if hits == trials else float((centre + spread) / scale)
    return max(0.0, low), min(1.0, high)


def _check_counts(hits: int, trials: int, level: float) -> None:
    if not 0 <= hits <= trials:
        raise ValueError(f"{hits} hits in {trials} trials is not a proportion")
    if not 0 < level < 1:
        raise ValueError(f"a level lies in (0, 1), not {level}")


def bootstrap(
    values: npt.ArrayLike,
    statistic: Callable[[Floats], float],
    rng: np.random.Generator,
    *,
    groups: Sequence[Hashable] | None = None,
    rounds: int = 1000,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile bootstrap interval of ``statistic(values)``.

    ``values`` is (N,) or (N, K), rows resampled together. With ``groups`` (one per row) whole
    groups are drawn, which is right where rows share a source picture or a subject. Rounds whose
    statistic is not finite are left out.

    Raises:
        ValueError: no values, or every round failed.
    """
    rows = np.asarray(values, dtype=np.float64)
    if len(rows) == 0:
        raise ValueError("no values to resample")
    labels = np.arange(len(rows)) if groups is None else _codes(groups)
    if len(labels) != len(rows):
        raise ValueError(f"{len(labels)} groups for {len(rows)} values")
    ends = np.cumsum(np.bincount(labels))
    blocks = np.split(np.argsort(labels, kind="stable"), ends[:-1])
    results = []
    for _ in range(rounds):
        drawn = rng.integers(0, len(blocks), len(blocks))
        results.append(float(statistic(rows[np.concatenate([blocks[i] for i in drawn])])))
    finite = np.array([r for r in results if np.isfinite(r)])
    if not finite.size:
        raise ValueError("the statistic is not finite on any resample")
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def jackknife(
    count: int,
    statistic: Callable[[npt.NDArray[np.int64]], float],
    rng: np.random.Generator,
    *,
    groups: Sequence[Hashable] | None = None,
    blocks: int = 20,
    level: float = 0.95,
) -> tuple[float, float]:
    """Delete-a-group jackknife interval (Shao and Tu 1995, chapter 2): value -+ t x standard error.

    ``statistic`` maps (M,) int64 indices of kept samples to a number; it may be one that repeated
    samples bias, as a bootstrap's are. Samples or ``groups`` are dealt into ``blocks`` by ``rng``.

    Raises:
        ValueError: fewer than two samples or groups, or not one label per sample.
    """
    from scipy.stats import t as student

    labels = np.arange(count) if groups is None else _codes(groups)
    if len(labels) != count:
        raise ValueError(f"{len(labels)} groups for {count} samples")
    units = int(labels.max(initial=-1)) + 1
    if (blocks := min(blocks, units)) < 2:
        raise ValueError("a jackknife needs two samples or groups")
    block = rng.permutation(np.arange(units) % blocks)[labels]
    left = np.array([statistic(np.flatnonzero(block != number)) for number in range(blocks)])
    error = np.sqrt((blocks - 1) / blocks * np.sum((left - left.mean()) ** 2))
    reach = float(student.ppf((1 + level) / 2, blocks - 1) * error)
    centre = float(statistic(np.arange(count)))
    return centre - reach, centre + reach


def _codes(groups: Sequence[Hashable]) -> npt.NDArray[np.int64]:
    """Labels as integers from 0, in order of appearance."""
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(label, len(known)) for label in groups], dtype=np.int64)


def binomial_test(
    hits: int, trials: int, share: float, alternative: Alternative = "greater"
) -> float:
    """Exact p-value of ``hits`` in ``trials`` under a true share; super-uniform."""
    from scipy.stats import binomtest

    return float(binomtest(hits, trials, share, alternative=alternative).pvalue)


def fisher_exact(table: Sequence[Sequence[int]], alternative: Alternative = "two-sided") -> float:
    """Exact p-value that rows and columns of a 2x2 table of counts are independent."""
    from scipy.stats import fisher_exact as scipy_fisher

    return float(scipy_fisher(np.asarray(table), alternative=alternative)[1])


@dataclass(frozen=True, slots=True, eq=False)
class Roc:
    """An ROC curve with one point per distinct score.

    ``thresholds`` (T,) descend from +inf; ``fpr`` and ``tpr`` (T,) are the shares of negatives and
    positives with a score >= threshold.
    """

    thresholds: Floats
    fpr: Floats
    tpr: Floats
    negatives: int
    positives: int

    @property
    def auc(self) -> float:
        """Area under the curve: P(positive > negative) + P(tie) / 2."""
        return float(np.sum(np.diff(self.fpr) * (self.tpr[1:] + self.tpr[:-1])) / 2)

    @property
    def eer(self) -> float:
        """Equal error rate: the FPR where the linearly interpolated curve meets FPR = 1 - TPR."""
        gap = self.fpr + self.tpr - 1
        after = int(np.argmax(gap >= 0))
        share = -gap[after - 1] / (gap[after] - gap[after - 1])
        return float(self.fpr[after - 1] + share * (self.fpr[after] - self.fpr[after - 1]))

    def tpr_at(self, fpr: float, level: float = 0.95) -> tuple[float, float, float]:
        """Best operating point with a measured false-positive rate <= ``fpr``.

        Returns the TPR, its threshold and the exact one-sided upper bound of the true FPR there:
        with 100 negatives and no false positive that is 0.030, which the rate alone would hide.
        """
        point = int(np.flatnonzero(self.fpr <= fpr)[-1])
        wrong = round(float(self.fpr[point]) * self.negatives)
        bound = upper_bound(wrong, self.negatives, level)
        return float(self.tpr[point]), float(self.thresholds[point]), bound


def roc(scores: npt.ArrayLike, labels: npt.ArrayLike) -> Roc:
    """The ROC curve of (N,) scores with (N,) labels, true = positive.

    Raises:
        ValueError: a class is missing, or a score is NaN.
    """
    values, truth = _scored(scores, labels)
    order = np.argsort(-values, kind="stable")
    values, truth = values[order], truth[order]
    # Not a difference of neighbours: that of two infinities is undefined.
    last = np.flatnonzero(np.append(values[1:] != values[:-1], True))
    hits = np.cumsum(truth)[last]
    positives, negatives = int(truth.sum()), int((~truth).sum())
    return Roc(
        thresholds=np.concatenate([[np.inf], values[last]]),
        fpr=np.concatenate([[0.0], (last + 1 - hits) / negatives]),
        tpr=np.concatenate([[0.0], hits / positives]),
        negatives=negatives,
        positives=positives,
    )


def _scored(scores: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.bool_]]:
    values = np.asarray(scores, dtype=np.float64).ravel()
    truth = np.asarray(labels, dtype=bool).ravel()
    if values.shape != truth.shape:
        raise ValueError(f"{values.size} scores for {truth.size} labels")
    if np.isnan(values).any():
        raise ValueError("a score is NaN")
    if truth.all() or not truth.any():
        raise ValueError("both classes must be present")
    return values, truth


def micro_average_precision(scores: npt.ArrayLike, correct: npt.ArrayLike, positives: int) -> float:
    """uAP over one ranking of all (query, reference) pairs of all queries.

    ``correct`` says which pairs are true; ``positives`` counts all true pairs, found or not. A
    group of tied scores counts as one step whose precision is that at its end, so that no order
    within ties can help (pessimistic; equal to the usual value without ties).

    Raises:
        ValueError: fewer positives than correct pairs, none at all, or a NaN score.
    """
    values = np.asarray(scores, dtype=np.float64).ravel()
    truth = np.asarray(correct, dtype=bool).ravel()
    if values.shape != truth.shape or np.isnan(values).any():
        raise ValueError("scores and labels differ in number, or a score is NaN")
    if positives < max(1, int(truth.sum())):
        raise ValueError(f"{positives} positives, but {int(truth.sum())} pairs are correct")
    hits, seen = _steps(values, truth)
    gained = np.diff(np.concatenate([[0], hits]))
    return float(np.sum(gained * hits / np.maximum(seen, 1)) / positives)


def recall_at_precision(
    scores: npt.ArrayLike, correct: npt.ArrayLike, positives: int, precision: float = 0.9
) -> float:
    """Highest recall of the ranking at a precision >= ``precision`` (R@P90); 0 if never reached."""
    values = np.asarray(scores, dtype=np.float64).ravel()
    truth = np.asarray(correct, dtype=bool).ravel()
    hits, seen = _steps(values, truth)
    good = hits[hits >= precision * seen]
    return float(good.max(initial=0) / positives) if positives else 0.0


def _steps(values: Floats, truth: npt.NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Correct and all pairs at the end of each group of tied scores, best first."""
    order = np.argsort(-values, kind="stable")
    ranked = values[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], values.size > 0)[: values.size])
    hits = np.cumsum(truth[order], dtype=np.float64)
    return hits[last], (last + 1).astype(np.float64)


def recall_at(ranks: Sequence[int | None], k: int) -> float:
    """Share of queries whose true reference has a rank <= k (1 = first; None = not returned)."""
    if not ranks:
        raise ValueError("no queries")
    return sum(rank is not None and rank <= k for rank in ranks) / len(ranks)


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """A map from score to log10 likelihood ratio, learned on ``positives`` + ``negatives``.

    ``scores`` (T,) ascend, ``llr`` (T,) is non-decreasing; between them the map is linear, beyond
    them constant. Magnitudes are capped by :func:`llr_cap`.
    """

    scores: Floats
    llr: Floats
    positives: int
    negatives: int

    def __call__(self, scores: npt.ArrayLike) -> Floats:
        """Log10 likelihood ratios of (N,) scores."""
        values = np.asarray(scores, dtype=np.float64)
        return np.asarray(np.interp(values, self.scores, self.llr), dtype=np.float64)

    def probability(self, scores: npt.ArrayLike, prior: float = 0.5) -> Floats:
        """Posterior probability of the positive class for a prior probability in (0, 1)."""
        odds = np.log(prior / (1 - prior)) + np.log(10) * self(scores)
        return np.asarray(1 / (1 + np.exp(-odds)), dtype=np.float64)


def llr_cap(positives: int, negatives: int) -> float:
    """Largest magnitude of a log10 LR that a calibration set of this size supports.

    With n samples of a class and none beyond the score, the rule of succession puts the tail at
    1 / (n + 1), so that no ratio beyond n + 1 can be claimed; the smaller class decides.
    """
    return float(np.log10(min(positives, negatives) + 1))


def isotonic(scores: npt.ArrayLike, labels: npt.ArrayLike) -> Calibration:
    """Calibration by isotonic regression (pool adjacent violators), prior taken out, capped."""
    values, truth = _scored(scores, labels)
    unique, llr, _ = _pooled_llr(values, truth)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    cap = llr_cap(positives, negatives)
    return Calibration(unique, np.clip(llr, -cap, cap), positives, negatives)


def _pooled_llr(
    values: Floats, truth: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Distinct scores, their log10 LRs by pool adjacent violators (uncapped), index per sample."""
    from scipy.optimize import isotonic_regression

    unique, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    share = np.bincount(inverse, weights=truth) / counts
    posterior = isotonic_regression(share, weights=counts).x
    prior = truth.sum() / (~truth).sum()
    with np.errstate(divide="ignore"):
        llr = np.log10(posterior) - np.log10(1 - posterior) - np.log10(prior)
    return unique, llr, inverse


def platt(scores: npt.ArrayLike, labels: npt.ArrayLike) -> Calibration:
    """Calibration by logistic regression with Platt's smoothed targets, prior taken out, capped."""
    from scipy.optimize import minimize

    values, truth = _scored(scores, labels)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    target = np.where(truth, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    centre, spread = float(values.mean()), float(values.std()) or 1.0
    scaled = (values - centre) / spread

    def loss(parameters: Floats) -> tuple[float, Floats]:
        logit = parameters[0] * scaled + parameters[1]
        error = 1 / (1 + np.exp(-logit)) - target
        value = float(np.sum(np.logaddexp(0, logit) - target * logit))
        return value, np.array([error @ scaled, error.sum()])

    fit = minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS")
    # A score that falls with the positive class is no evidence: the slope is not negative.
    slope = max(0.0, float(fit.x[0]))
    grid = np.linspace(values.min(), values.max(), 257)
    logit = slope * (grid - centre) / spread + float(fit.x[1])
    llr = logit / np.log(10) - np.log10(positives / negatives)
    cap = llr_cap(positives, negatives)
    return Calibration(grid, np.clip(llr, -cap, cap), positives, negatives)


def cllr(llr: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Log-likelihood-ratio cost in bits of (N,) log10 LRs: 0 perfect, 1 says nothing."""
    values, truth = _scored(llr, labels)
    natural = values * np.log(10)
    wrong_low = np.logaddexp(0, -natural[truth]).mean()
    wrong_high = np.logaddexp(0, natural[~truth]).mean()
    return float((wrong_low + wrong_high) / (2 * np.log(2)))


def cllr_min(scores: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Cllr after the best monotone map of (N,) scores: what discrimination alone leaves, in bits.

    The map is pool adjacent violators fitted to these very samples (Brümmer and du Preez 2006), so
    that ``cllr - cllr_min`` >= 0 is the loss by calibration.
    """
    values, truth = _scored(scores, labels)
    _, llr, inverse = _pooled_llr(values, truth)
    return cllr(llr[inverse], truth)


def expected_calibration_error(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, bins: int = 10
) -> float:
    """Mean distance of stated and true share over equal-width bins, weighted by their size."""
    stated = np.asarray(probabilities, dtype=np.float64).ravel()
    truth = np.asarray(labels, dtype=bool).ravel()
    if stated.size == 0 or stated.shape != truth.shape:
        raise ValueError("no probabilities, or not as many as labels")
    if not ((stated >= 0) & (stated <= 1)).all():
        raise ValueError("a probability lies outside [0, 1]")
    index = np.minimum((stated * bins).astype(np.int64), bins - 1)
    gap = np.bincount(index, weights=stated - truth, minlength=bins)
    return float(np.abs(gap).sum() / stated.size)
