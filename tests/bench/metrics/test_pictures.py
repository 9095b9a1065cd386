"""Fidelity of pictures against scikit-image and torchmetrics, and the anchors of WAVES."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data, metrics

from originlens.bench.metrics.feature_distance import FeatureDistance
from originlens.bench.metrics.ms_ssim import MsSsim
from originlens.bench.metrics.nmi import Nmi
from originlens.bench.metrics.psnr import Psnr
from originlens.bench.metrics.quality_degradation import (
    NMI_ANCHORS,
    PSNR_ANCHORS,
    SSIM_ANCHORS,
    QualityDegradation,
    _normalised,
)
from originlens.bench.metrics.ssim import Ssim
from originlens.bench.metrics.vif import Vif
from originlens.core.errors import UsageError

PHOTO = np.ascontiguousarray(data.chelsea()[:211, :230])


def noisy(sigma: float, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.clip(PHOTO + rng.normal(0, sigma, PHOTO.shape), 0, 255).astype(np.uint8)


CHANGED = {
    "noise": noisy(20),
    "dark": (PHOTO * 0.6).astype(np.uint8),
    "inverted": 255 - PHOTO,
    "flat": np.full_like(PHOTO, 77),
    "mirrored": np.ascontiguousarray(PHOTO[:, ::-1]),
}


@pytest.mark.parametrize("name", CHANGED)
@pytest.mark.parametrize("grey", [False, True])
def test_psnr_ssim_and_nmi_equal_scikit_image(name: str, grey: bool) -> None:
    a, b = (PHOTO[..., 1], CHANGED[name][..., 1]) if grey else (PHOTO, CHANGED[name])
    axis = None if grey else 2
    exact = {"abs": 1e-9, "rel": 0}
    assert Psnr().measure(a, b) == pytest.approx(metrics.peak_signal_noise_ratio(a, b), **exact)
    assert Nmi().measure(a, b) == pytest.approx(
        metrics.normalized_mutual_information(a, b), **exact
    )
    expected = metrics.structural_similarity(a, b, channel_axis=axis)
    assert Ssim(window="uniform").measure(a, b) == pytest.approx(expected, **exact)
    expected = metrics.structural_similarity(
        a, b, channel_axis=axis, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert Ssim().measure(a, b) == pytest.approx(expected, **exact)


@pytest.mark.torch
@pytest.mark.parametrize("name", ["noise", "dark", "mirrored"])
def test_ms_ssim_equals_torchmetrics_and_scikit_image(name: str) -> None:
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchmetrics.functional.image")
    a, b = (p.transpose(2, 0, 1).astype(np.float64) for p in (PHOTO, CHANGED[name]))
    values = []
    for x, y in zip(a, b, strict=True):
        # The last scale is scikit-image's: torchmetrics keeps the mirrored margin there, the
        # paper does not. A weight of 0 takes its term out.
        finer = functional.multiscale_structural_similarity_index_measure(
            torch.from_numpy(y)[None, None],
            torch.from_numpy(x)[None, None],
            data_range=255.0,
            betas=(0.0448, 0.2856, 0.3001, 0.2363, 0.0),
            normalize="relu",
        )
        for _ in range(4):
            x, y = (
                v[: v.shape[0] // 2 * 2, : v.shape[1] // 2 * 2]
                .reshape(v.shape[0] // 2, 2, v.shape[1] // 2, 2)
                .mean(axis=(1, 3))
                for v in (x, y)
            )
        options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
        last = metrics.structural_similarity(x, y, data_range=255, **options)
        values.append(float(finer) * max(0.0, last) ** 0.1333)
    # torchmetrics holds the weights in single precision.
    assert MsSsim().measure(PHOTO, CHANGED[name]) == pytest.approx(np.mean(values), abs=1e-7)


def test_ms_ssim_of_a_constant_shift_by_hand() -> None:
    # No structure: contrast terms are 1, only the luminance of the last scale differs.
    a, b = np.full((180, 200), 100, np.uint8), np.full((180, 200), 120, np.uint8)
    c1 = (0.01 * 255) ** 2
    luminance = (2 * 100 * 120 + c1) / (100**2 + 120**2 + c1)
    assert MsSsim().measure(a, b) == pytest.approx(luminance**0.1333, abs=1e-9)


def test_more_noise_is_worse_by_every_metric() -> None:
    for metric in (Psnr(), Ssim(), MsSsim(), Nmi(), QualityDegradation()):
        values = [metric.measure(PHOTO, noisy(sigma)) for sigma in (2, 8, 32)]
        assert values == sorted(values, reverse=metric.higher_is_better)


@pytest.mark.torch
def test_vif_orders_noise_and_knows_the_original() -> None:
    pytest.importorskip("torchmetrics")
    assert Vif().measure(PHOTO, PHOTO) == pytest.approx(1, abs=1e-6)
    values = [Vif().measure(PHOTO, noisy(sigma)) for sigma in (2, 8, 32)]
    assert values == sorted(values, reverse=True)
    # Raised contrast carries more of the scene than the original did.
    raised = np.clip((PHOTO.astype(float) - 128) * 1.1 + 128, 0, 255).astype(np.uint8)
    assert Vif().measure(PHOTO, raised) > 1
    with pytest.raises(UsageError, match="constant"):
        Vif().measure(CHANGED["flat"], PHOTO)


def test_psnr_by_hand_and_of_the_original() -> None:
    a, b = np.zeros((2, 2), np.uint8), np.array([[0, 0], [0, 2]], np.uint8)
    assert Psnr().measure(a, b) == pytest.approx(10 * np.log10(255**2), abs=1e-12)
    assert Psnr().measure(PHOTO, PHOTO) == float("inf")
    assert Psnr().measure(np.zeros_like(a), np.full_like(a, 255)) == 0
    low, high = Psnr().interval([PHOTO, a], [PHOTO, b], rng=np.random.default_rng(0))
    assert (low, high) == (pytest.approx(10 * np.log10(255**2)), float("inf"))


def test_nmi_of_what_tells_all_or_nothing() -> None:
    assert Nmi().measure(PHOTO, PHOTO) == pytest.approx(2)
    flat = np.full_like(PHOTO, 9)
    assert Nmi().measure(flat, flat) == 2
    assert Nmi().measure(PHOTO, flat) == pytest.approx(1)


def test_quality_degradation_has_the_anchors_of_waves() -> None:
    for anchors in (PSNR_ANCHORS, SSIM_ANCHORS, NMI_ANCHORS):
        assert _normalised(anchors[0], anchors) == pytest.approx(0.1)
        assert _normalised(anchors[1], anchors) == pytest.approx(0.9)
    a, b = PHOTO, CHANGED["noise"]
    parts = [
        (metrics.peak_signal_noise_ratio(a, b), 41.97, 12.15),
        (metrics.structural_similarity(a, b, channel_axis=2), 0.98, 0.32),
        (metrics.normalized_mutual_information(a, b), 1.71, 1.06),
    ]
    expected = np.mean([0.1 + 0.8 * (v - v10) / (v90 - v10) for v, v10, v90 in parts])
    assert QualityDegradation().measure(a, b) == pytest.approx(expected, abs=1e-9)
    worst = [
        _normalised(0, PSNR_ANCHORS),
        _normalised(-1, SSIM_ANCHORS),
        _normalised(1, NMI_ANCHORS),
    ]
    assert 0 <= QualityDegradation.bounds[1] - np.mean(worst) < 1e-3


@pytest.mark.parametrize(
    ("original", "changed"),
    [
        (PHOTO, PHOTO[:-1]),
        (PHOTO, PHOTO.astype(np.float32)),
        (np.zeros((20, 20, 4), np.uint8), np.zeros((20, 20, 4), np.uint8)),
        (PHOTO[:6], PHOTO[:6]),
        ([], []),
        ([PHOTO], []),
    ],
)
def test_what_cannot_be_compared_is_refused(original: object, changed: object) -> None:
    with pytest.raises(UsageError):
        Ssim().measure(original, changed)


def test_an_unknown_window_is_refused() -> None:
    with pytest.raises(UsageError, match="window"):
        Ssim(window="box").measure(PHOTO, PHOTO)  # type: ignore[arg-type]


def test_feature_distance_grows_with_what_is_lost_and_not_with_light() -> None:
    import cv2

    picture = data.astronaut()[:256, 64:320]
    metric = FeatureDistance()
    assert metric.measure(picture, picture) == 0
    blurred = [metric.measure(picture, cv2.GaussianBlur(picture, (0, 0), s)) for s in (1, 3, 8)]
    assert blurred == sorted(blurred)
    brighter = np.clip(picture.astype(int) + 20, 0, 255).astype(np.uint8)
    other = cv2.resize(data.coffee(), (256, 256))
    assert metric.measure(picture, brighter) < blurred[1] < metric.measure(picture, other)
    assert metric.measure(picture[..., 0], picture[..., 0]) == 0
