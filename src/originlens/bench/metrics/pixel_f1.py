"""F1 of changed pixels at a fixed threshold (the Dice coefficient).

Paper: Dice 1945, doi:10.2307/1932409; as a localisation metric e.g. Ma et al. 2024 (IMDL-BenCo),
arXiv:2406.10580. Why it works: a fixed threshold is what a user has. Fails when: scores are not
calibrated to the threshold; masks are tiny, where a seam of pixels decides.
"""

from __future__ import annotations

import numpy as np

from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._masks import MASK_COST, OverlapMetric
from originlens.core.registry import register
from originlens.core.stats import Floats


@register(
    metric_card(
        "pixel-f1",
        "F1 of changed pixels at a fixed threshold",
        paper="Dice 1945; Ma et al. 2024, arXiv:2406.10580",
        reads=("masks", "maps"),
        fails_when="scores are not calibrated to the threshold; masks are tiny",
        cost=MASK_COST,
    )
)
class PixelF1(OverlapMetric):
    """2 TP / (2 TP + FP + FN); 1 where nothing is changed and nothing is marked.

    The convention for pictures without change follows from the definition's limit: marking a single
    pixel of them gives 0.
    """

    higher_is_better = True
    bounds = (0.0, 1.0)

    def overlap(self, hits: Floats, false: Floats, missed: Floats) -> Floats:
        """F1 of pixel counts."""
        total = 2 * hits + false + missed
        return np.where(total > 0, 2 * hits / np.maximum(total, 1), 1.0)
