"""The product itself: align the original, explain benign change, light what is left.

Papers: those of :mod:`originlens.match.compare` and :mod:`originlens.match.diff`. Why it works, and
when it fails: see there.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from originlens.core.evidence import Evidence
from originlens.core.image import Image
from originlens.core.registry import Card, Cost, register

#: Pixels along the outline, where two samplings of one edge differ.
_RIM = 2


@register(
    Card(
        name="originlens",
        kind="comparator",
        task="edits, beside the original",
        claims="where the picture was changed, after alignment and benign change",
        paper="Black et al. 2022 (arXiv:2206.14245); own code",
        code_licence="Apache-2.0",
        reads=("pixels", "original"),
        cost=Cost(850.0, 360.0, "with an original of the same size"),
        status="stable",
        scope="photographs of which the original is at hand",
        fails_when="the two cannot be aligned; little of the original is left",
        thresholds={"score": 0.001},
    )
)
class OriginLens:
    """``originlens compare``; the score is the lit share of what the original shows.

    A frame or the corners of a turned picture are lit, but are no edit of the original.
    """

    def compare(self, image: Image, original: Image) -> Evidence:
        """The change map; see :class:`originlens.bench.Comparator`."""
        from originlens.match.compare import compare

        match = compare(image, original)
        details = {"relation": match.relation}
        if match.change_map is None or match.transform is None or match.relation == "none":
            return Evidence(
                "originlens", "edits", status="not-applicable", why=match.why, details=details
            )
        heat = match.change_map.astype(np.float32) / np.float32(255)
        seen = _seen(original, match.transform, (image.height, image.width))
        score = float((heat[seen] >= 0.5).mean()) if seen.any() else 0.0
        return Evidence("originlens", "edits", score=score, heatmap=heat, details=details)


def _seen(
    original: Image, transform: npt.NDArray[np.float64], size: tuple[int, int]
) -> npt.NDArray[np.bool_]:
    """(H, W) bool: pixels of the picture that show the original, its very rim apart."""
    import cv2

    whole = np.full((original.height, original.width), 255, np.uint8)
    shown = cv2.warpPerspective(whole, transform, size[::-1], flags=cv2.INTER_NEAREST)
    rim = np.ones((2 * _RIM + 1,) * 2, np.uint8)
    inner = cv2.erode(shown, rim, borderType=cv2.BORDER_CONSTANT, borderValue=255)
    return np.asarray(inner) > 127
