"""What was changed between an original and its copy, as a map over the copy's pixels.

After SImProv (Black et al., arXiv 2206.14245): align, then show manipulations and ignore benign
change. Here the benign part is modelled rather than learned: geometry, global colour, slow gain and
sharpness are fitted and taken out, and what is left is judged against the deviation that the
same picture shows elsewhere at the same local contrast (compression and noise raise both).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from originlens.core.image import Pixels
from originlens.match._alignment import Aligned, Homography, align

Floats = npt.NDArray[np.float32]
Map = npt.NDArray[np.uint8]

#: From this value on a pixel counts as changed.
THRESHOLD = 128


def change_map(query: Pixels, original: Pixels, transform: Homography) -> Map:
    """Where ``query`` shows something else than ``original``: (H, W) uint8 at the query's size.

    Args:
        query: (H, W, 3) uint8 sRGB.
        original: (H', W', 3) uint8 sRGB at any size (a proxy will do).
        transform: (3, 3) homography from pixels of ``original`` to pixels of ``query``.

    Returns:
        0 = as in the original, up to change that is the same all over the picture (compression,
        size, colour, blur, noise); >= ``THRESHOLD`` = locally changed; 255 also where ``original``
        does not reach.

    Raises:
        ValueError: ``transform`` is singular or not finite.
    """
    return map_of(align(query, original, transform))


def map_of(aligned: Aligned) -> Map:
    """The change map of an aligned pair, at the query's full size."""
    import cv2

    values = score(aligned)
    height, width = aligned.size
    if values.shape != (height, width):
        values = cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.clip(np.rint(values * 255.0), 0, 255).astype(np.uint8)


def deviations(aligned: Aligned) -> Floats:
    """How far each pixel is from what the picture leads to expect: (h, w, K) float32 >= 0.

    Each channel is a deviation divided by its typical size at the same local contrast in this
    very pair: differences of luma and chroma at three scales, and of local structure.
    """
    import cv2

    q, p = aligned.query, aligned.original
    # The edge of the original is known to a pixel or so: what lies there proves nothing.
    mask = cv2.erode(
        np.pad(aligned.explained, 1, constant_values=True).astype(np.uint8), np.ones((5, 5), np.uint8)
    )[1:-1, 1:-1].astype(bool)
    opponent = np.array([[1 / 3, 1 / 3, 1 / 3], [0.5, -0.5, 0], [0.25, 0.25, -0.5]], np.float32)
    # Outside the original nothing differs, so that windows across its edge do not light up.
    p = np.where(mask[..., None], p, q)
    dq = (q - p) @ opponent.T
    yq, yp = q.mean(axis=2), p.mean(axis=2)
    raw = []
    for sigma in (1.0, 2.5, 6.0):
        s = cv2.GaussianBlur(dq, (0, 0), sigma)
        raw.append(np.abs(s[..., 0]))
        if sigma > 1.0:
            raw.append(np.hypot(s[..., 1], s[..., 2]))

    def mean(a: Floats, sigma: float) -> Floats:
        return cv2.GaussianBlur(a, (0, 0), sigma)

    for sigma in (2.0, 4.0):
        mq, mp = mean(yq, sigma), mean(yp, sigma)
        vq = np.maximum(mean(yq * yq, sigma) - mq * mq, 0)
        vp = np.maximum(mean(yp * yp, sigma) - mp * mp, 0)
        cov = mean(yq * yp, sigma) - mq * mp
        floor = 20.0
        raw.append(1.0 - (2 * cov + floor) / (vq + vp + floor))
        if sigma > 2.0:
            raw.append(np.abs(np.log((vq + floor) / (vp + floor))))
    activity = np.log(np.sqrt(mean(np.maximum(yp - mean(yp, 3.0), 0) ** 2, 3.0)) + 1.0)
    stack = np.stack(raw, axis=-1).astype(np.float32)
    floors = np.array([2.0, 1.5, 1.5, 1.2, 1.2, 0.08, 0.06, 0.15], np.float32)
    return _normalised(stack, activity, mask, floors)


def _normalised(stack: Floats, activity: Floats, mask: npt.NDArray[np.bool_], floors: Floats) -> Floats:
    """Divide each channel by its typical value (2 x median) among pixels of like activity."""
    if int(mask.sum()) < 64:
        return stack / floors
    a = activity[mask]
    values = stack[mask]
    step = max(1, len(a) // 60000)
    a, values = a[::step], values[::step]
    edges = np.quantile(a, np.linspace(0, 1, 9))
    centres = 0.5 * (edges[1:] + edges[:-1])
    typical = np.empty((8, stack.shape[-1]), np.float32)
    for i in range(8):
        inside = (a >= edges[i]) & (a <= edges[i + 1])
        typical[i] = 2.0 * np.median(values[inside], axis=0)
    typical = np.sqrt(typical**2 + floors**2)
    # Quiet places must not be judged by the noise of a bin that an edit fills.
    out = np.empty_like(stack)
    for k in range(stack.shape[-1]):
        out[..., k] = stack[..., k] / np.interp(activity, centres, typical[:, k])
    return out


def score(aligned: Aligned) -> Floats:
    """(h, w) float32 in [0, 1], 0.5 at the threshold."""
    import cv2

    z = deviations(aligned)
    weight = np.array([0.5, 0.9, 0.7, 0.9, 0.7, 0.7, 0.9, 0.8], np.float32)
    best = (z * weight).max(axis=-1)
    best = cv2.GaussianBlur(best, (0, 0), 1.0)
    seeds = (best > 5.0) & aligned.explained
    grow = ((best > 2.6) & aligned.explained).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(grow, connectivity=8)
    hit = np.zeros(count, bool)
    hit[np.unique(labels[seeds])] = True
    hit[0] = False
    hit &= stats[:, cv2.CC_STAT_AREA] >= max(12, 2e-4 * grow.size)
    lit = hit[labels].astype(np.uint8)
    lit = cv2.morphologyEx(lit, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    soft = np.where(lit > 0, 0.5 + 0.5 * np.clip((best - 2.6) / 8, 0, 1), 0.49 * np.clip(best / 5, 0, 1))
    soft[~aligned.explained] = 1.0
    return soft.astype(np.float32)
