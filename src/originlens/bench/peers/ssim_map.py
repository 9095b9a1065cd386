"""The map of structural similarity, as image-difference tools show it (scikit-image).

Paper: Wang et al. 2004, doi:10.1109/TIP.2003.819861. Why it works: local contrast and correlation
forgive a change of brightness, and mark structure that came or went. When it fails: a shift of a
pixel, crop, rotation, mirror, blur; flat parts, where noise is all the structure there is.
"""

from __future__ import annotations

import numpy as np

from originlens.bench.peers._frames import original_in_frame
from originlens.core.errors import MissingExtra
from originlens.core.evidence import Evidence
from originlens.core.image import Image
from originlens.core.registry import Card, Cost, register

_WINDOW = 7  # scikit-image's default


@register(
    Card(
        name="ssim-map",
        kind="comparator",
        task="edits, beside the original",
        claims="parts whose structure differs",
        paper="Wang et al. 2004, doi:10.1109/TIP.2003.819861",
        code_licence="Apache-2.0; the map is scikit-image's (BSD-3-Clause)",
        reads=("pixels", "original"),
        cost=Cost(88.0, 140.0),
        status="stable",
        scope="a peer to compare with; picture and original must lie on each other",
        fails_when="shift, crop, rotation, mirror, blur; flat parts",
        extra="bench",
        thresholds={"score": 0.001},
    )
)
class SsimMap:
    """1 minus the similarity of the grey pictures in 7 x 7 windows, at least 0.

    The score is the share of pixels at or above 0.5.
    """

    def compare(self, image: Image, original: Image) -> Evidence:
        """The map; see :class:`originlens.bench.Comparator`.

        Raises:
            MissingExtra: scikit-image is not installed.
        """
        import cv2

        try:
            from skimage.metrics import structural_similarity
        except ImportError as error:
            raise MissingExtra("scikit-image", "bench") from error
        if min(image.width, image.height) < _WINDOW:
            why = f"a side is shorter than the window of {_WINDOW} pixels"
            return Evidence("ssim-map", "edits", status="not-applicable", why=why)
        shown = cv2.cvtColor(image.pixels, cv2.COLOR_RGB2GRAY)
        other = cv2.cvtColor(original_in_frame(image, original), cv2.COLOR_RGB2GRAY)
        similar = structural_similarity(shown, other, data_range=255, full=True)[1]
        heat = np.clip(1 - similar, 0, 1).astype(np.float32)
        score = float((heat >= 0.5).mean())
        return Evidence("ssim-map", "edits", score=score, heatmap=heat)
