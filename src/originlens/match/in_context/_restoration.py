"""An edit undone, pixel by pixel, as far as pairs of originals and replicas teach it.

A restoration is linear in what surrounds a pixel of the replica: its colour, the colour at four
sharpnesses, how bright it is in steps (which makes any tone curve), how much contrast, what median
and which extremes lie around it. Ridge regression towards leaving the picture as it is finds the
weights in closed form, so one pair is enough to begin with. That undoes tone curves, false colours,
reliefs, screens, blur and noise; it undoes no shift of pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from originlens.core import geometry
from originlens.core.image import Pixels
from originlens.match import Homography

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

SIDE = 320
"""Long side of the pictures that a restoration is learned from and applied to."""
_SAMPLES = 1500  # pixels of each pair
_FEWEST = 256
_RIDGE = 1e-3
_BLURS = (1.0, 2.0, 4.0, 8.0)
_STEPS = (0.2, 0.4, 0.6, 0.8)
_AROUND = (2, 5)


def reduced(pixels: Pixels) -> Pixels:
    """The picture with a long side of at most :data:`SIDE`."""
    import cv2

    scale = SIDE / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _surroundings(pixels: Pixels) -> Floats:
    """(h, w, F) float32: what the restored colour is linear in; its first three are the colour."""
    import cv2

    colour = pixels.astype(np.float32) / 255
    grey = colour.mean(axis=2)
    blurred = {s: np.asarray(cv2.GaussianBlur(colour, (0, 0), s)) for s in _BLURS}
    found = [colour, *blurred.values()]
    found += [np.maximum(base - step, 0) for base in (colour, blurred[2.0]) for step in _STEPS]
    for radius in _AROUND:
        mean, square = (cv2.GaussianBlur(p, (0, 0), radius) for p in (grey, grey * grey))
        window = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
        found.append(np.sqrt(np.maximum(square - mean * mean, 0))[..., None])
        found += [f(grey, window)[..., None] for f in (cv2.dilate, cv2.erode)]
    found.append(cv2.medianBlur(pixels, 5).astype(np.float32) / 255)
    found.append(np.ones((*grey.shape, 1), np.float32))
    return np.concatenate(found, axis=2)


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """A replica and its original in the replica's frame, (h, w, 3) uint8 each.

    ``covered`` (h, w) bool tells which pixels the original covers.
    """

    replica: Pixels
    original: Pixels
    covered: Mask


def aligned(replica: Pixels, original: Pixels, transform: Homography | None) -> Aligned | None:
    """Both pictures reduced, the original brought into the replica's frame.

    Args:
        replica: (H, W, 3) uint8.
        original: (H', W', 3) uint8.
        transform: (3, 3), pixels of ``original`` to pixels of ``replica``; None: the frames are the
            same if their shapes are.

    Returns:
        None where there is no transform and the shapes differ.
    """
    import cv2

    target, source = reduced(replica), reduced(original)
    shape, size = (target.shape[0], target.shape[1]), (source.shape[0], source.shape[1])
    if transform is None:
        if abs(np.log(shape[1] * size[0] / (shape[0] * size[1]))) > 0.03:
            return None
        matrix = geometry.scaling(size, shape)
    else:
        out = geometry.scaling((replica.shape[0], replica.shape[1]), shape)
        back = geometry.scaling(size, (original.shape[0], original.shape[1]))
        matrix = out @ transform @ back
    warped = cv2.warpPerspective(source, matrix, shape[::-1], flags=cv2.INTER_LINEAR)
    inside = cv2.warpPerspective(np.ones(size, np.uint8), matrix, shape[::-1])
    return Aligned(target, np.asarray(warped, np.uint8), np.asarray(inside) > 0)


@dataclass(frozen=True, slots=True, eq=False)
class Restoration:
    """Weights (F, 3) float32 of what :func:`_surroundings` gives, to the colour in [0, 1]."""

    weights: Floats

    def __call__(self, pixels: Pixels) -> Pixels:
        """The picture reduced and restored, (h, w, 3) uint8."""
        around = _surroundings(reduced(pixels))
        restored = around.reshape(-1, around.shape[2]) @ self.weights
        return (np.clip(restored, 0, 1) * 255).astype(np.uint8).reshape(*around.shape[:2], 3)


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """What one pair says about the weights: ``inputs`` (F, F) and ``outputs`` (F, 3) float64, means
    of products over its pixels. Those of several pairs add up."""

    inputs: npt.NDArray[np.float64]
    outputs: npt.NDArray[np.float64]


def moments(pair: Aligned, rng: np.random.Generator) -> Moments | None:
    """The moments of a pair, of pixels drawn where the original covers it; None if that is hardly
    anywhere.

    The original is smoothed a little: what lies below a pixel is not to be learned.
    """
    import cv2

    places = np.flatnonzero(pair.covered)
    if len(places) < _FEWEST:
        return None
    chosen = rng.choice(places, _SAMPLES)
    around = _surroundings(pair.replica)
    wanted = cv2.GaussianBlur(pair.original, (0, 0), 1.0).astype(np.float64) / 255
    x = around.reshape(-1, around.shape[2])[chosen].astype(np.float64)
    change = wanted.reshape(-1, 3)[chosen] - x[:, :3]
    return Moments(x.T @ x / _SAMPLES, x.T @ change / _SAMPLES)


def solved(parts: Sequence[Moments]) -> Restoration:
    """The restoration that pairs, at least one, teach by their moments."""
    count = len(parts[0].inputs)
    inputs = np.mean([p.inputs for p in parts], axis=0) + _RIDGE * np.eye(count)
    change = np.linalg.solve(inputs, np.mean([p.outputs for p in parts], axis=0))
    return Restoration((np.eye(count, 3) + change).astype(np.float32))
