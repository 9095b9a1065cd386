"""SIFT by brute force: every reference's features are matched with the query's, one by one.

Paper: Lowe, IJCV 2004 (SIFT, ratio test). Why it works: local features survive crops, turns and
scale, and nothing is approximated. When it fails: pictures without texture, look-alikes (matches
are counted, geometry is not asked), and any number of references that matters: time is linear.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.bench.peers._nearest import Array, Nearest, Scores
from originlens.core.image import Image
from originlens.core.registry import Card, Cost, register

_SIDE, _FEATURES, _RATIO = 400, 500, 0.75
#: Matches from which on it says "copy": twice the least number that fixes a homography.
_ENOUGH = 8


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
class SiftBruteForce(Nearest):
    """Counts ratio-test matches with every reference."""

    @property
    def limit(self) -> float:
        """The card's number of matches."""
        return self.card.thresholds["matches"]

    def describe(self, image: Image) -> npt.NDArray[np.uint8]:
        """(n, 128) uint8 features of the picture with a long side of at most 400 pixels."""
        import cv2

        grey = cv2.cvtColor(image.reduced(_SIDE), cv2.COLOR_RGB2GRAY)
        scale = min(1.0, _SIDE / max(grey.shape))
        size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
        if min(size) < 16:  # OpenCV's pyramid needs some room
            return np.zeros((0, 128), np.uint8)
        small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        detector = cv2.SIFT.create(nfeatures=_FEATURES, contrastThreshold=0.02)
        _, found = detector.detectAndCompute(small, None)
        return np.zeros((0, 128), np.uint8) if found is None else found.astype(np.uint8)

    def scores(self, asked: Array) -> Scores:
        """The number of matches with every reference."""
        query = asked.astype(np.float32)
        parts = np.split(self.rows, self.ends[:-1])
        return np.array([_matches(query, part.astype(np.float32)) for part in parts], np.float64)


def _matches(query: npt.NDArray[np.float32], reference: npt.NDArray[np.float32]) -> int:
    """Features of the query whose nearest is nearer than 0.75 times the second nearest."""
    import cv2

    if len(query) < 2 or len(reference) < 2:
        return 0
    pairs: Any = cv2.BFMatcher(cv2.NORM_L2).knnMatch(query, reference, k=2)
    return sum(first.distance < _RATIO * second.distance for first, second in pairs)
