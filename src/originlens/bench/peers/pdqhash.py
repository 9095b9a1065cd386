"""PDQ by the package pdqhash: the C++ code of ThreatExchange behind a Python binding.

Paper: Facebook, The TMK+PDQF Video-Hashing and the PDQ Image-Hashing Algorithm, 2019. Why it works:
recompression, resizing and mild recolouring move few of the 256 bits. When it fails: crops,
rotations other than by quarter turns, borders, pasted pictures.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from originlens.bench.environments import environment
from originlens.bench.peers._nearest import NearestHash
from originlens.core.image import Image
from originlens.core.registry import Card, Cost, register


@register(
    Card(
        name="pdqhash",
        kind="matcher",
        task="copy detection",
        claims="the reference with the nearest PDQ hash under the eight symmetries",
        paper="Facebook, The TMK+PDQF Video-Hashing and the PDQ Image-Hashing Algorithm, 2019",
        code_licence="Apache-2.0; the hash is the package pdqhash's (MIT, PDQ itself BSD)",
        reads=("collection", "pixels"),
        cost=Cost(
            ms_per_mpx=43.0, mb=130.0, note="memory of its process; and a scan of all hashes"
        ),
        status="stable",
        scope="a peer to compare with: the reference code, in an environment of its own",
        fails_when="crop, free rotation, border, overlay, pasted pictures; flat pictures have none",
        thresholds={"distance": 31},
    )
)
class PdqHash(NearestHash):
    """The reference PDQ; the query is asked under its eight dihedral hashes."""

    peer = "pdqhash"

    def describe(self, image: Image) -> npt.NDArray[np.uint8]:
        """(1, 32) uint8, or (0, 32) for a picture without a signature."""
        return self.ask(image)[:1]

    def ask(self, image: Image) -> npt.NDArray[np.uint8]:
        """(8, 32) uint8, or (0, 32) for a picture without a signature."""
        reply, hashes = environment(self.peer).call("dihedral", array=image.pixels)
        assert hashes is not None
        # Of quality 0, flat pictures for one, the bits are the signs of rounding errors.
        return hashes if reply["quality"] else hashes[:0]
