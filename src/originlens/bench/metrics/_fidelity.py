"""PSNR, SSIM, MS-SSIM and NMI of two uint8 pictures of one shape, (H, W) or (H, W, 3)."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from originlens.bench.metrics._pictures import RANGE, Picture
from originlens.core.stats import Floats

Window = Literal["gaussian", "uniform"]
#: Side in pixels of the window of local statistics.
SIDE = {"gaussian": 11, "uniform": 7}
#: Exponents of the five scales: Wang, Simoncelli and Bovik 2003, section 3.2.
SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
BINS = 100


def psnr(a: Picture, b: Picture) -> float:
    """Peak signal-to-noise ratio in dB over all values of both pictures; infinite if equal."""
    difference = a.astype(np.float64) - b
    error = float(np.mean(difference * difference))
    return float("inf") if error == 0 else float(10 * np.log10(RANGE**2 / error))


def ssim(a: Picture, b: Picture, window: Window) -> float:
    """Mean structural similarity over all places where the window lies within, and channels."""
    luminance, structure = _ssim_maps(a.astype(np.float64), b.astype(np.float64), window)
    return float(np.mean(luminance * structure))


def ms_ssim(a: Picture, b: Picture) -> float:
    """Multi-scale SSIM per channel, then their mean; a negative term counts as 0."""
    import cv2

    x, y = a.astype(np.float64), b.astype(np.float64)
    product: Any = 1.0
    for scale, weight in enumerate(SCALES):
        luminance, structure = _ssim_maps(x, y, "gaussian")
        last = scale == len(SCALES) - 1
        term = np.mean(luminance * structure if last else structure, axis=(0, 1))
        product = product * np.maximum(term, 0) ** weight
        if not last:
            half = (x.shape[1] // 2, x.shape[0] // 2)
            # An odd last row or column is dropped, so that each new pixel is a mean of four.
            x, y = (
                np.asarray(
                    cv2.resize(v[: 2 * half[1], : 2 * half[0]], half, interpolation=cv2.INTER_AREA)
                )
                for v in (x, y)
            )
    return float(np.mean(product))


def _ssim_maps(x: Floats, y: Floats, window: Window) -> tuple[Floats, Floats]:
    """Luminance and contrast-structure terms (Wang et al. 2004, equations 6 and 13)."""
    import cv2

    kernel, unbiased = _kernel(window)
    pad = SIDE[window] // 2

    def local(values: Floats) -> Floats:
        found = cv2.sepFilter2D(values, cv2.CV_64F, kernel, kernel)
        return np.asarray(found)[pad : x.shape[0] - pad, pad : x.shape[1] - pad]

    mean_x, mean_y = local(x), local(y)
    variance_x = unbiased * (local(x * x) - mean_x * mean_x)
    variance_y = unbiased * (local(y * y) - mean_y * mean_y)
    covariance = unbiased * (local(x * y) - mean_x * mean_y)
    c1, c2 = (0.01 * RANGE) ** 2, (0.03 * RANGE) ** 2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x * mean_x + mean_y * mean_y + c1)
    return luminance, (2 * covariance + c2) / (variance_x + variance_y + c2)


def _kernel(window: Window) -> tuple[Floats, float]:
    """The separable window, and n / (n - 1) where sample (co)variances are meant."""
    side = SIDE[window]
    if window == "uniform":
        return np.full(side, 1 / side), side * side / (side * side - 1)
    place = np.arange(side) - side // 2
    weights = np.exp(-0.5 * (place / 1.5) ** 2)
    return weights / weights.sum(), 1.0


def nmi(a: Picture, b: Picture) -> float:
    """(H(A) + H(B)) / H(A, B) of the joint histogram of all values, 100 bins each, in [1, 2].

    Bins are equal parts of each picture's own range. Two constant pictures: 2, each tells all of
    the other.
    """
    joint = np.bincount(BINS * _binned(a) + _binned(b), minlength=BINS * BINS)
    table = joint.reshape(BINS, BINS) / joint.sum()
    both = _entropy(table.ravel())
    if both == 0:
        return 2.0
    return (_entropy(table.sum(axis=0)) + _entropy(table.sum(axis=1))) / both


def _binned(picture: Picture) -> npt.NDArray[np.int64]:
    """Bins of a picture's values, flat; by a table of the 256 values, which is quick."""
    low, high = float(picture.min()), float(picture.max())
    if low == high:
        return np.zeros(picture.size, np.int64)
    edges = np.linspace(low, high, BINS + 1)
    levels = np.clip(np.searchsorted(edges, np.arange(256), side="right") - 1, 0, BINS - 1)
    return levels.astype(np.int64)[picture.ravel()]


def _entropy(shares: Floats) -> float:
    known = shares[shares > 0]
    return float(max(0.0, -np.sum(known * np.log(known))))
