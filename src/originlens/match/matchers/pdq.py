"""PDQ alone, as photo-matching exchanges use it: the nearest hash, a copy up to 31 bits away.

Paper: Facebook, The TMK+PDQF Video-Hashing and the PDQ Image-Hashing Algorithm, 2019 (section on
the recommended threshold). Why it works: recompression, resizing and mild recolouring move few of
the 256 bits. When it fails: crops, rotations other than by quarter turns, borders, pasted pictures.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from originlens.core.errors import OriginLensError
from originlens.core.evidence import Match
from originlens.core.image import Image
from originlens.core.registry import Card, Cost, register

_THRESHOLD = 31
_FILE = "pdq.npz"


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
        thresholds={"distance": _THRESHOLD},
    )
)
class Pdq:
    """Nearest neighbours by Hamming distance, exhaustively."""

    def enrol(self, references: Sequence[str], folder: str) -> list[str]:
        """Hash the files; those that cannot be read are returned."""
        from originlens.match.descriptors.pdq import Pdq as Descriptor

        describe = Descriptor().describe
        hashes, names, failed = [], [], []
        for path in references:
            try:
                digest = describe(Image.open(path))
            except OriginLensError:
                failed.append(path)
                continue
            if digest.any():  # a flat picture has no signature
                hashes.append(digest)
                names.append(path)
        stacked = np.array(hashes, np.uint8).reshape(-1, 32)
        os.makedirs(folder, exist_ok=True)
        np.savez(os.path.join(folder, _FILE), hashes=stacked, names=np.array(names, dtype=np.str_))
        return failed

    def open(self, folder: str) -> None:
        """Open what :meth:`enrol` made, for this process."""
        with np.load(os.path.join(folder, _FILE)) as stored:
            self._hashes, self._names = stored["hashes"], stored["names"].tolist()

    def match(self, image: Image, *, top: int = 10) -> list[Match]:
        """The nearest references, nearest first; the score is minus the distance in bits."""
        from originlens.match.descriptors.pdq import HASHED_SHORT_SIDE, dihedral

        variants = dihedral(image.reduced(HASHED_SHORT_SIDE, managed=False, oriented=False))
        if not variants.any() or not len(self._hashes):
            return []
        each = [np.bitwise_count(self._hashes ^ v).sum(axis=1, dtype=np.int64) for v in variants]
        distances = np.min(each, axis=0)
        nearest = np.argsort(distances, kind="stable")[:top].tolist()
        return [_match(self._names[i], int(distances[i])) for i in nearest]


def _match(path: str, distance: int) -> Match:
    is_copy = distance <= _THRESHOLD
    return Match(
        asset=path,
        path=path,
        relation="copy" if is_copy else "none",
        score=-float(distance),
        probability=float(is_copy),
        pdq_distance=distance,
    )
