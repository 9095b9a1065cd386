"""SIFT by brute force: every reference's features are matched with the query's, one by one.

Paper: Lowe, IJCV 2004 (SIFT, ratio test). Why it works: local features survive crops, turns and
scale, and nothing is approximated. When it fails: pictures without texture, look-alikes (matches
are counted, geometry is not asked), and any number of references that matters: time is linear.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core.errors import OriginLensError
from originlens.core.evidence import Match
from originlens.core.image import Image
from originlens.core.registry import Card, Cost, register

_SIDE, _FEATURES, _RATIO = 400, 500, 0.75
#: Matches from which on it says "copy": twice the least number that fixes a homography.
_ENOUGH = 8
_FILE = "sift.npz"


@register(
    Card(
        name="sift-brute-force",
        kind="matcher",
        task="copy detection",
        claims="the reference that shares the most SIFT features by the ratio test",
        paper="Lowe 2004 (IJCV 60)",
        code_licence="Apache-2.0",
        reads=("collection", "pixels"),
        cost=Cost(ms_per_mpx=175.0, mb=100.0, note="with 20 references; 64 kB a reference"),
        status="stable",
        scope="a peer to compare with: what a page of OpenCV does",
        fails_when="no texture; other photographs of the same thing; many references",
        thresholds={"matches": _ENOUGH},
    )
)
class SiftBruteForce:
    """Counts ratio-test matches with every reference."""

    def enrol(self, references: Sequence[str], folder: str) -> list[str]:
        """Describe the files; those that cannot be read are returned."""
        found, names, failed = [], [], []
        for path in references:
            try:
                found.append(_describe(Image.open(path)))
                names.append(path)
            except OriginLensError:
                failed.append(path)
        ends = np.cumsum([len(f) for f in found], dtype=np.int64)
        stacked = np.concatenate([np.zeros((0, 128), np.uint8), *found])
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, _FILE)
        np.savez(path, features=stacked, ends=ends, names=np.array(names, dtype=np.str_))
        return failed

    def open(self, folder: str) -> None:
        """Open what :meth:`enrol` made, for this process."""
        with np.load(os.path.join(folder, _FILE)) as stored:
            self._names = stored["names"].tolist()
            parts = np.split(stored["features"], stored["ends"][:-1]) if self._names else []
        self._features = [part.astype(np.float32) for part in parts]

    def match(self, image: Image, *, top: int = 10) -> list[Match]:
        """References by number of matches; the score is that number."""
        query = _describe(image).astype(np.float32)
        counts = np.array([_matches(query, f) for f in self._features], dtype=np.int64)
        return [
            Match(
                asset=self._names[i],
                path=self._names[i],
                relation="copy" if counts[i] >= _ENOUGH else "none",
                score=float(counts[i]),
                probability=float(counts[i] >= _ENOUGH),
            )
            for i in np.argsort(-counts, kind="stable")[:top].tolist()
        ]


def _describe(image: Image) -> npt.NDArray[np.uint8]:
    """(N, 128) uint8 descriptors of the picture with a long side of at most 400 pixels."""
    import cv2

    grey = cv2.cvtColor(image.reduced(_SIDE), cv2.COLOR_RGB2GRAY)
    scale = min(1.0, _SIDE / max(grey.shape))
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    detector = cv2.SIFT.create(nfeatures=_FEATURES, contrastThreshold=0.02)
    if min(size) < 16:  # OpenCV's pyramid needs some room
        return np.zeros((0, 128), np.uint8)
    _, found = detector.detectAndCompute(small, None)
    return np.zeros((0, 128), np.uint8) if found is None else found.astype(np.uint8)


def _matches(query: npt.NDArray[np.float32], reference: npt.NDArray[np.float32]) -> int:
    """Features of the query whose nearest is nearer than 0.75 times the second nearest."""
    import cv2

    if len(query) < 2 or len(reference) < 2:
        return 0
    pairs: Any = cv2.BFMatcher(cv2.NORM_L2).knnMatch(query, reference, k=2)
    return sum(first.distance < _RATIO * second.distance for first, second in pairs)
