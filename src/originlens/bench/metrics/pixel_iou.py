"""Intersection over union of changed pixels at a fixed threshold (the Jaccard index).

Paper: Jaccard 1912, doi:10.1111/j.1469-8137.1912.tb05611.x. Why it works: the share of all pixels
that matter on which map and mask agree. Fails when: as for F1, with which it ranks single pictures
alike.
"""

from __future__ import annotations

import numpy as np

from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._masks import MASK_COST, OverlapMetric
from originlens.core.registry import register
from originlens.core.stats import Floats


@register(
    metric_card(
        "pixel-iou",
        "intersection over union of changed pixels at a fixed threshold",
        paper="Jaccard 1912",
        reads=("masks", "maps"),
        fails_when="scores are not calibrated to the threshold; masks are tiny",
        cost=MASK_COST,
    )
)
class PixelIou(OverlapMetric):
    """TP / (TP + FP + FN); 1 where nothing is changed and nothing is marked."""

    higher_is_better = True
    bounds = (0.0, 1.0)

    def overlap(self, hits: Floats, false: Floats, missed: Floats) -> Floats:
        """IoU of pixel counts."""
        total = hits + false + missed
        return np.where(total > 0, hits / np.maximum(total, 1), 1.0)
