"""Peak signal-to-noise ratio.

Paper: Huynh-Thu and Ghanbari 2008, doi:10.1049/el:20080522 (scope of validity). Why it works: the
plain size of the change, comparable across papers. Fails when: pictures are shifted, scaled or
recoloured a little, which nobody sees and PSNR punishes; one untouched picture makes a mean
infinite.
"""

from __future__ import annotations

from originlens.bench.metrics import _fidelity
from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._pictures import Picture, PictureMetric
from originlens.core.registry import Cost, register


@register(
    metric_card(
        "psnr",
        "peak signal-to-noise ratio",
        paper="Huynh-Thu and Ghanbari 2008, doi:10.1049/el:20080522",
        reads=("originals", "pictures"),
        fails_when="pictures are shifted or recoloured a little",
        cost=Cost(ms_per_mpx=7, mb=48),
    )
)
class Psnr(PictureMetric):
    """Mean over pictures of 10 log10(255^2 / mean squared error of all values), in dB."""

    higher_is_better = True
    bounds = (0.0, float("inf"))

    def compare(self, original: Picture, changed: Picture) -> float:
        """PSNR in dB; infinite if equal."""
        return _fidelity.psnr(original, changed)
