"""pHash by the package imagehash: signs of low DCT frequencies around their median.

Paper: Zauner 2010, Implementation and Benchmarking of Perceptual Image Hash Functions. Why it
works: recompression and resizing keep low frequencies. When it fails: crops, turns, borders,
pasted pictures.
"""

from __future__ import annotations

from originlens.bench.peers._hashes import HashMatcher, hash_card
from originlens.core.registry import register


@register(
    hash_card(
        "phash",
        "the reference with the nearest DCT hash",
        "Zauner 2010, Implementation and Benchmarking of Perceptual Image Hash Functions",
        ms=4.8,
        threshold=10,
    )
)
class PHash(HashMatcher):
    """64 bits, a copy up to 10 bits away."""

    function = "phash"
