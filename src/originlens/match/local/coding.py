"""From gradient histograms to visual words and 64-bit signatures.

Source: Jegou, Douze, Schmid, "Hamming embedding and weak geometric consistency", ECCV 2008: a
coarse word finds the list, a binary signature tells within it. Words are pairs from two codebooks
(Babenko and Lempitsky, "The inverted multi-index", CVPR 2012), so that 65 536 of them cost 2 x 256
comparisons. The projection is a linear discriminant analysis of (picture, edited copy) pairs
(Strecha et al., "LDAHash", TPAMI 34, 2012). Fitted by ``train/local_words``; model card in
``docs/models/local_words.md``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core import weights
from originlens.core.image import Pixels
from originlens.core.registry import Weights
from originlens.match.local import keypoints, patches
from originlens.match.local.keypoints import Floats
from originlens.store import LOCAL_FEATURE

WEIGHTS = Weights(
    file="local_words.json",
    sha256="608db59c6dd66645a35080a80513c2046cef25121f107d27949205e5b68cbc20",
    bytes=157490,
    licence="Apache-2.0",
    training_data="points of 1 500 photographs of public collections and of edited copies",
)

ASSET_SIDE, ASSET_POINTS = 384, 180
QUERY_SIDE, QUERY_POINTS = 448, 500
_LARGEST_FACTOR = 2.0  # small pictures are enlarged up to this, for points finer than a pixel
HALVES = 2
WORD_COMPONENTS = 16
CENTRES = 256  # of each half
BITS = 64
UNITS = 256  # of a picture's long side, and of a turn: see store.LOCAL_FEATURE
SIGMA_STEPS = 16  # an octave


@dataclass(frozen=True, slots=True)
class Points:
    """Points of one picture in a working frame, with gradient histograms.

    ``xy`` (N, 2), ``sigma`` (N,) in pixels and ``angle`` (N,) in radians are of the frame, ``size``
    (height, width) large; ``full_size`` is that of the pixels given. ``histograms`` are (N, 128).
    """

    xy: Floats
    sigma: Floats
    angle: Floats
    histograms: Floats
    size: tuple[int, int]
    full_size: tuple[int, int]


def points(pixels: Pixels, side: int, count: int) -> Points:
    """Up to ``count`` points of (H, W, 3) uint8 RGB pixels brought to a long side of ``side``."""
    import cv2

    height, width = pixels.shape[:2]
    factor = min(side / max(height, width), _LARGEST_FACTOR)
    size = max(1, round(height * factor)), max(1, round(width * factor))
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    grey = cv2.resize(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), size[::-1], interpolation=how)
    found = keypoints.detect(grey, count)
    angle, histograms = patches.describe(found)
    return Points(found.xy, found.sigma, angle, histograms, size, (height, width))


@dataclass(frozen=True, slots=True)
class Coder:
    """Turns histograms into words and signatures.

    ``mean`` (128,) and ``projection`` (128, 64) make discriminant components of unit variance among
    views of one spot, the most telling first; a signature is their signs. ``codebooks`` (2, 256, 8)
    hold the words' halves: centres of the even and of the odd ones of the first 16 components.
    ``stopped`` (65536,) bool are the commonest words, which cost half of a search and tell little
    (stop list: Sivic and Zisserman, "Video Google", ICCV 2003).
    """

    mean: Floats
    projection: Floats
    codebooks: Floats
    stopped: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, data: Mapping[str, list[Any]]) -> Coder:
        """From the contents of a file."""
        stopped = np.zeros(CENTRES**HALVES, bool)
        stopped[data["stopped"]] = True
        return cls(
            np.asarray(data["mean"], np.float32),
            np.asarray(data["projection"], np.float32),
            np.asarray(data["codebooks"], np.float32),
            stopped,
        )

    def components(self, histograms: Floats) -> Floats:
        """(N, 64) float32."""
        return np.asarray((histograms - self.mean) @ self.projection, np.float32)

    def bits(self, components: Floats) -> npt.NDArray[np.uint64]:
        """(N,) uint64 signatures: bit i says whether component i is positive."""
        packed = np.packbits(components > 0, axis=1, bitorder="little")
        return packed.view("<u8").reshape(len(components))

    def words(self, components: Floats, count: int) -> npt.NDArray[np.int32]:
        """(N, count) int32: the nearest words, the nearest first."""
        used = components[:, :WORD_COMPONENTS]
        nearest, distances = [], []
        # In a pair of the best `count`, each half is among the best `count` of its own codebook.
        kept = min(count, CENTRES)
        for half, centres in enumerate(self.codebooks):
            part = used[:, half::HALVES]
            squares = (centres**2).sum(1) - 2 * (part @ centres.T)
            best = (
                np.argpartition(squares, kept - 1, axis=1)[:, :kept]
                if kept > 1
                else squares.argmin(1)[:, None]  # what indexing asks, at a third of the cost
            )
            nearest.append(best)
            distances.append(np.take_along_axis(squares, best, axis=1))
        sums = distances[0][:, :, None] + distances[1][:, None, :]
        order = np.argsort(sums.reshape(len(used), kept * kept), axis=1, kind="stable")[:, :count]
        first = np.take_along_axis(nearest[0], order // kept, axis=1)
        second = np.take_along_axis(nearest[1], order % kept, axis=1)
        return (first * CENTRES + second).astype(np.int32)

    def looked_up(self, components: Floats, count: int) -> npt.NDArray[np.int32]:
        """(N, count) int32: the lists that a search looks into, -1 for stopped words."""
        words = self.words(components, count)
        return np.where(self.stopped[words], np.int32(-1), words)


@lru_cache(maxsize=1)
def shipped() -> Coder:
    """The coder in the package.

    Raises:
        WeightsError: its file is absent or is not the one that its record describes.
    """
    data = json.loads(weights.read(WEIGHTS, Path(__file__).parents[1] / "weights"))
    return Coder.of(data)


def describe(pixels: Pixels) -> npt.NDArray[Any]:
    """The local features of an original, (N,) of dtype ``LOCAL_FEATURE``.

    Args:
        pixels: (H, W, 3) uint8 sRGB, EXIF-oriented.
    """
    found = points(pixels, ASSET_SIDE, ASSET_POINTS)
    coder = shipped()
    components = coder.components(found.histograms)
    features = np.empty(len(components), LOCAL_FEATURE)
    features["word"] = coder.words(components, 1)[:, 0]
    features["bits"] = coder.bits(components)
    unit = UNITS / max(found.size)
    features["x"] = np.clip(np.rint(found.xy[:, 0] * unit), 0, 255)
    features["y"] = np.clip(np.rint(found.xy[:, 1] * unit), 0, 255)
    features["sigma"] = np.clip(np.rint(SIGMA_STEPS * np.log2(found.sigma * unit)), 0, 255)
    features["angle"] = np.rint(found.angle * (UNITS / (2 * np.pi))).astype(np.int64) % UNITS
    return features
