"""The product itself: align the original, explain benign change, light what is left.

Papers: those of :mod:`originlens.match.compare` and :mod:`originlens.match.diff`. Why it works, and
when it fails: see there.
"""

from __future__ import annotations

import numpy as np

from originlens.core.evidence import Evidence
from originlens.core.image import Image
from originlens.core.registry import Card, Cost, register


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
    """``originlens compare``; the score is the share of the picture that the map lights."""

    def compare(self, image: Image, original: Image) -> Evidence:
        """The change map; see :class:`originlens.bench.Comparator`."""
        from originlens.match.compare import compare

        match = compare(image, original)
        details = {"relation": match.relation}
        if match.change_map is None or match.relation == "none":
            return Evidence(
                "originlens", "edits", status="not-applicable", why=match.why, details=details
            )
        heat = match.change_map.astype(np.float32) / np.float32(255)
        score = float((heat >= 0.5).mean())
        return Evidence("originlens", "edits", score=score, heatmap=heat, details=details)
