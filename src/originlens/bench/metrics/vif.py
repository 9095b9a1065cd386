"""Visual information fidelity in the pixel domain, through torchmetrics.

Paper: Sheikh and Bovik 2006, doi:10.1109/TIP.2005.859378. Why it works: the share of the
information that an ideal observer could still extract from the changed picture; no learned weights.
Fails when: contrast was raised (it then exceeds 1), or pictures are shifted; below 41 pixels its
windows do not fit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._pictures import Picture, PictureMetric
from originlens.core.errors import MissingExtra, UsageError
from originlens.core.registry import Cost, register


@register(
    metric_card(
        "vif",
        "visual information fidelity",
        paper="Sheikh and Bovik 2006, doi:10.1109/TIP.2005.859378",
        reads=("originals", "pictures"),
        fails_when="contrast was raised, or pictures are shifted",
        cost=Cost(ms_per_mpx=8000, mb=500),
        extra="torch",
    )
)
class Vif(PictureMetric):
    """Mean over pictures and channels; 1 for an untouched picture."""

    higher_is_better = True
    bounds = (0.0, float("inf"))
    smallest = 41

    def compare(self, original: Picture, changed: Picture) -> float:
        """VIF of one pair.

        Raises:
            MissingExtra: torchmetrics is not installed.
            UsageError: a channel of the original is constant.
        """
        try:
            import torch
            from torchmetrics.functional.image import visual_information_fidelity
        except ImportError as error:
            raise MissingExtra("torchmetrics", "torch") from error

        if (np.ptp(original, axis=(0, 1)) == 0).any():
            raise UsageError("a channel of the original is constant: it holds no information")
        # Single precision moves the value by less than 1e-6 and is eight times quicker.
        reference, found = (
            torch.from_numpy(np.atleast_3d(picture).transpose(2, 0, 1)[None].astype(np.float32))
            for picture in (original, changed)
        )
        return float(visual_information_fidelity(found, reference))

    def examples(self) -> dict[str, tuple[Any, Any]]:
        """As elsewhere, but small cuts: the filters are slow."""
        return {
            name: (
                [picture[:56, :64] for picture in truth],
                [picture[:56, :64] for picture in output],
            )
            for name, (truth, output) in super().examples().items()
        }
