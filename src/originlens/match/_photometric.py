"""Global photometric models between two aligned pictures: colour, slow gain, sharpness.

Each model is fitted by iteratively re-weighted least squares (Holland and Welsch, 1977) with the
redescending Geman-McClure weight, so that locally edited areas do not pull it: what the whole
picture shares is explained, what only a part of it shows stays in the residual.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from originlens.core.image import Pixels

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

#: Knots of each colour curve over 0..255.
_KNOTS = 9
#: Gaussian widths (pixels) of the filter bank that explains a change of sharpness.
BANK = (0.6, 1.2, 2.4, 4.8)
_ROUNDS = 5
#: Powers of x and y in the slow gain.
_GAIN_POWERS = [(i, j) for i in range(5) for j in range(5 - i)]


def luma(pixels: Floats) -> Floats:
    """(h, w, 3) to (h, w) float32: the plain mean of the channels."""
    import cv2

    return np.asarray(cv2.transform(pixels, np.full((1, 3), 1 / 3, dtype=np.float32)))


def _weights(residual: Floats, floor: float) -> Floats:
    """Geman-McClure weights in (0, 1] of (N,) non-negative residuals; scale from their median."""
    scale = max(floor, 2.5 * float(np.median(residual)))
    return np.asarray(1.0 / (1.0 + (residual / scale) ** 2) ** 2, dtype=np.float32)


def _solve(
    features: Floats, target: Floats, penalty: Floats, floor: float, prior: Floats
) -> Floats:
    """Robust penalised least squares.

    ``features`` (N, F) and ``target`` (N, C) float32, ``penalty`` (F, F) symmetric, ``prior``
    (F, C) towards which the penalty pulls; returns (F, C) float32.
    """
    goal = target - features @ prior
    weight = np.ones(len(features), dtype=np.float32)
    solution = np.zeros_like(prior)
    for _ in range(_ROUNDS):
        weighted = features * weight[:, None]
        gram = weighted.T @ features + penalty * max(1.0, float(weight.sum()))
        right = (weighted.T @ goal).astype(np.float64)
        solution = np.linalg.solve(gram.astype(np.float64), right).astype(np.float32)
        residual = np.sqrt(((goal - features @ solution) ** 2).mean(axis=1))
        weight = _weights(residual, floor)
    return prior + solution


def _colour_features(pixels: Floats) -> Floats:
    """(N, 3) colours in 0..255 to (N, F): piecewise-linear hats of each channel, cross products."""
    position = np.clip(pixels / 255.0, 0.0, 1.0) * (_KNOTS - 1)
    hats = np.maximum(0.0, 1.0 - np.abs(position[:, :, None] - np.arange(_KNOTS, dtype=np.float32)))
    x = pixels / 255.0
    cross = np.stack([x[:, 0] * x[:, 1], x[:, 0] * x[:, 2], x[:, 1] * x[:, 2]], axis=1)
    return np.concatenate([hats.reshape(len(pixels), -1), cross], axis=1).astype(np.float32)


def _colour_penalty() -> Floats:
    """Second differences of each curve (smooth, linear where no sample lies) and a small ridge."""
    size = 3 * _KNOTS + 3
    penalty = np.eye(size, dtype=np.float32) * 1e-5
    second = np.diff(np.eye(_KNOTS, dtype=np.float32), n=2, axis=0)
    for channel in range(3):
        block = slice(channel * _KNOTS, (channel + 1) * _KNOTS)
        penalty[block, block] += 2e-3 * second.T @ second
    penalty[-3:, -3:] += 1e-3 * np.eye(3, dtype=np.float32)
    return penalty


def fit_colour(source: Floats, target: Floats) -> Callable[[Pixels], Floats]:
    """The global colour change that turns ``source`` into ``target`` where most pixels agree.

    Model: every output channel is a sum of one smooth curve per input channel plus pairwise
    products (an additive model; a 3x3 matrix, per-channel curves, greyscale, sepia, inversion and
    saturation are special cases or close to it).

    Args:
        source: (N, 3) float32 colours, 0..255.
        target: (N, 3) float32 colours of the same places.

    Returns:
        A function from (h, w, 3) uint8 pixels to the predicted (h, w, 3) float32 colours, 0..255.
    """
    prior = np.zeros((3 * _KNOTS + 3, 3), dtype=np.float32)
    for channel in range(3):
        block = slice(channel * _KNOTS, (channel + 1) * _KNOTS)
        prior[block, channel] = np.linspace(0.0, 255.0, _KNOTS, dtype=np.float32)
    if len(source) >= 16:
        prior = _solve(_colour_features(source), target, _colour_penalty(), 3.0, prior)

    return _predictor(prior)


def _predictor(solution: Floats) -> Callable[[Pixels], Floats]:
    """Lookup tables instead of hats: exact for whole levels and some fifty times faster."""
    import cv2

    levels = np.linspace(0.0, 1.0, 256, dtype=np.float32) * (_KNOTS - 1)
    hats = np.maximum(0.0, 1.0 - np.abs(levels[:, None] - np.arange(_KNOTS, dtype=np.float32)))
    tables = [(hats @ solution[c * _KNOTS : (c + 1) * _KNOTS])[None] for c in range(3)]
    cross = solution[-3:] / np.float32(255.0**2)

    def predict(colours: Pixels) -> Floats:
        channels = [np.ascontiguousarray(colours[..., c]) for c in range(3)]
        total = np.zeros(colours.shape, dtype=np.float32)
        for channel, table in zip(channels, tables, strict=True):
            cv2.add(total, cv2.LUT(cv2.merge([channel] * 3), table), dst=total)
        for row, (i, j) in enumerate(((0, 1), (0, 2), (1, 2))):
            if float(np.abs(cross[row]).max()) * 255.0**2 > 1.0:
                product = cv2.multiply(channels[i], channels[j], dtype=cv2.CV_32F)
                for c in range(3):
                    total[..., c] += product * cross[row, c]
        return np.asarray(np.clip(total, 0.0, 255.0, out=total))

    return predict


def slow_gain(source: Floats, target: Floats, explained: Mask) -> Floats:
    """A slowly varying brightness factor (vignette, lens shading): (h, w) float32 around 1.

    A polynomial of degree 4, fitted robustly, so that no local edit fits it.
    ``source`` and ``target`` are (h, w, 3) float32 in 0..255, ``explained`` (h, w) bool.
    """
    import cv2

    height, width = explained.shape
    step = max(1, int(np.sqrt(height * width / 2500)))
    size = (max(1, width // step), max(1, height // step))
    mask = cv2.resize(explained.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.99
    if int(mask.sum()) < 100:
        return np.ones((height, width), dtype=np.float32)
    s = cv2.resize(source, size, interpolation=cv2.INTER_AREA)[mask].mean(axis=1)
    t = cv2.resize(target, size, interpolation=cv2.INTER_AREA)[mask].mean(axis=1)

    def basis(w: int, h: int) -> Floats:
        columns = np.linspace(-1, 1, w, dtype=np.float32)[:, None] ** np.arange(5, dtype=np.float32)
        rows = np.linspace(-1, 1, h, dtype=np.float32)[:, None] ** np.arange(5, dtype=np.float32)
        planes = [rows[:, j, None] * columns[None, :, i] for i, j in _GAIN_POWERS]
        return np.stack(planes, axis=-1)

    terms = basis(*size)[mask]
    # The higher the power, the dearer.
    cost = np.array([1e-4 if i + j == 0 else 5e-4 * (i + j) for i, j in _GAIN_POWERS])
    penalty = np.diag(cost.astype(np.float32)) * float((s * s).mean() + 1)
    prior = np.zeros((len(_GAIN_POWERS), 1), dtype=np.float32)
    prior[0] = 1.0
    solution = _solve(terms * s[:, None], t[:, None], penalty, 2.0, prior)
    coarse = (basis(max(2, width // 8), max(2, height // 8)) @ solution)[..., 0]
    gain = cv2.resize(np.clip(coarse, 0.08, 4.0), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(gain, dtype=np.float32)


def match_sharpness(source: Floats, target: Floats, explained: Mask) -> tuple[Floats, Floats]:
    """Give ``source`` the sharpness of ``target`` by the best isotropic filter of a Gaussian bank.

    Least squares over the bank (a Wiener-type filter: it blurs, sharpens, and also smooths what
    noise or compression made unpredictable), fitted on luma without its low frequencies.

    Args:
        source, target: (h, w, 3) float32, 0..255.
        explained: (h, w) bool, where the two show the same thing.

    Returns:
        The filtered source (h, w, 3) float32 and the (5,) filter weights (identity first, then
        the bank from narrow to wide); identity alone where too little is explained.
    """
    import cv2

    identity = np.array([1, 0, 0, 0, 0], dtype=np.float32)
    y, x = np.nonzero(explained)
    if len(y) < 400:
        return source, identity

    def luma_bank(pixels: Floats) -> list[Floats]:
        grey = luma(pixels)
        soft = [np.asarray(cv2.GaussianBlur(grey, (0, 0), s), dtype=np.float32) for s in BANK]
        return [grey, *soft]

    levels = luma_bank(source)
    low = levels[-1]
    goal = luma(target)
    goal_low = cv2.GaussianBlur(goal, (0, 0), BANK[-1])
    pick = np.linspace(0, len(y) - 1, min(len(y), 8000)).astype(np.int64)
    y, x = y[pick], x[pick]
    features = np.stack([(level - low)[y, x] for level in levels[:-1]], axis=1)
    wanted = (goal - goal_low)[y, x][:, None]
    energy = float((features[:, 0] ** 2).mean())
    prior = identity[:-1, None].copy()
    penalty = np.eye(4, dtype=np.float32) * (1e-3 * energy + 0.05)
    taps = _solve(features, wanted, penalty, 1.5, prior)[:, 0]
    taps = np.append(taps, 1.0 - taps.sum()).astype(np.float32)
    result = taps[0] * source
    for tap, sigma in zip(taps[1:], BANK, strict=True):
        result += tap * cv2.GaussianBlur(source, (0, 0), sigma)
    return result, taps
