"""How far an aligned pair is from what benign change explains: the features of the change map.

Every difference is divided by its typical size at the same local contrast in the same pair, so that
JPEG at quality 10, noise, and a shift of half a pixel, which all grow with contrast, raise the
yardstick instead of the map.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from originlens.match import _photometric as photometric
from originlens.match._alignment import Aligned

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

#: Channels of ``Deviation.fine`` and ``Deviation.coarse``.
FINE, COARSE = 7, 10
#: Luma and two chroma axes of RGB, each with unit gain for a grey or opponent step.
_OPPONENT = np.array([[1 / 3, 1 / 3, 1 / 3], [0.5, -0.5, 0.0], [0.25, 0.25, -0.5]], np.float32)
_BINS = 8
#: 35 % quantile of |N(0, 1)|: a robust scale that up to half of the pixels may be edited.
_QUANTILE, _NORMAL = 0.35, 0.454
#: Smallest yardstick: fine luma and chroma, then at two coarser scales, in levels of 0..255 ...
_FLOOR_FINE = np.array([2.0, 2.0, 2.0], np.float32)
_FLOOR_COARSE = np.array([1.2, 1.2, 0.8, 0.8, 0.05, 0.04, 0.1], np.float32)
#: ... and the variance (levels squared) below which structure is not compared.
_QUIET = 16.0
#: Luma this near to black or white counts as clipped, levels.
_CLIPPED = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class Deviation:
    """Features of a pair: ``fine`` (h, w, 7) and ``coarse`` (ceil(h/2), ceil(w/2), 10) float32.

    fine: luma, red-green, yellow-blue difference (signed, in yardsticks, log-compressed), largest
    channel difference in levels (log), contrast of query and of original (log), explained (0/1).
    coarse: luma and chroma difference at two scales, loss of local correlation at two scales,
    log ratio of local variance, local contrast, and the yardsticks of fine and coarse luma.
    """

    fine: Floats
    coarse: Floats


def deviation(aligned: Aligned) -> Deviation:
    """The features of an aligned pair."""
    import cv2

    # The edge of the original is known to a pixel or so: what lies there proves nothing. Where
    # nothing is compared nothing differs, so windows across the edge do not light up.
    mask = _eroded(aligned.explained)
    query = aligned.query
    original = np.where(mask[..., None], aligned.original, query)
    difference = np.asarray(cv2.transform(query - original, _OPPONENT), dtype=np.float32)
    luma_query, luma_original = photometric.luma(query), photometric.luma(original)
    contrast = [_contrast(p) for p in (luma_query, luma_original)]
    activity = _levels(_blurred(contrast[1]))
    # Clipped black and white deviate by nothing, whatever was done: no yardstick for the rest.
    tonal = mask & (luma_query > _CLIPPED) & (luma_query < 255 - _CLIPPED)
    if int(tonal.sum()) < 0.05 * tonal.size:
        tonal = mask
    fine, sigma_fine = _in_yardsticks(difference, activity, tonal, _FLOOR_FINE)
    largest = np.abs(query - original).max(axis=2)
    stack = [
        *cv2.split(_compressed(fine)),
        np.log1p(largest / 8.0),
        np.log1p(contrast[0] / 8.0),
        np.log1p(contrast[1] / 8.0),
        mask.astype(np.float32),
    ]
    coarse = _coarse(difference, luma_query, luma_original, contrast[1], tonal, sigma_fine)
    return Deviation(np.dstack(stack).astype(np.float32, copy=False), coarse)


def _eroded(explained: Mask) -> Mask:
    import cv2

    padded = np.pad(explained, 1, constant_values=True).astype(np.uint8)
    return np.asarray(cv2.erode(padded, np.ones((5, 5), np.uint8))[1:-1, 1:-1].astype(bool))


def _contrast(luma: Floats) -> Floats:
    """Gradient magnitude of (h, w) luma in levels per pixel."""
    import cv2

    gx = cv2.Sobel(luma, cv2.CV_32F, 1, 0, scale=0.125)
    gy = cv2.Sobel(luma, cv2.CV_32F, 0, 1, scale=0.125)
    return np.asarray(cv2.magnitude(gx, gy))


def _blurred(plane: Floats) -> Floats:
    import cv2

    return np.asarray(cv2.blur(plane, (5, 5)), dtype=np.float32)


def _levels(contrast: Floats) -> npt.NDArray[np.uint8]:
    """Local contrast as (h, w) uint8 steps of a logarithmic scale."""
    return np.minimum(np.log1p(contrast) * 50.0, 255.0).astype(np.uint8)


def _compressed(values: Floats) -> Floats:
    """Sign-preserving logarithm: small deviations linear, large ones bounded in effect."""
    return np.asarray(np.copysign(np.log1p(np.abs(values)), values))


def _in_yardsticks(
    values: Floats, activity: npt.NDArray[np.uint8], mask: Mask, floors: Floats
) -> tuple[Floats, float]:
    """Divide (h, w, K) deviations by their typical size at like activity; (h, w) uint8 levels.

    Also returns the overall yardstick of the first channel.
    """
    import cv2

    channels = values.shape[-1]
    where = np.flatnonzero(mask)
    where = where[:: max(1, len(where) // 12000)]
    if len(where) < 64:
        return np.asarray(values / floors), float(floors[0])
    level = activity.ravel()[where]
    order = np.argsort(level, kind="stable")
    sample = np.abs(values.reshape(-1, channels)[where[order]])
    level = level[order].astype(np.float32)
    parts = np.array_split(np.arange(len(order)), _BINS)
    centre = np.array([level[p].mean() for p in parts])
    ranks = [int(_QUANTILE * (len(p) - 1)) for p in parts]
    values_at = [np.partition(sample[p], k, axis=0)[k] for p, k in zip(parts, ranks, strict=True)]
    typical = np.stack(values_at) / _NORMAL
    typical = np.sqrt(typical**2 + floors**2)
    # An edit may fill a bin: no bin may stand far above its neighbours.
    padded = np.concatenate([typical[:1], typical, typical[-1:]])
    typical = np.minimum(typical, 1.5 * np.maximum(floors, np.minimum(padded[:-2], padded[2:])))
    scale = np.arange(256, dtype=np.float32)
    tables = [np.interp(scale, centre, typical[:, k]).astype(np.float32) for k in range(channels)]
    planes = [
        plane / cv2.LUT(activity, table[None])
        for plane, table in zip(cv2.split(values), tables, strict=True)
    ]
    return np.dstack(planes), float(np.median(typical[:, 0]))


def _coarse(
    difference: Floats,
    query: Floats,
    original: Floats,
    contrast: Floats,
    mask: Mask,
    sigma_fine: float,
) -> Floats:
    import cv2

    height, width = mask.shape
    size = ((width + 1) // 2, (height + 1) // 2)

    def half(plane: Floats) -> Floats:
        return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA))

    def smooth(plane: Floats, sigma: float) -> Floats:
        return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma))

    small = half(difference)
    planes = []
    for sigma in (1.2, 3.0):
        soft = smooth(small, sigma)
        planes += [soft[..., 0], cv2.magnitude(soft[..., 1].copy(), soft[..., 2].copy())]
    products = (query * query, original * original, query * original)
    moments = [half(m) for m in (query, original, *products)]
    for sigma in (1.0, 2.5):
        mq, mo, qq, oo, qo = (smooth(m, sigma) for m in moments)
        vq, vo = np.maximum(qq - mq * mq, 0.0), np.maximum(oo - mo * mo, 0.0)
        planes.append(1.0 - (2.0 * (qo - mq * mo) + _QUIET) / (vq + vo + _QUIET))
    planes.append(np.log((vq + _QUIET) / (vo + _QUIET)))
    local = _blurred(half(contrast))
    inside = half(mask.astype(np.float32)) > 0.99
    scaled, sigma_coarse = _in_yardsticks(np.dstack(planes), _levels(local), inside, _FLOOR_COARSE)
    constant = np.ones_like(local)
    planes = [
        *cv2.split(_compressed(scaled)),
        np.log1p(local / 8.0),
        constant * np.log(sigma_fine),
        constant * np.log(sigma_coarse),
    ]
    return np.dstack(planes).astype(np.float32, copy=False)
