"""wHash by the package imagededup: signs of the coarse Haar coefficients around their median.

Paper: Petrov 2016, Wavelet image hash in Python (fullstackml.com). Why it works: coarse wavelet
coefficients survive recompression and resizing. When it fails: crops, turns, borders; pictures of
one layout look alike.
"""

from __future__ import annotations

from originlens.bench.peers._hashes import ImagededupMatcher, hash_card
from originlens.core.registry import register


@register(
    hash_card(
        "imagededup-whash",
        "the reference with the nearest wavelet hash",
        "Petrov 2016, Wavelet image hash in Python (fullstackml.com)",
        ms=23.0,
        threshold=10,
        mb=155.0,
        package="imagededup's (Apache-2.0)",
        extra=None,
    )
)
class ImagededupWHash(ImagededupMatcher):
    """64 bits, a copy up to 10 bits away (the package's default)."""

    function = "WHash"
