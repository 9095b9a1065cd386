"""Normalised mutual information of two pictures' values.

Paper: Studholme, Hill and Hawkes 1999, doi:10.1016/S0031-3203(98)00091-0. Why it works: recolouring
by any one-to-one map leaves it alone, unlike PSNR. Fails when: pictures are shifted; small
pictures, whose joint histogram is sparse, look more alike than they are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from originlens.bench.metrics import _fidelity
from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._pictures import Picture, PictureMetric
from originlens.core.registry import Cost, register


@register(
    metric_card(
        "nmi",
        "normalised mutual information of pixel values",
        paper="Studholme, Hill and Hawkes 1999, doi:10.1016/S0031-3203(98)00091-0",
        reads=("originals", "pictures"),
        fails_when="pictures are shifted, or so small that the joint histogram is sparse",
        cost=Cost(ms_per_mpx=28, mb=48),
    )
)
class Nmi(PictureMetric):
    """Mean over pictures of (H(A) + H(B)) / H(A, B) in [1, 2], 100 x 100 bins."""

    higher_is_better = True
    bounds = (1.0, 2.0)

    def compare(self, original: Picture, changed: Picture) -> float:
        """NMI of one pair."""
        return _fidelity.nmi(original, changed)

    def examples(self) -> dict[str, tuple[Any, Any]]:
        """As elsewhere, but worst is a picture that tells nothing: an inverted one tells all."""
        found = super().examples()
        originals = found["perfect"][0]
        return {**found, "worst": (originals, [np.zeros_like(p) for p in originals])}
