"""Measurements on an aligned pair that name an edit: colour, sharpness, noise, regions, frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from originlens.core.image import Pixels
from originlens.match import _photometric as photometric
from originlens.match._alignment import Aligned

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Colour:
    """Global change of colour, in levels of 0..255 or as ratios query / asset.

    ``change`` is the median of what the fitted colour model moves block means by; ``correlation``
    that of the luma;
    ``chroma_query`` and ``chroma_asset`` are mean distances from grey.
    """

    change: float
    brightness: float
    contrast: float
    correlation: float
    chroma_query: float
    chroma_asset: float


def colour(aligned: Aligned, same: Mask) -> Colour | None:
    """Colour change where ``same`` (h, w) bool holds; None where too little is left."""
    import cv2

    step = 4 if min(same.shape) >= 64 else 1
    size = (max(1, same.shape[1] // step), max(1, same.shape[0] // step))
    kept = cv2.resize(same.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.9
    if int(kept.sum()) < 16:
        return None
    q, p, modelled = (
        cv2.resize(a.astype(np.float32), size, interpolation=cv2.INTER_AREA)[kept]
        for a in (aligned.query, aligned.plain, aligned.original)
    )
    lq, lp = q.mean(axis=1), p.mean(axis=1)
    deviation = max(float(lp.std()), 1.0)
    correlation = float(np.corrcoef(lq, lp)[0, 1]) if lq.std() > 1 and lp.std() > 1 else 1.0
    return Colour(
        change=float(np.median(np.abs(modelled - p).max(axis=1))),
        brightness=float(np.median(lq) - np.median(lp)),
        contrast=float(lq.std()) / deviation,
        correlation=correlation,
        chroma_query=float(np.abs(q - lq[:, None]).mean()),
        chroma_asset=float(np.abs(p - lp[:, None]).mean()),
    )


def response(taps: Floats, frequency: float) -> float:
    """Gain of the sharpness filter at a frequency in cycles per working pixel."""
    widths = np.array([0.0, *photometric.BANK])
    return float(taps @ np.exp(-2.0 * (np.pi * widths * frequency) ** 2))


def noise_level(pixels: Floats, where: Mask) -> float:
    """Standard deviation of fine noise in levels (Immerkaer 1996), robust to texture.

    The mask [[1,-2,1],[-2,4,-2],[1,-2,1]] / 6 has unit noise gain and ignores planes; the lower
    quartile of block means is taken, since texture only adds.
    """
    import cv2

    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32) / 6.0
    energy = np.abs(cv2.filter2D(photometric.luma(pixels), cv2.CV_32F, kernel))
    size = (max(1, where.shape[1] // 8), max(1, where.shape[0] // 8))
    kept = cv2.resize(where.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.9
    blocks = cv2.resize(energy, size, interpolation=cv2.INTER_AREA)[kept]
    if blocks.size < 8:
        return 0.0
    # Mean of |N(0, s)| is s * sqrt(2 / pi).
    return float(np.quantile(blocks, 0.25) * np.sqrt(np.pi / 2))


def blockiness(pixels: Pixels) -> float:
    """Steps at multiples of 8 pixels relative to those between: 1 = no JPEG grid, (H, W, 3) in."""
    if min(pixels.shape[:2]) < 32:
        return 1.0
    grey = pixels[:1024, :1024].mean(axis=2, dtype=np.float32)
    ratios = []
    for plane in (grey, grey.T):
        second = np.abs(plane[:, 1:-2] + plane[:, 2:-1] - plane[:, :-3] - plane[:, 3:])
        steps = np.abs(np.diff(plane, axis=1))[:, 1:-1] - second / 4.0
        profile = np.maximum(steps, 0).mean(axis=0)
        phase = (np.arange(len(profile)) + 2) % 8
        inside = float(np.mean([profile[phase == k].mean() for k in (2, 3, 4, 5, 6)]))
        ratios.append((float(profile[phase == 0].mean()) + 0.05) / (inside + 0.05))
    return float(np.mean(ratios))


@dataclass(frozen=True, slots=True)
class Region:
    """A changed region of the query.

    ``box`` is in working pixels, ``area`` a share of the picture. ``flat`` is the share of the
    region taken by its two most frequent colours, in query and asset; ``correlation`` that of the
    luma detail in both, ``tone`` that of their coarse luma; ``detail`` the ratio of their detail
    (query / asset); ``offset`` the median change of colour in levels; ``stroke`` the mean stroke
    width relative to the region's height, ``letters`` the number of separate strokes, ``ink_query``
    and ``ink_asset`` the share of the strokes that two colours make.
    """

    box: Box
    area: float
    fill: float
    flat_query: float
    flat_asset: float
    correlation: float
    tone: float
    detail: float
    offset: float
    stroke: float
    letters: int
    ink_query: float
    ink_asset: float


def regions(aligned: Aligned, changed: Mask, *, smallest: float = 0.003) -> list[Region]:
    """Connected changed regions inside the explained area, largest first, at most eight."""
    import cv2

    # A rim beside what is not explained is an error of the outline, not an edit.
    covered = np.pad(aligned.explained.astype(np.uint8), 3, mode="edge")
    covered = cv2.erode(covered, np.ones((7, 7), np.uint8))[3:-3, 3:-3]
    inside = (changed & (covered > 0)).astype(np.uint8)
    reach = max(3, min(inside.shape) // 24) | 1
    # Letters of a line, and fragments of one edit, belong together.
    grouped = cv2.morphologyEx(inside, cv2.MORPH_CLOSE, np.ones((3, 2 * reach + 1), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(grouped, connectivity=8)
    order = np.argsort(-stats[1:count, cv2.CC_STAT_AREA])[:8] + 1
    found = []
    for label in order:
        mask = (labels == label) & (inside > 0)
        if mask.sum() < max(smallest * mask.size, 12):
            continue
        found.append(_region(aligned, mask, stats[label]))
    return found


def _region(aligned: Aligned, mask: Mask, stats: npt.NDArray[np.int32]) -> Region:
    x, y, w, h = (int(v) for v in stats[:4])
    part = np.s_[y : y + h, x : x + w]
    inside = mask[part]
    query, asset = aligned.query[part], aligned.original[part]
    lq, lp = photometric.luma(aligned.query)[part], photometric.luma(aligned.original)[part]
    dq, dp = _detail(lq)[inside], _detail(lp)[inside]
    energy_q, energy_p = float((dq**2).mean()), float((dp**2).mean())
    correlation = float((dq * dp).mean() / np.sqrt(energy_q * energy_p + 16.0))
    stroke, letters, ink_query, ink_asset = _strokes(query, asset, inside)
    return Region(
        box=(float(x), float(y), float(x + w), float(y + h)),
        area=float(mask.sum() / mask.size),
        fill=float(inside.mean()),
        flat_query=_flatness(query[inside]),
        flat_asset=_flatness(asset[inside]),
        correlation=correlation,
        tone=_tone(lq, lp, inside),
        detail=float(np.sqrt((energy_q + 1.0) / (energy_p + 1.0))),
        offset=float(np.abs(np.median(query[inside] - asset[inside], axis=0)).max()),
        stroke=stroke,
        letters=letters,
        ink_query=ink_query,
        ink_asset=ink_asset,
    )


def _detail(luma: Floats) -> Floats:
    import cv2

    return np.asarray(luma - cv2.GaussianBlur(luma, (0, 0), 2.0))


def _tone(query: Floats, original: Floats, inside: Mask) -> float:
    """Correlation of coarse luma inside a region: a blur keeps it, a removal does not."""
    import cv2

    sigma = max(1.0, 0.08 * float(np.sqrt(inside.sum())))
    q, p = (cv2.GaussianBlur(side, (0, 0), sigma)[inside] for side in (query, original))
    if q.std() < 1.0 or p.std() < 1.0:
        return 1.0 if abs(float(q.mean() - p.mean())) < 6 else 0.0
    return float(np.corrcoef(q, p)[0, 1])


def _flatness(colours: Floats) -> float:
    """Share of (N, 3) colours in the two fullest cells of an 8x8x8 cube."""
    if len(colours) == 0:
        return 0.0
    cells = (np.clip(colours, 0, 255) / 32.001).astype(np.int32) @ np.array([64, 8, 1])
    counts = np.sort(np.bincount(cells, minlength=512))
    return float(counts[-2:].sum() / len(colours))


def _strokes(query: Floats, original: Floats, inside: Mask) -> tuple[float, int, float, float]:
    """Stroke width over the region's height, number of strokes, how few colours on each side."""
    import cv2

    difference = np.abs(query - original).max(axis=2)
    values = difference[inside]
    if values.size < 12:
        return 1.0, 0, 0.0, 0.0
    limit = max(24.0, 0.5 * float(np.quantile(values, 0.97)))
    strong = ((difference > limit) & inside).astype(np.uint8)
    if not strong.any():
        return 1.0, 0, 0.0, 0.0
    distance = cv2.distanceTransform(np.pad(strong, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    width = 4.0 * float(distance[strong > 0].mean())
    count, _, stats, _ = cv2.connectedComponentsWithStats(strong, connectivity=8)
    letters = int((stats[1:count, cv2.CC_STAT_AREA] >= 4).sum())
    ink = [_flatness(side[strong > 0]) for side in (query, original)]
    return width / max(1, inside.shape[0]), letters, ink[0], ink[1]


@dataclass(frozen=True, slots=True)
class Surround:
    """What one picture shows beside the part that the other one shows too.

    ``share`` of the picture, its ``flatness`` (1 = two colours), and how well the picture
    ``continues`` there: 0 = a hard edge, about 1 = as inside; 0 where the share is too small.
    """

    share: float
    flatness: float
    continues: float


def surround(pixels: Floats, shown: Mask) -> Surround:
    """What surrounds the part ``shown`` (h, w) of a picture (h, w, 3), 0..255."""
    import cv2

    outside = cv2.erode((~shown).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    share = float((~shown).mean())
    flatness = _flatness(pixels[outside]) if outside.any() else 1.0
    return Surround(share, flatness, _continues(pixels, shown) if share > 0.02 else 0.0)


def _continues(pixels: Floats, shown: Mask) -> float:
    """How well a picture goes on across an outline: 0 = a hard edge, about 1 = as inside.

    Median step between local means on the two sides of a parallel line well inside, over that
    across the outline: a picture that was cut out of this one goes on beyond its outline, a frame
    or a host does not know what is inside.
    """
    import cv2

    mask = np.pad(shown.astype(np.uint8), 12, mode="edge")
    inner = cv2.erode(mask, np.ones((19, 19), np.uint8))
    steps = []
    for side in (inner, mask):
        found = _steps(pixels, side[12:-12, 12:-12].astype(np.float32))
        if found.size < 40:
            return 0.0
        steps.append(float(np.median(found)) + 1.0)
    return steps[0] / steps[1]


def _steps(pixels: Floats, mask: Floats) -> Floats:
    """Largest channel difference of local means across the outline of ``mask``: (N,) float32."""
    import cv2

    edge = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    # The outline is known to a pixel: means start beyond it.
    core = np.ones((5, 5), np.uint8)
    means = []
    for side in (mask, 1.0 - mask):
        sure = cv2.erode(np.pad(side, 2, mode="edge"), core)[2:-2, 2:-2]
        weight = cv2.blur(sure, (9, 9))
        mean = cv2.blur(pixels * sure[..., None], (9, 9)) / np.maximum(weight, 1e-3)[..., None]
        means.append(mean)
        edge &= weight > 0.1
    return np.asarray(np.abs(means[0] - means[1]).max(axis=2)[edge], dtype=np.float32)


def finer_detail(pixels: Pixels, factor: float) -> float:
    """Detail of (H, W, 3) pixels that a picture ``factor`` (> 1) times smaller could not hold.

    Amplitude of what a reduction by ``factor`` loses, over what one more such reduction loses:
    photographs keep 0.3 and more from one scale to the next, enlarged ones next to nothing.
    """
    import cv2

    luma = photometric.luma(pixels.astype(np.float32))
    lost = []
    for _ in range(2):
        size = (max(1, round(luma.shape[1] / factor)), max(1, round(luma.shape[0] / factor)))
        small = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA))
        back = cv2.resize(small, luma.shape[::-1], interpolation=cv2.INTER_CUBIC)
        lost.append(float(np.sqrt(np.mean((luma - back) ** 2))))
        luma = small
    return lost[0] / max(lost[1], 0.5)
