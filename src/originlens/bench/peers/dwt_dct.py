"""DwtDct by invisible-watermark: parity of the largest DCT coefficient of wavelet blocks.

Paper: Al-Haj 2007, Combined DWT-DCT Digital Image Watermarking (J. Computer Science 3(9)). Why it
works: a quantised coefficient keeps its parity under small noise. When it fails: any JPEG, since
only a chroma channel is marked; resizing, crop, turns, mirror, brightness; often without any
attack. Fewer than 256 x 256 pixels are refused.
"""

from __future__ import annotations

from originlens.bench.peers._environment_watermark import EnvironmentWatermark, watermark_card
from originlens.core.registry import register


@register(
    watermark_card(
        "dwt-dct",
        "carries a payload of known length in a chroma channel",
        "Al-Haj 2007, Combined DWT-DCT Digital Image Watermarking (J. Computer Science 3(9))",
        "invisible-watermark's (MIT)",
        ms=104.0,
        mb=131.0,
        note="reading; embedding 136 ms; memory of its process at 1 megapixel",
        fails="JPEG, resize, crop, rotation, brightness; some bits without any attack",
    )
)
class DwtDct(EnvironmentWatermark):
    """``dwtDct`` of the package, with its defaults."""

    peer = "invisible-watermark"
    method = "dwtDct"
