"""dHash by the package imagededup: signs of differences between neighbours of a 9x8 thumbnail.

Paper: Krawetz 2013, Kind of Like That (hackerfactor.com). Why it works: gradients survive
recolouring and recompression. When it fails: crops, turns, borders, pasted pictures.
"""

from __future__ import annotations

from originlens.bench.peers._hashes import ImagededupMatcher, hash_card
from originlens.core.registry import register


@register(
    hash_card(
        "imagededup-dhash",
        "the reference with the nearest gradient hash",
        "Krawetz 2013, Kind of Like That (hackerfactor.com)",
        ms=15.0,
        threshold=10,
        mb=155.0,
        package="imagededup's (Apache-2.0)",
        extra=None,
    )
)
class ImagededupDHash(ImagededupMatcher):
    """64 bits, a copy up to 10 bits away (the package's default)."""

    function = "DHash"
