"""Normalised quality degradation of WAVES: what an attack cost the picture.

Paper: An et al. 2024 (WAVES), arXiv:2401.08573; anchors as in the figure of its repository. Why it
works: PSNR, SSIM and NMI are mapped linearly so that the paper's attacks spread over 0.1 to 0.9 on
each, then averaged; a watermark's loss can be plotted against it. Fails when: compared with the
paper's eight-metric mean: the other five (FID, CLIP-FID, LPIPS, aesthetics, artifacts) need
networks and are left out.
"""

from __future__ import annotations

from originlens.bench.metrics import _fidelity
from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._pictures import Picture, PictureMetric
from originlens.core.registry import Cost, register

#: The values that 10 % and 90 % of the paper's attacked pictures are worse than.
PSNR_ANCHORS = (41.97, 12.15)
SSIM_ANCHORS = (0.98, 0.32)
NMI_ANCHORS = (1.71, 1.06)


@register(
    metric_card(
        "quality-degradation",
        "normalised quality degradation (WAVES, CPU subset)",
        paper="An et al. 2024 (WAVES), arXiv:2401.08573",
        reads=("originals", "pictures"),
        fails_when="compared with the paper's mean of eight metrics",
        cost=Cost(ms_per_mpx=300, mb=240),
    )
)
class QualityDegradation(PictureMetric):
    """Mean of 0.1 + 0.8 (v - v10) / (v90 - v10) over PSNR, SSIM (uniform window) and NMI.

    Not cut to [0, 1], as in the paper: an untouched picture has infinite PSNR, so minus infinity.
    The largest value is that of PSNR 0, SSIM -1 and NMI 1.
    """

    higher_is_better = False
    bounds = (float("-inf"), 1.567)
    smallest = 7

    def compare(self, original: Picture, changed: Picture) -> float:
        """Degradation of one pair."""
        return degradation(
            _fidelity.psnr(original, changed),
            _fidelity.ssim(original, changed, "uniform"),
            _fidelity.nmi(original, changed),
        )


def degradation(psnr: float, ssim: float, nmi: float) -> float:
    """The normalised mean of PSNR in dB, SSIM (uniform window) and NMI."""
    return (
        _normalised(psnr, PSNR_ANCHORS)
        + _normalised(ssim, SSIM_ANCHORS)
        + _normalised(nmi, NMI_ANCHORS)
    ) / 3


def _normalised(value: float, anchors: tuple[float, float]) -> float:
    light, heavy = anchors
    return 0.1 + 0.8 * (value - light) / (heavy - light)
