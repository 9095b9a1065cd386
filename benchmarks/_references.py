"""Every metric that an independent library defines, against that library on random inputs.

``python benchmarks/bench.py`` prints the largest differences; ties, several sizes and both averages
are among the inputs.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from originlens.bench.results import Pairs
from originlens.core.registry import make

ROUNDS = 20


def largest_differences(seed: int) -> dict[str, float]:
    """By metric and reference: the largest absolute difference over all rounds."""
    rng = np.random.default_rng(seed)
    worst: dict[str, float] = {}
    for _ in range(ROUNDS):
        for part in (_scores, _rankings, _masks, _pictures, _features):
            for name, ours, theirs in part(rng):
                worst[name] = max(worst.get(name, 0.0), abs(ours - float(theirs)))
    return worst


Found = Iterator[tuple[str, float, float]]


def _scores(rng: np.random.Generator) -> Found:
    from scipy.interpolate import interp1d
    from scipy.optimize import brentq
    from sklearn import metrics as sklearn

    labels = rng.random(400) < 0.3
    scores = np.round(rng.normal(labels, 1.0), 1)  # ties
    yield (
        "auc (scikit-learn)",
        _measure("auc", labels, scores),
        sklearn.roc_auc_score(labels, scores),
    )
    rates, hits, _ = sklearn.roc_curve(labels, scores, drop_intermediate=False)
    reached = hits[rates <= 0.01].max()
    yield "tpr-at-fpr (scikit-learn)", _measure("tpr-at-fpr", labels, scores, fpr=0.01), reached
    smooth = rng.normal(labels, 1.0)
    rates, hits, _ = sklearn.roc_curve(labels, smooth, drop_intermediate=False)
    curve = interp1d(rates, hits)
    equal = brentq(lambda rate: 1.0 - rate - curve(rate), 0.0, 1.0)
    yield "eer (scikit-learn, scipy)", _measure("eer", labels, smooth), equal


def _rankings(rng: np.random.Generator) -> Found:
    from faiss.contrib.evaluation import knn_intersection_measure
    from sklearn import metrics as sklearn

    correct = rng.random(300) < 0.3
    scores = np.round(rng.normal(1.5 * correct, 1.0), 1)
    truth = Pairs.of(correct, int(correct.sum()))
    expected = sklearn.average_precision_score(correct, scores)
    yield "uap (scikit-learn)", _measure("uap", truth, scores), expected
    shares, recalls, _ = sklearn.precision_recall_curve(correct, scores)
    ours = _measure("recall-at-precision", truth, scores, precision=0.9)
    yield "recall-at-precision (scikit-learn)", ours, recalls[shares >= 0.9].max()
    wanted = rng.integers(0, 40, 60)
    answers = np.array([rng.permutation(40)[:5] for _ in wanted])
    # faiss compares sets of one size: the one true id is filled up with ids that nobody answers.
    filled = np.column_stack([wanted, *(np.full(60, -1 - k) for k in range(4))])
    among = knn_intersection_measure(answers, filled) * 5
    yield "recall-at-k (faiss)", _measure("recall-at-k", list(wanted), answers, k=5), among


def _masks(rng: np.random.Generator) -> Found:
    from sklearn import metrics as sklearn

    masks = [rng.random((7 + i, 9)) < 0.1 + 0.1 * i for i in range(5)]
    maps = [np.clip(np.round(rng.normal(0.35 + 0.3 * m, 0.2), 2), 0, 1) for m in masks]
    flat = [(m.ravel(), h.ravel()) for m, h in zip(masks, maps, strict=True)]
    if not all(mask.any() for mask in masks):
        return
    for name, reference in (("pixel-f1", sklearn.f1_score), ("pixel-iou", sklearn.jaccard_score)):
        each = [reference(mask, heat >= 0.5) for mask, heat in flat]
        yield f"{name} (scikit-learn)", _measure(name, masks, maps), np.mean(each)
    each = [sklearn.roc_auc_score(mask, heat) for mask, heat in flat]
    yield "pixel-auc (scikit-learn)", _measure("pixel-auc", masks, maps), np.mean(each)


def _pictures(rng: np.random.Generator) -> Found:
    from skimage import metrics as skimage

    first = rng.integers(0, 256, (60, 70, 3), dtype=np.uint8)
    second = np.clip(first + rng.normal(0, 25, first.shape), 0, 255).astype(np.uint8)
    expected = {
        "psnr": skimage.peak_signal_noise_ratio(first, second, data_range=255),
        "ssim": skimage.structural_similarity(
            first, second, data_range=255, channel_axis=2, gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False,
        ),
        "nmi": skimage.normalized_mutual_information(first, second, bins=100),
    }  # fmt: skip
    for name, value in expected.items():
        yield f"{name} (scikit-image)", _measure(name, [first], [second]), value


def _features(rng: np.random.Generator) -> Found:
    from scipy.linalg import sqrtm

    real = rng.normal(size=(300, 12))
    other = rng.normal(0.3, 1, (260, 12)) @ (rng.normal(size=(12, 12)) / 2)
    a, b = np.cov(real, rowvar=False), np.cov(other, rowvar=False)
    gap = real.mean(axis=0) - other.mean(axis=0)
    expected = gap @ gap + np.trace(a + b - 2 * np.real(sqrtm(a @ b)))
    yield "frechet-distance (scipy)", _measure("frechet-distance", real, other), expected


def _measure(name: str, truth: object, output: object, **options: float) -> float:
    return float(make("metric", name, **options).measure(truth, output))
