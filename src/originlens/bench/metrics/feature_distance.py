"""Perceptual distance on our own features: how far deep features of the same places lie apart.

Paper: after Zhang et al. 2018, LPIPS (arXiv:1801.03924): distances of a network's unit vectors,
place by place, follow what people see better than pixels do. Not LPIPS: its learned weights are not
used (libraries fetch them), the features are those of our copy descriptor. Why it works: features
of a classification trunk notice texture and shape, not single pixels. Fails when: the change is one
that the descriptor was whitened to ignore, such as mild compression or colour; values compare with
nobody else's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._pictures import Picture, PictureMetric
from originlens.core.registry import Cost, make, register

#: Places a side at which features are compared.
_PLACES = 4


@register(
    metric_card(
        "feature-distance",
        "perceptual distance on own features (LPIPS-like, never called LPIPS)",
        paper="after Zhang et al. 2018, LPIPS (arXiv:1801.03924); own features",
        reads=("originals", "pictures"),
        fails_when="the descriptor ignores the change; compared with another network's values",
        cost=Cost(ms_per_mpx=93, mb=120, note="two feature maps of 448 pixels", per="picture"),
    )
)
class FeatureDistance(PictureMetric):
    """Mean over 4 x 4 places of (1 - cosine) / 2 of the descriptor's regional vectors, in [0, 1].

    Args:
        descriptor: name of a registered descriptor that describes regions.
    """

    higher_is_better = False
    bounds = (0.0, 1.0)

    def __init__(self, *, descriptor: str = "gem-v0") -> None:
        self.descriptor = descriptor
        self._made: Any = None

    def compare(self, original: Picture, changed: Picture) -> float:
        """The distance of one pair."""
        if self._made is None:
            self._made = make("descriptor", self.descriptor, threads=1)
        edges = np.arange(_PLACES + 1) / _PLACES
        boxes = [
            (edges[x], edges[y], edges[x + 1], edges[y + 1])
            for y in range(_PLACES)
            for x in range(_PLACES)
        ]
        first, second = (
            self._made.describe_regions(_coloured(picture), boxes)
            for picture in (original, changed)
        )
        # Of unit vectors (1 - cosine) / 2 is a quarter of the squared distance, 0 for equal ones.
        gaps = np.sum((first.astype(np.float64) - second) ** 2, axis=1) / 4
        return float(np.minimum(gaps, 1.0).mean())

    def examples(self) -> dict[str, tuple[Any, Any]]:
        """Those of its kin; the worst is noise, as inverted stripes look alike."""
        rng = np.random.default_rng(1)
        found = super().examples()
        originals = found["worst"][0]
        noise = [rng.integers(0, 256, picture.shape, dtype=np.uint8) for picture in originals]
        return {**found, "worst": (originals, noise)}


def _coloured(picture: Picture) -> Picture:
    """(H, W, 3) of a grey picture."""
    return picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
