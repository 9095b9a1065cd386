"""The grading rule: how much of an original a replica repeats, measured where the truth is known.

A pair's grade follows from what its construction tells, not from anybody's opinion:

``share``      Ochiai coefficient of the two areas, sqrt(shown / replica x shown / original): the
               cosine of two sets. A whole copy has 1, a crop that keeps a quarter 0.5, a picture
               pasted into a fifth of another 0.45.
``fidelity``   what is left, inside the shown part, of the original's structure at three scales and
               of its colours, less what two unrelated photographs reach by chance.
``level``      5 (share x fidelity)^(2/3). The power spreads the levels over the edits that people
               make: without it everything but a plain save would be pressed below 4.

| level | share x fidelity | what has it |
|------:|------------------|-------------|
| 5 | from 0.85 | saves, resizes, mirrors, small overlays: the same picture |
| 4 | 0.59 to 0.85 | text, strong compression or colour; a crop to 60 %; half of a host |
| 3 | 0.35 to 0.59 | a crop to 25 %, a paste into a fifth, even blends, painterly filters |
| 2 | 0.16 to 0.35 | a paste into a tenth, faint blends, renderings that keep forms only |
| 1 | 0.03 to 0.16 | layout or palette alone; another photograph of the same thing |
| 0 | below 0.03 | unrelated |
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from originlens.core import geometry

SIDE = 256  # long side at which structure is compared
#: Weights of fine, middle and coarse structure and of colour in the fidelity.
WEIGHTS = np.array([0.3, 0.3, 0.25, 0.15])
#: What pairs of unrelated photographs reach in the four by chance (means of 300 train pairs).
CHANCE = np.array([0.254, 0.267, 0.270, 0.414])
#: Another photograph of the same thing is never less than 1 and never more than 2.
ANOTHER_VIEW = (1.0, 2.0)


@dataclass(frozen=True)
class Grade:
    """Shares of the replica's and of the original's area that are shown, fidelity, level 0 to 5."""

    of_replica: float
    of_original: float
    fidelity: float

    @property
    def share(self) -> float:
        return float(np.sqrt(self.of_replica * self.of_original))

    @property
    def level(self) -> float:
        return float(5.0 * (self.share * self.fidelity) ** (2 / 3))


def grade(
    original: np.ndarray, replica: np.ndarray, transform: np.ndarray, mask: np.ndarray
) -> Grade:
    """Grade of a replica.

    Args:
        original: (H, W, 3) uint8.
        replica: (H', W', 3) uint8.
        transform: (3, 3), pixels of the original to pixels of the replica.
        mask: (H', W') bool, where the replica shows nothing of the original.
    """
    small = _reduced(replica)
    size = small.shape[:2]
    there = geometry.scaling(replica.shape[:2], size) @ transform
    warped, inside = _warped(original, there, size)
    hidden = cv2.resize(mask.astype(np.float32), size[::-1], interpolation=cv2.INTER_AREA) > 0.5
    shown = inside & ~hidden
    # Area of the original that a shown pixel stands for: the inverse of the local enlargement.
    area = _original_area(there, original.shape[:2], size)
    of_original = min(1.0, float(area[shown].sum()) / (original.shape[0] * original.shape[1]))
    if shown.sum() < 64:
        return Grade(float(shown.mean()), of_original, 0.0)
    return Grade(float(shown.mean()), of_original, fidelity(small, warped, shown))


def fidelity(replica: np.ndarray, original: np.ndarray, shown: np.ndarray) -> float:
    """How truly ``replica`` (h, w, 3) repeats an aligned ``original`` where shown, in [0, 1]."""
    kept = (similarities(replica, original, shown) - CHANCE) / (1 - CHANCE)
    return float(WEIGHTS @ np.clip(kept, 0, 1))


def similarities(replica: np.ndarray, original: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """(4,) in [0, 1]: fine, middle and coarse structure, and colour."""
    q, o = (cv2.cvtColor(p, cv2.COLOR_RGB2LAB).astype(np.float32) for p in (replica, original))
    values = [
        _structure(_at(q[..., 0], k), _at(o[..., 0], k), _at(shown.astype(np.float32), k))
        for k in (1, 3, 9)
    ]
    distance = np.hypot(*(cv2.blur(q - o, (9, 9))[..., k][shown] for k in (1, 2)))
    return np.array([*values, float(np.exp(-distance / 20.0).mean())])


def _structure(q: np.ndarray, o: np.ndarray, shown: np.ndarray) -> float:
    """Mean magnitude of the local correlation of two lumas, weighted by the original's contrast."""
    window = (7, 7)
    weight = np.maximum(cv2.blur(shown, window), 1e-3)

    def mean(values: np.ndarray) -> np.ndarray:
        return cv2.blur(values * shown, window) / weight

    mq, mo = mean(q), mean(o)
    vq, vo = mean(q * q) - mq * mq, mean(o * o) - mo * mo
    noise = 4.0  # variance that compression leaves in flat places
    correlation = (mean(q * o) - mq * mo) / np.sqrt(
        (np.maximum(vq, 0) + noise) * (vo.clip(0) + noise)
    )
    energy = np.sqrt(vo.clip(0)) * (shown > 0.5)
    # Whatever sign: an inverted picture repeats every form of its original.
    return float((np.abs(correlation) * energy).sum() / max(energy.sum(), 1e-6))


def _at(values: np.ndarray, step: int) -> np.ndarray:
    if step == 1:
        return values
    size = (max(8, values.shape[1] // step), max(8, values.shape[0] // step))
    return cv2.resize(values, size, interpolation=cv2.INTER_AREA)


def _reduced(pixels: np.ndarray) -> np.ndarray:
    scale = min(1.0, SIDE / max(pixels.shape[:2]))
    size = (max(16, round(pixels.shape[1] * scale)), max(16, round(pixels.shape[0] * scale)))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)


def _warped(
    original: np.ndarray, there: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """The original in a (h, w) frame, anti-aliased, and the mask of where it lies."""
    scale = float(np.sqrt(abs(np.linalg.det(there[:2, :2]))))
    if scale < 0.7:
        shape = tuple(max(8, round(s * scale)) for s in original.shape[:2])
        small = cv2.resize(original, shape[::-1], interpolation=cv2.INTER_AREA)
        there, original = there @ geometry.scaling(shape, original.shape[:2]), small
    warped = cv2.warpPerspective(original, there, size[::-1], flags=cv2.INTER_LINEAR)
    ones = np.ones(original.shape[:2], np.uint8)
    return warped, cv2.warpPerspective(ones, there, size[::-1], flags=cv2.INTER_NEAREST) > 0


def _original_area(there: np.ndarray, full: tuple[int, int], size: tuple[int, int]) -> np.ndarray:
    """(h, w): pixels of the original behind each pixel of the frame."""
    inverse = np.linalg.inv(there)
    y, x = np.mgrid[: size[0], : size[1]].astype(np.float64)
    depth = inverse[2, 0] * x + inverse[2, 1] * y + inverse[2, 2]
    # Determinant of the Jacobian of a homography: det(H) / depth^3.
    return np.abs(np.linalg.det(inverse) / np.where(np.abs(depth) > 1e-9, depth, np.inf) ** 3)
