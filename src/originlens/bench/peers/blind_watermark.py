"""blind-watermark: parities of two singular values of shuffled DCT blocks, in three channels.

Paper: Navas et al. 2008, DWT-DCT-SVD Based Watermarking (COMSWARE), its family. Why it works: luma
carries the bits too, with a large step, and every bit is read from many blocks. When it fails:
resizing, crop, turns and mirror, which move the blocks; brightness and contrast, which move the
steps; payloads of equal bits.
"""

from __future__ import annotations

from originlens.bench.peers._environment_watermark import EnvironmentWatermark, watermark_card
from originlens.core.registry import register


@register(
    watermark_card(
        "blind-watermark",
        "carries a payload of known length under two passwords",
        "Navas et al. 2008, DWT-DCT-SVD Based Watermarking (COMSWARE), its family",
        "blind-watermark's (MIT)",
        ms=1400.0,
        mb=178.0,
        note="reading; embedding 2200 ms; memory of its process at 1 megapixel",
        fails="resize, crop, rotation, mirror, brightness; payloads of equal bits",
    )
)
class BlindWatermark(EnvironmentWatermark):
    """``WaterMark`` of the package, with its defaults."""

    peer = "blind-watermark"
