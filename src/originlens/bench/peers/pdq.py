"""PDQ alone, as photo-matching exchanges use it: the nearest hash, a copy up to 31 bits away.

Paper: Facebook, The TMK+PDQF Video-Hashing and the PDQ Image-Hashing Algorithm, 2019 (section on
the recommended threshold). Why it works: recompression, resizing and mild recolouring move few of
the 256 bits. When it fails: crops, rotations other than by quarter turns, borders, pasted pictures.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.bench.peers._nearest import NearestHash
from originlens.core.image import Image
from originlens.core.registry import Card, Cost, make, register


@register(
    Card(
        name="pdq",
        kind="matcher",
        task="copy detection",
        claims="the reference with the nearest PDQ hash under the eight symmetries",
        paper="Facebook, The TMK+PDQF Video-Hashing and the PDQ Image-Hashing Algorithm, 2019",
        code_licence="Apache-2.0",
        reads=("collection", "pixels"),
        cost=Cost(ms_per_mpx=1.7, mb=30.0, note="and a scan of all hashes"),
        status="stable",
        scope="exchange of hashes between platforms: what they match today",
        fails_when="crop, free rotation, border, overlay, pasted pictures; flat pictures have none",
        thresholds={"distance": 31},
    )
)
class Pdq(NearestHash):
    """Our own PDQ; the query is asked under the eight symmetries of the square."""

    def describe(self, image: Image) -> npt.NDArray[np.uint8]:
        """(1, 32) uint8, or (0, 32) for a picture without a signature."""
        return _signed(self._descriptor.describe(image)[None])

    def ask(self, image: Image) -> npt.NDArray[np.uint8]:
        """(8, 32) uint8, or (0, 32) for a picture without a signature."""
        return _signed(self._descriptor.variants(image))

    @cached_property
    def _descriptor(self) -> Any:
        return make("descriptor", "pdq")


def _signed(hashes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The hashes, or none of them where they say that the picture has no signature."""
    return hashes if hashes.any() else hashes[:0]
