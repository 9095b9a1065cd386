"""pHash by the package imagededup: signs of low DCT frequencies around their median.

Paper: Zauner 2010, Implementation and Benchmarking of Perceptual Image Hash Functions. Why it
works: recompression and resizing keep low frequencies. When it fails: crops, turns, borders, pasted
pictures.
"""

from __future__ import annotations

from originlens.bench.peers._hashes import ImagededupMatcher, hash_card
from originlens.core.registry import register


@register(
    hash_card(
        "imagededup-phash",
        "the reference with the nearest DCT hash",
        "Zauner 2010, Implementation and Benchmarking of Perceptual Image Hash Functions",
        ms=15.0,
        threshold=10,
        mb=155.0,
        package="imagededup's (Apache-2.0)",
        extra=None,
    )
)
class ImagededupPHash(ImagededupMatcher):
    """64 bits, a copy up to 10 bits away (the package's default)."""

    function = "PHash"
