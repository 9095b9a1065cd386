"""aHash by the package imagededup: which pixels of an 8x8 thumbnail are above its mean.

Paper: Krawetz 2011, Looks Like It (hackerfactor.com). Why it works: a thumbnail hardly changes
under recompression and resizing. When it fails: crops, turns, borders, recolouring; pictures of one
layout look alike.
"""

from __future__ import annotations

from originlens.bench.peers._hashes import ImagededupMatcher, hash_card
from originlens.core.registry import register


@register(
    hash_card(
        "imagededup-ahash",
        "the reference with the nearest average hash",
        "Krawetz 2011, Looks Like It (hackerfactor.com)",
        ms=14.0,
        threshold=10,
        mb=155.0,
        package="imagededup's (Apache-2.0)",
        extra=None,
    )
)
class ImagededupAHash(ImagededupMatcher):
    """64 bits, a copy up to 10 bits away (the package's default)."""

    function = "AHash"
