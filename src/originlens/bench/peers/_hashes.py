"""Matching by a 64-bit hash of a package: ``imagehash`` here, ``imagededup`` in its environment."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.bench.environments import environment
from originlens.bench.peers._nearest import NearestHash
from originlens.core.errors import MissingExtra
from originlens.core.image import Image
from originlens.core.registry import Card, Cost


def hash_card(
    name: str,
    claims: str,
    paper: str,
    *,
    ms: float,
    threshold: int,
    mb: float = 30.0,
    package: str = "imagehash's (BSD-2-Clause)",
    extra: str | None = "bench",
) -> Card:
    """The card of a hash as a matcher; ``ms`` is per megapixel without decoding.

    ``package`` says whose the hash is; ``extra`` brings it (None: an environment does).
    """
    return Card(
        name=name,
        kind="matcher",
        task="copy detection",
        claims=claims,
        paper=paper,
        code_licence=f"Apache-2.0; the hash is the package {package}",
        reads=("collection", "pixels"),
        cost=Cost(ms_per_mpx=ms, mb=mb, note="and a scan of all hashes"),
        status="stable",
        scope="a peer to compare with, at the threshold that its users are told",
        fails_when="crop, rotation, mirror, border, overlay, pasted pictures",
        extra=extra,
        thresholds={"distance": float(threshold)},
    )


class HashMatcher(NearestHash):
    """Nearest neighbours by Hamming distance of one hash function of ``imagehash``."""

    function: str

    def describe(self, image: Image) -> npt.NDArray[np.uint8]:
        """(1, 8) uint8."""
        from PIL import Image as Pillow

        try:
            import imagehash
        except ImportError as error:
            raise MissingExtra("imagehash", "bench") from error
        function: Any = getattr(imagehash, self.function)
        return np.packbits(function(Pillow.fromarray(image.pixels)).hash.ravel())[None]


class ImagededupMatcher(NearestHash):
    """Nearest neighbours by Hamming distance of one hash class of ``imagededup``."""

    peer = "imagededup"
    function: str

    def describe(self, image: Image) -> npt.NDArray[np.uint8]:
        """(1, 8) uint8."""
        header = {"method": self.function}
        _, code = environment(self.peer).call("encode", header, image.pixels)
        assert code is not None
        return code[None]
