"""DwtDctSvd by invisible-watermark: parity of the largest singular value of wavelet blocks.

Paper: Navas et al. 2008, DWT-DCT-SVD Based Watermarking (COMSWARE). Why it works: the largest
singular value of a block changes little under blur and light compression. When it fails: strong
JPEG, resizing without going back, crop, turns, mirror, brightness. Fewer than 256 x 256 pixels are
refused.
"""

from __future__ import annotations

from originlens.bench.peers._environment_watermark import EnvironmentWatermark, watermark_card
from originlens.core.registry import register


@register(
    watermark_card(
        "dwt-dct-svd",
        "carries a payload of known length in a chroma channel",
        "Navas et al. 2008, DWT-DCT-SVD Based Watermarking (COMSWARE)",
        "invisible-watermark's (MIT)",
        ms=214.0,
        mb=131.0,
        note="reading; embedding 304 ms; memory of its process at 1 megapixel",
        fails="strong JPEG, resize, crop, rotation, mirror, brightness",
    )
)
class DwtDctSvd(EnvironmentWatermark):
    """``dwtDctSvd`` of the package, with its defaults."""

    peer = "invisible-watermark"
    method = "dwtDctSvd"
