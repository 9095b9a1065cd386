"""Pictures that we draw, which no index holds an original of: blank ones and textures."""

from __future__ import annotations

import numpy as np

Pixels = np.ndarray


def _size(rng: np.random.Generator) -> tuple[int, int]:
    return int(rng.integers(240, 900)), int(rng.integers(240, 900))


def _colours(rng: np.random.Generator, mix: np.ndarray) -> Pixels:
    """(H, W, 3) uint8: two random colours mixed by (H, W) values in [0, 1]."""
    first, second = rng.uniform(0, 255, (2, 3))
    mixed = first + mix[..., None] * (second - first)
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def _blank(rng: np.random.Generator) -> Pixels:
    """One colour; half of them black or white, some with a scanner's faint noise."""
    h, w = _size(rng)
    colour = rng.choice([0, 255]) * np.ones(3) if rng.random() < 0.5 else rng.uniform(0, 255, 3)
    noise = rng.normal(0, rng.choice([0.0, 1.5]), (h, w, 1))
    return np.clip(np.rint(colour + noise), 0, 255).astype(np.uint8)


def _noise(rng: np.random.Generator) -> Pixels:
    """Noise of one scale: white, or smoothed up to clouds."""
    import cv2

    h, w = _size(rng)
    field = rng.normal(0, 1, (h, w, 3))
    sigma = float(rng.choice([0.0, 1.0, 3.0, 12.0]))
    if sigma:
        field = cv2.GaussianBlur(field, (0, 0), sigma)
    spread = field / field.std() * rng.uniform(20, 70) + rng.uniform(80, 170, 3)
    return np.clip(spread, 0, 255).astype(np.uint8)


def _gradient(rng: np.random.Generator) -> Pixels:
    """Straight or round."""
    h, w = _size(rng)
    y, x = np.mgrid[0 : 1 : h * 1j, 0 : 1 : w * 1j]
    angle, centre = rng.uniform(0, 2 * np.pi), rng.uniform(0, 1, 2)
    straight = x * np.cos(angle) + y * np.sin(angle)
    values = straight if rng.random() < 0.5 else np.hypot(y - centre[0], x - centre[1])
    return _colours(rng, (values - values.min()) / np.ptp(values))


def _stripes(rng: np.random.Generator) -> Pixels:
    """Of one period and direction, hard or soft."""
    h, w = _size(rng)
    y, x = np.mgrid[0:h, 0:w]
    angle, period = rng.uniform(0, np.pi), rng.uniform(6, 120)
    wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
    return _colours(rng, (wave > 0) * 1.0 if rng.random() < 0.5 else wave / 2 + 0.5)


def _checkerboard(rng: np.random.Generator) -> Pixels:
    h, w = _size(rng)
    side = int(rng.integers(4, 100))
    y, x = np.mgrid[0:h, 0:w] // side
    return _colours(rng, (y + x) % 2.0)


#: By what they show; each draws (H, W, 3) uint8.
DRAWERS = {
    "blank": _blank,
    "noise": _noise,
    "gradients": _gradient,
    "stripes": _stripes,
    "checkerboards": _checkerboard,
}
