"""Own stylisations: re-renderings that keep less and less of a photograph, for graded pairs.

Each takes (H, W, 3) uint8 pixels, another photograph's pixels, a strength in (0, 1] and a random
generator, and returns (H, W, 3) uint8 in the same frame. Those of ``APART`` are never fitted on:
they ask what the level says of renderings that nobody showed it.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

Style = Callable[[np.ndarray, np.ndarray, float, np.random.Generator], np.ndarray]


def _like(other: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    return cv2.resize(other, pixels.shape[1::-1], interpolation=cv2.INTER_AREA)


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _low(pixels: np.ndarray, strength: float) -> np.ndarray:
    sigma = min(pixels.shape[:2]) * (0.01 + 0.1 * strength)
    return cv2.GaussianBlur(pixels.astype(np.float32), (0, 0), sigma)


def blend(
    pixels: np.ndarray, other: np.ndarray, strength: float, rng: np.random.Generator
) -> np.ndarray:
    """``strength`` of another photograph shines through."""
    return cv2.addWeighted(pixels, 1 - strength, _like(other, pixels), strength, 0)


def painterly(
    pixels: np.ndarray, other: np.ndarray, strength: float, rng: np.random.Generator
) -> np.ndarray:
    """Mean shift (Comaniciu, Meer 2002): flat dabs of colour, outlines kept."""
    return cv2.pyrMeanShiftFiltering(pixels, 4 + 16 * strength, 12 + 50 * strength, maxLevel=2)


def flat_colours(
    pixels: np.ndarray, other: np.ndarray, strength: float, rng: np.random.Generator
) -> np.ndarray:
    """A few flat colours with dark outlines, as in a drawn film."""
    smooth = pixels
    for _ in range(2):
        smooth = cv2.bilateralFilter(smooth, 7, 60, 7)
    smooth = cv2.medianBlur(smooth, 1 + 2 * round(1 + 4 * strength))
    step = 24 + 60 * strength
    toned = (np.floor(smooth / step) + 0.5) * step
    grey = cv2.medianBlur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), 5)
    lines = cv2.adaptiveThreshold(
        grey, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 9, 3 + 5 * (1 - strength)
    )
    return _bytes(toned * lines[..., None])


def edges(
    pixels: np.ndarray, other: np.ndarray, strength: float, rng: np.random.Generator
) -> np.ndarray:
    """Dark lines on white (difference of Gaussians; Winnemoeller 2011), colours gone."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    sigma = 0.8 + 3.0 * strength
    wide = cv2.GaussianBlur(grey, (0, 0), 1.6 * sigma)
    drawn = cv2.GaussianBlur(grey, (0, 0), sigma) - 0.97 * wide
    lines = 255.0 * (1 + np.tanh(np.minimum(drawn - 2.0, 0) * 0.6))
    return _bytes(np.repeat(lines[..., None], 3, axis=2))


def palette(
    pixels: np.ndarray, other: np.ndarray, strength: float, rng: np.random.Generator
) -> np.ndarray:
    """Colour statistics of another photograph (Reinhard et al. 2001)."""
    mine, theirs = (cv2.cvtColor(p, cv2.COLOR_RGB2LAB).astype(np.float32) for p in (pixels, other))
    m, s = mine.mean((0, 1)), mine.std((0, 1)) + 1
    n, t = theirs.mean((0, 1)), theirs.std((0, 1)) + 1
    moved = (mine - m) * (t / s) + n
    return cv2.cvtColor(_bytes((1 - strength) * mine + strength * moved), cv2.COLOR_LAB2RGB)


def other_detail(
    pixels: np.ndarray, other: np.ndarray, strength: float, rng: np.random.Generator
) -> np.ndarray:
    """The low frequencies of this photograph under the detail of another: layout alone."""
    theirs = _like(other, pixels).astype(np.float32)
    return _bytes(_low(pixels, strength) + theirs - _low(theirs, strength))


def palette_only(
    pixels: np.ndarray, other: np.ndarray, strength: float, rng: np.random.Generator
) -> np.ndarray:
    """Another photograph in the colours of this one."""
    return palette(_like(other, pixels), pixels, strength, rng)


def oil(
    pixels: np.ndarray, other: np.ndarray, strength: float, rng: np.random.Generator
) -> np.ndarray:
    """The mean colour of the most frequent brightness around each place."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) // 32
    reach = (3 + 2 * round(5 * strength),) * 2
    count = np.stack([cv2.blur((grey == k).astype(np.float32), reach) for k in range(8)])
    best = count.argmax(0)
    out = np.zeros(pixels.shape, np.float32)
    for k in range(8):
        where = (grey == k)[..., None].astype(np.float32)
        mean = cv2.blur(pixels * where, reach) / np.maximum(count[k], 1e-3)[..., None]
        out[best == k] = mean[best == k]
    return _bytes(out)


def dots(
    pixels: np.ndarray, other: np.ndarray, strength: float, rng: np.random.Generator
) -> np.ndarray:
    """Round dabs of colour at random places on a light ground."""
    h, w = pixels.shape[:2]
    radius = max(2, round(min(h, w) * (0.006 + 0.02 * strength)))
    out = np.full_like(pixels, 235)
    places = rng.uniform(0, 1, (round(1.6 * h * w / radius**2), 2)) * (h - 1, w - 1)
    soft = cv2.blur(pixels, (radius, radius))
    for y, x in np.rint(places).astype(int):
        cv2.circle(out, (int(x), int(y)), radius, soft[y, x].tolist(), -1)
    return out


def own_detail(
    pixels: np.ndarray, other: np.ndarray, strength: float, rng: np.random.Generator
) -> np.ndarray:
    """The detail of this photograph on the low frequencies of another: forms without tones."""
    theirs = _like(other, pixels).astype(np.float32)
    return _bytes(_low(theirs, 1 - strength) + pixels - _low(pixels, 1 - strength))


FITTED: dict[str, Style] = {
    "blend": blend,
    "painterly": painterly,
    "flat-colours": flat_colours,
    "edges": edges,
    "palette": palette,
    "palette-only": palette_only,
    "other-detail": other_detail,
}
APART: dict[str, Style] = {"oil": oil, "dots": dots, "own-detail": own_detail}
