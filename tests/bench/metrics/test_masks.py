"""Pixel metrics against scikit-learn, by hand, and the conventions that they state."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn import metrics as reference

from originlens.bench.metrics._masks import Average
from originlens.bench.metrics.pixel_auc import PixelAuc
from originlens.bench.metrics.pixel_f1 import PixelF1
from originlens.bench.metrics.pixel_f1_best import PixelF1Best
from originlens.bench.metrics.pixel_iou import PixelIou
from originlens.core.errors import UsageError

Pictures = tuple[list[np.ndarray], list[np.ndarray]]


def pictures(seed: int, digits: int = 2) -> Pictures:
    """Pictures of several sizes with changed parts of several sizes."""
    rng = np.random.default_rng(seed)
    masks = [rng.random((7 + i, 9)) < 0.1 + 0.1 * i for i in range(5)]
    maps = [np.clip(np.round(rng.normal(0.35 + 0.3 * m, 0.2), digits), 0, 1) for m in masks]
    return masks, maps


def joined(found: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([f.ravel() for f in found])


@pytest.mark.parametrize("threshold", [0.3, 0.5])
@pytest.mark.parametrize("seed", range(3))
def test_overlaps_equal_scikit_learn(seed: int, threshold: float) -> None:
    masks, maps = pictures(seed)
    marked = [m >= threshold for m in maps]
    for metric, score in ((PixelF1, reference.f1_score), (PixelIou, reference.jaccard_score)):
        each = [score(a.ravel(), b.ravel()) for a, b in zip(masks, marked, strict=True)]
        value = metric(threshold=threshold).measure(masks, maps)
        assert value == pytest.approx(np.mean(each), abs=1e-12)
        pooled = metric(threshold=threshold, average="pooled").measure(masks, maps)
        assert pooled == pytest.approx(score(joined(masks), joined(marked)), abs=1e-12)


@pytest.mark.parametrize("digits", [1, 12])
def test_rankings_of_pixels_equal_scikit_learn(digits: int) -> None:
    masks, maps = pictures(4, digits)
    each = [reference.roc_auc_score(a.ravel(), b.ravel()) for a, b in zip(masks, maps, strict=True)]
    assert PixelAuc().measure(masks, maps) == pytest.approx(np.mean(each), abs=1e-12)
    pooled = reference.roc_auc_score(joined(masks), joined(maps))
    assert PixelAuc(average="pooled").measure(masks, maps) == pytest.approx(pooled, abs=1e-12)
    each = [best_f1(a.ravel(), b.ravel()) for a, b in zip(masks, maps, strict=True)]
    assert PixelF1Best().measure(masks, maps) == pytest.approx(np.mean(each), abs=1e-12)
    expected = best_f1(joined(masks), joined(maps))
    assert PixelF1Best(average="pooled").measure(masks, maps) == pytest.approx(expected, abs=1e-12)


def best_f1(mask: np.ndarray, scores: np.ndarray) -> float:
    precision, recall, _ = reference.precision_recall_curve(mask, scores)
    sums = precision + recall
    return float(np.max(2 * precision * recall / np.where(sums > 0, sums, 1)))


def test_one_array_is_one_picture_and_the_threshold_marks() -> None:
    mask = np.array([[True, True, False, False]])
    scores = np.array([[0.5, 0.49, 0.5, 0.0]])
    # At or above 0.5: one of two changed pixels, one intact.
    assert PixelF1().measure(mask, scores) == pytest.approx(0.5)
    assert PixelIou().measure(mask, scores) == pytest.approx(1 / 3)
    assert PixelF1().measure([mask], [scores]) == PixelF1().measure(mask, scores)


def test_the_two_averages_differ_where_pictures_do() -> None:
    small, large = np.ones((1, 1), bool), np.ones((3, 3), bool)
    masks, maps = [small, large], [np.ones((1, 1)), np.zeros((3, 3))]
    assert PixelIou().measure(masks, maps) == pytest.approx(0.5)
    assert PixelIou(average="pooled").measure(masks, maps) == pytest.approx(0.1)


def test_pictures_without_change() -> None:
    intact = np.zeros((4, 4), bool)
    one = np.zeros((4, 4))
    one[0, 0] = 0.9
    for metric in (PixelF1(), PixelIou()):
        assert metric.measure(intact, np.zeros((4, 4))) == 1
        assert metric.measure(intact, one) == 0
    assert PixelF1Best().measure(intact, one) == 1
    with pytest.raises(UsageError, match="both changed and intact"):
        PixelAuc().measure(intact, one)
    changed = intact.copy()
    changed[0, 0] = True
    assert PixelAuc().measure([intact, changed], [one, one]) == 1


@settings(max_examples=40, deadline=None)
@given(arrays.arrays(bool, (4, 5)), arrays.arrays(np.int64, (4, 5), elements=st.integers(0, 4)))
def test_laws_of_one_picture(mask: np.ndarray, levels: np.ndarray) -> None:
    scores = levels / 4
    f1, iou = PixelF1().measure(mask, scores), PixelIou().measure(mask, scores)
    assert f1 == pytest.approx(2 * iou / (1 + iou), abs=1e-12)
    best = PixelF1Best().measure(mask, scores)
    assert 0 <= f1 <= best <= 1
    assert PixelF1Best().measure(mask, scores**2) == pytest.approx(best, abs=1e-12)
    if mask.any() and not mask.all():
        auc = PixelAuc().measure(mask, scores)
        assert PixelAuc().measure(~mask, scores) == pytest.approx(1 - auc, abs=1e-12)


@pytest.mark.parametrize("average", ["picture", "pooled"])
@pytest.mark.parametrize("metric", [PixelF1, PixelIou, PixelAuc, PixelF1Best])
def test_the_quick_interval_equals_that_of_measuring_anew(
    metric: type[PixelF1], average: Average
) -> None:
    masks, maps = pictures(6)
    made = metric(average=average)
    quick = made.interval(masks, maps, rng=np.random.default_rng(1), rounds=200)
    rng, values = np.random.default_rng(1), []
    for _ in range(200):
        drawn = rng.integers(0, 5, 5)
        values.append(made.measure(*made.take(masks, maps, drawn)))
    assert quick == pytest.approx(np.quantile(values, [0.025, 0.975]), abs=1e-9)


@pytest.mark.parametrize(
    ("masks", "maps"),
    [
        ([], []),
        ([np.ones((2, 2), bool)], []),
        (np.ones((2, 2), bool), np.ones((2, 3))),
        (np.ones((2, 2)), np.ones((2, 2))),
        (np.ones((2, 2), bool), np.full((2, 2), np.nan)),
    ],
)
def test_what_does_not_fit_is_refused(masks: object, maps: object) -> None:
    for metric in (PixelF1(), PixelAuc()):
        with pytest.raises(UsageError):
            metric.measure(masks, maps)


def test_an_unknown_average_is_refused() -> None:
    with pytest.raises(UsageError, match="average"):
        PixelF1(average="median").measure(*pictures(0))  # type: ignore[arg-type]
