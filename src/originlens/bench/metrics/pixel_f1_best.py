"""F1 of changed pixels at the best threshold, chosen with the truth: an upper limit, not a result.

Paper: van Rijsbergen 1979 (F-measure); reported as "optimal F1" e.g. by Guillaro et al. 2023
(TruFor), arXiv:2212.10957. Why it works: it separates what the map knows from how its threshold was
set. Fails when: it is compared with a fixed-threshold F1, which it never falls below: it needs the
truth.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._masks import RANK_COST, RankedMaskMetric
from originlens.core import stats
from originlens.core.registry import register
from originlens.core.stats import Floats


@register(
    metric_card(
        "pixel-f1-best",
        "F1 of changed pixels at the threshold that the truth picks",
        paper="Guillaro et al. 2023, arXiv:2212.10957",
        reads=("masks", "maps"),
        fails_when="it is compared with an F1 at a fixed threshold: this one needs the truth",
        cost=RANK_COST,
    )
)
class PixelF1Best(RankedMaskMetric):
    """Highest F1 over all thresholds: one per picture, or one for all with ``average="pooled"``.

    1 for a picture without change, where a threshold above every score marks nothing.
    """

    higher_is_better = True
    bounds = (0.0, 1.0)

    def one(self, mask: npt.NDArray[np.bool_], scores: npt.NDArray[Any]) -> float:
        """Best F1 of (P,) pixels."""
        if mask.all() or not mask.any():
            return 1.0
        found = stats.roc(scores, mask)
        hits, false = found.tpr * found.positives, found.fpr * found.negatives
        return float(np.max(2 * hits / (hits + false + found.positives)))

    def of_histogram(self, changed: Floats, intact: Floats) -> float:
        """Best F1 of counts by ascending level of score."""
        if not changed.any():
            return 1.0
        hits, false = np.cumsum(changed[::-1]), np.cumsum(intact[::-1])
        return float(np.max(2 * hits / (hits + false + changed.sum())))
