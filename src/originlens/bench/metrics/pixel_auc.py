"""Area under the ROC curve of pixels: does the map rank changed pixels above intact ones?

Paper: Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747, with pixels as samples. Why it
works: no threshold is needed. Fails when: changes are small, since ranking the many easy intact
pixels right gives a high value; read it beside F1.
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
        "pixel-auc",
        "area under the ROC curve of pixels",
        paper="Hanley and McNeil 1982, doi:10.1148/radiology.143.1.7063747",
        reads=("masks", "maps"),
        fails_when="changes are small: easy intact pixels dominate",
        cost=RANK_COST,
    )
)
class PixelAuc(RankedMaskMetric):
    """P(changed > intact) + P(tie) / 2 over pairs of pixels of a picture, or of all pooled.

    With ``average="picture"``, pictures without change or without intact pixels are left out.
    """

    higher_is_better = True
    bounds = (0.0, 1.0)

    def one(self, mask: npt.NDArray[np.bool_], scores: npt.NDArray[Any]) -> float:
        """AUC of (P,) pixels; NaN without both classes."""
        if mask.all() or not mask.any():
            return float("nan")
        return stats.roc(scores, mask).auc

    def of_histogram(self, changed: Floats, intact: Floats) -> float:
        """AUC of counts by ascending level of score."""
        below = np.cumsum(intact) - intact / 2
        pairs = changed.sum() * intact.sum()
        return float(changed @ below / pairs) if pairs else float("nan")
