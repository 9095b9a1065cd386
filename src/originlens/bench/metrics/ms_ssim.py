"""Multi-scale structural similarity: a perceptual similarity without learned weights.

Paper: Wang, Simoncelli and Bovik 2003, doi:10.1109/ACSSC.2003.1292216. Why it works: detail counts
less where viewers cannot resolve it, so that it follows opinion scores better than SSIM at one
scale. Fails when: pictures are shifted or turned; the shorter side is below 176 pixels (eleven at
the fifth scale).
"""

from __future__ import annotations

from originlens.bench.metrics import _fidelity
from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._pictures import Picture, PictureMetric
from originlens.core.registry import Cost, register


@register(
    metric_card(
        "ms-ssim",
        "structural similarity over five scales",
        paper="Wang, Simoncelli and Bovik 2003, doi:10.1109/ACSSC.2003.1292216",
        reads=("originals", "pictures"),
        fails_when="pictures are shifted or turned, or shorter than 176 pixels",
        cost=Cost(ms_per_mpx=350, mb=240),
    )
)
class MsSsim(PictureMetric):
    """Product over scales of contrast-structure terms and the last luminance, mean of channels."""

    higher_is_better = True
    bounds = (0.0, 1.0)
    smallest = 176

    def compare(self, original: Picture, changed: Picture) -> float:
        """MS-SSIM of one pair."""
        return _fidelity.ms_ssim(original, changed)
