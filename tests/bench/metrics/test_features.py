"""Distances of feature sets against scipy, closed forms and enumeration."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm
from sklearn.metrics.pairwise import polynomial_kernel

from originlens.bench.metrics.frechet_distance import FrechetDistance
from originlens.bench.metrics.kernel_distance import KernelDistance
from originlens.core.errors import UsageError

RNG = np.random.default_rng


def sets(seed: int, n: int = 300, m: int = 260, size: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = RNG(seed)
    mix = rng.normal(size=(size, size)) / 2
    return rng.normal(size=(n, size)), rng.normal(0.3, 1, (m, size)) @ mix


@pytest.mark.parametrize("seed", range(4))
def test_frechet_equals_scipys_matrix_square_root(seed: int) -> None:
    real, other = sets(seed)
    a, b = np.cov(real, rowvar=False), np.cov(other, rowvar=False)
    gap = real.mean(axis=0) - other.mean(axis=0)
    expected = gap @ gap + np.trace(a + b - 2 * np.real(sqrtm(a @ b)))
    assert FrechetDistance().measure(real, other) == pytest.approx(expected, abs=1e-9)


def test_frechet_in_closed_form() -> None:
    # Means 0 and 3, standard deviations sqrt(2) and 2 sqrt(2): 9 + (2 sqrt(2) - sqrt(2))^2.
    one, two = np.array([[-1.0], [1.0]]), np.array([[1.0], [5.0]])
    assert FrechetDistance().measure(one, two) == pytest.approx(11, abs=1e-12)


def test_frechet_of_fewer_vectors_than_dimensions() -> None:
    real, other = sets(5, n=6, m=9, size=20)
    value = FrechetDistance().measure(real, other)
    assert value == pytest.approx(FrechetDistance().measure(other, real), abs=1e-9)
    # A rotation and a shift of the space leave distances alone.
    turn = np.linalg.qr(RNG(6).normal(size=(20, 20)))[0]
    assert FrechetDistance().measure(real @ turn + 7, other @ turn + 7) == pytest.approx(value)
    assert FrechetDistance().measure(real, real) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("degree", [1, 3])
def test_kernel_distance_equals_enumeration_with_scikit_learns_kernel(degree: int) -> None:
    real, other = sets(7, n=14, m=11)

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.asarray(polynomial_kernel(a, b, degree=degree, gamma=1 / 12, coef0=1))

    within = [
        np.mean([k[i, j] for i in range(len(k)) for j in range(len(k)) if i != j])
        for k in (kernel(real, real), kernel(other, other))
    ]
    expected = sum(within) - 2 * kernel(real, other).mean()
    value = KernelDistance(degree=degree).measure(real, other)
    assert value == pytest.approx(expected, abs=1e-9)


def test_kernel_distance_of_equal_distributions_is_zero_on_average() -> None:
    values = []
    for seed in range(200):
        rng = RNG(seed)
        values.append(KernelDistance().measure(rng.normal(size=(30, 4)), rng.normal(size=(25, 4))))
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(200)
    assert min(values) < 0 < max(values)


def test_the_jackknife_covers_the_true_distance() -> None:
    # Degree 1: the squared difference of means over D, known here.
    true = 0.5**2
    covered = 0
    for seed in range(120):
        rng = RNG(seed)
        pair = rng.normal(size=(80, 3)), rng.normal(0.5, 1, (70, 3))
        low, high = KernelDistance(degree=1).interval(*pair, rng=rng)
        covered += low <= true <= high
    # 95 % of 120 is 114; a binomial falls below 106 once in a thousand times.
    assert covered >= 106


def test_groups_hold_vectors_together() -> None:
    rng = RNG(8)
    real = np.repeat(rng.normal(size=(30, 4)), 10, axis=0)
    other = np.repeat(rng.normal(0.5, 1, (30, 4)), 10, axis=0)
    groups = np.repeat(np.arange(60), 10).tolist()
    plain = FrechetDistance().interval(real, other, rng=RNG(0))
    grouped = FrechetDistance().interval(real, other, rng=RNG(0), groups=groups)
    assert grouped[1] - grouped[0] > 1.5 * (plain[1] - plain[0])


@pytest.mark.parametrize(
    ("real", "other"),
    [
        (np.zeros((5, 2)), np.zeros((5, 3))),
        (np.zeros((1, 2)), np.zeros((5, 2))),
        (np.zeros(5), np.zeros(5)),
        (np.zeros((5, 2)), np.full((5, 2), np.nan)),
    ],
)
def test_what_are_no_two_sets_is_refused(real: np.ndarray, other: np.ndarray) -> None:
    for metric in (FrechetDistance(), KernelDistance()):
        with pytest.raises(UsageError):
            metric.measure(real, other)


def test_a_degree_below_one_is_refused() -> None:
    with pytest.raises(UsageError, match="degree"):
        KernelDistance(degree=0).measure(np.zeros((3, 2)), np.zeros((3, 2)))
