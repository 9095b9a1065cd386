"""RivaGAN as invisible-watermark ships it: a trained encoder and decoder of 32 bits.

Paper: Zhang et al. 2019, Robust Invisible Video Watermarking with Attention (arXiv:1909.01285). Why
it works: both networks were trained together with crops, scaling and compression between them. When
it fails: resizing to half, mirror, strong JPEG; it is slow and takes 2 GB of memory per
megapixel. Fewer than 256 x 256 pixels are refused.
"""

from __future__ import annotations

from originlens.bench.peers._environment_watermark import EnvironmentWatermark, watermark_card
from originlens.core.registry import register


@register(
    watermark_card(
        "rivagan",
        "carries 32 bits",
        "Zhang et al. 2019, Robust Invisible Video Watermarking with Attention (arXiv:1909.01285)",
        "invisible-watermark's (MIT), weights included",
        ms=9000.0,
        mb=2283.0,
        note="reading; embedding 7000 ms; memory of its process at 1 megapixel",
        fails="resize to half, mirror, strong JPEG; large pictures (2 GB of memory per megapixel)",
    )
)
class RivaGan(EnvironmentWatermark):
    """``rivaGan`` of the package, with one thread."""

    peer = "rivagan"
    method = "rivaGan"

    def __init__(self) -> None:
        super().__init__(length=4)
