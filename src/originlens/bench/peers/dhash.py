"""dHash by the package imagehash: signs of differences between neighbours of a 9x8 thumbnail.

Paper: Krawetz 2013, Kind of Like That (hackerfactor.com). Why it works: gradients survive
recolouring and recompression. When it fails: crops, turns, borders, pasted pictures.
"""

from __future__ import annotations

from originlens.bench.peers._hashes import HashMatcher, hash_card
from originlens.core.registry import register


@register(
    hash_card(
        "dhash",
        "the reference with the nearest gradient hash",
        "Krawetz 2013, Kind of Like That (hackerfactor.com)",
        ms=4.3,
        threshold=10,
    )
)
class DHash(HashMatcher):
    """64 bits, a copy up to 10 bits away."""

    function = "dhash"
