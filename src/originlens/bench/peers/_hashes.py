"""Matching by a 64-bit hash of the package ``imagehash``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core.errors import MissingExtra, OriginLensError
from originlens.core.evidence import Match
from originlens.core.image import Image
from originlens.core.registry import Card, Cost

_FILE = "hashes.npz"


def hash_card(name: str, claims: str, paper: str, *, ms: float, threshold: int) -> Card:
    """The card of a hash as a matcher; ``ms`` is per megapixel without decoding."""
    return Card(
        name=name,
        kind="matcher",
        task="copy detection",
        claims=claims,
        paper=paper,
        code_licence="Apache-2.0; the hash is the package imagehash's (BSD-2-Clause)",
        reads=("collection", "pixels"),
        cost=Cost(ms_per_mpx=ms, mb=30.0, note="and a scan of all hashes"),
        status="stable",
        scope="a peer to compare with, at the threshold that its users are told",
        fails_when="crop, rotation, mirror, border, overlay, pasted pictures",
        extra="bench",
        thresholds={"distance": float(threshold)},
    )


class HashMatcher:
    """Nearest neighbours by Hamming distance of one hash function of ``imagehash``."""

    card: Card
    function: str

    def enrol(self, references: Sequence[str], folder: str) -> list[str]:
        """Hash the files; those that cannot be read are returned."""
        hashes, names, failed = [], [], []
        for path in references:
            try:
                hashes.append(self._hash(Image.open(path)))
                names.append(path)
            except MissingExtra:
                raise
            except OriginLensError:
                failed.append(path)
        stacked = np.array(hashes, np.uint8).reshape(-1, 8)
        os.makedirs(folder, exist_ok=True)
        np.savez(os.path.join(folder, _FILE), hashes=stacked, names=np.array(names, dtype=np.str_))
        return failed

    def open(self, folder: str) -> None:
        """Open what :meth:`enrol` made, for this process."""
        with np.load(os.path.join(folder, _FILE)) as stored:
            self._hashes, self._names = stored["hashes"], stored["names"].tolist()

    def match(self, image: Image, *, top: int = 10) -> list[Match]:
        """The nearest references, nearest first; the score is minus the distance in bits."""
        if not len(self._hashes):
            return []
        distances = np.bitwise_count(self._hashes ^ self._hash(image)).sum(axis=1, dtype=np.int64)
        limit = self.card.thresholds["distance"]
        return [
            Match(
                asset=self._names[i],
                path=self._names[i],
                relation="copy" if distances[i] <= limit else "none",
                score=-float(distances[i]),
                probability=float(distances[i] <= limit),
            )
            for i in np.argsort(distances, kind="stable")[:top].tolist()
        ]

    def _hash(self, image: Image) -> npt.NDArray[np.uint8]:
        """(8,) uint8."""
        from PIL import Image as Pillow

        try:
            import imagehash
        except ImportError as error:
            raise MissingExtra("imagehash", "bench") from error
        function: Any = getattr(imagehash, self.function)
        return np.packbits(function(Pillow.fromarray(image.pixels)).hash.ravel())
