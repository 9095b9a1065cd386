"""The difference of pixels, as a page of OpenCV does it: same size, subtract, threshold at 25.

Paper: Singh 1989, Digital change detection techniques (Int. J. Remote Sensing 10), image
differencing. Why it works: a pixel that was left alone differs by little, if picture and original
lie on each other. When it fails: crop, rotation, mirror, any change of colour or brightness, strong
compression at edges.
"""

from __future__ import annotations

import numpy as np

from originlens.bench.peers._frames import original_in_frame
from originlens.core.evidence import Evidence
from originlens.core.image import Image
from originlens.core.registry import Card, Cost, register

#: The difference, of 255 levels, that tutorials take for a change.
_LEVELS = 25


@register(
    Card(
        name="absolute-difference",
        kind="comparator",
        task="edits, beside the original",
        claims="pixels that differ by more than 25 levels",
        paper="Singh 1989, Digital change detection techniques (IJRS 10)",
        code_licence="Apache-2.0",
        reads=("pixels", "original"),
        cost=Cost(34.0, 6.0),
        status="stable",
        scope="a peer to compare with; picture and original must lie on each other",
        fails_when="crop, rotation, mirror, colour or brightness changed, strong compression",
        thresholds={"score": 0.001},
    )
)
class AbsoluteDifference:
    """The largest difference of the three channels; 0.5 in the map stands for 25 levels.

    The score is the share of pixels at or above that.
    """

    def compare(self, image: Image, original: Image) -> Evidence:
        """The map; see :class:`originlens.bench.Comparator`."""
        import cv2

        difference = cv2.absdiff(image.pixels, original_in_frame(image, original)).max(axis=2)
        heat = np.minimum(difference.astype(np.float32) / np.float32(2 * _LEVELS), np.float32(1))
        score = float((heat >= 0.5).mean())
        return Evidence("absolute-difference", "edits", score=score, heatmap=heat)
