"""What every exhaustive matcher shares: one or more rows of numbers per reference, all looked at.

A subclass says how a picture is described and how alike references are to a described query.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from originlens.core.errors import MissingExtra, OriginLensError, ReadError, UsageError
from originlens.core.evidence import Match
from originlens.core.image import Image
from originlens.core.registry import Card

Array = npt.NDArray[Any]
Scores = npt.NDArray[np.float64]
_FILE = "references.npz"
#: What reading a broken archive of arrays raises.
_BROKEN = (ValueError, LookupError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)


class Nearest(ABC):
    """Ranks all references of a query.

    After :meth:`open` the rows of reference ``i`` are ``rows[ends[i - 1]:ends[i]]`` (from 0 for the
    first one); where each has exactly one, ``rows`` is (N, d) in the order of the references.
    """

    card: ClassVar[Card]
    rows: Array
    ends: npt.NDArray[np.int64]

    @abstractmethod
    def describe(self, image: Image) -> Array:
        """(n, d) rows that a reference is remembered by; n = 0: it cannot be found."""

    def ask(self, image: Image) -> Array:
        """(m, d) rows that a query is compared by; m = 0: nothing can be found."""
        return self.describe(image)

    @abstractmethod
    def scores(self, asked: Array) -> Scores:
        """(N,) float64, larger = more alike, of every reference that has rows."""

    @property
    @abstractmethod
    def limit(self) -> float:
        """The score from which on a reference is called a copy."""

    def enrol(self, references: Sequence[str], folder: str) -> list[str]:
        """Describe the files; those that cannot be read are returned."""
        found: list[Array] = []
        names, failed = [], []
        for path in references:
            try:
                rows = self.describe(Image.open(path))
            except (MissingExtra, UsageError):  # no fault of the picture's
                raise
            except OriginLensError:
                failed.append(path)
                continue
            if len(rows):
                found.append(rows)
                names.append(path)
        ends = np.cumsum([len(rows) for rows in found], dtype=np.int64)
        stacked = np.concatenate(found) if found else np.zeros((0, 0))
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, _FILE)
        np.savez(path, rows=stacked, ends=ends, names=np.array(names, dtype=np.str_))
        return failed

    def open(self, folder: str) -> None:
        """Open what :meth:`enrol` made, for this process.

        Raises:
            ReadError: the file is gone or broken.
        """
        path = os.path.join(folder, _FILE)
        try:
            # Opened by us: numpy takes whatever is no archive for a pickle, and advises to load it.
            with zipfile.ZipFile(path) as archive:
                self.rows, self.ends, names = (
                    _member(archive, name) for name in ("rows", "ends", "names")
                )
        except (OSError, *_BROKEN) as error:
            why = "is not there" if isinstance(error, FileNotFoundError) else "cannot be read"
            raise ReadError(f"{path}: {why}: remove its folder and run again") from error
        self._names: list[str] = names.tolist()

    def match(self, image: Image, *, top: int = 10) -> list[Match]:
        """The most alike references, best first; of equal ones the one enrolled first."""
        asked = self.ask(image) if self._names else None
        if asked is None or not len(asked):
            return []
        scores, limit = self.scores(asked), self.limit
        return [
            Match(
                asset=self._names[i],
                path=self._names[i],
                relation="copy" if scores[i] >= limit else "none",
                score=float(scores[i]),
                probability=float(scores[i] >= limit),
            )
            for i in np.argsort(-scores, kind="stable")[:top].tolist()
        ]


def _member(archive: zipfile.ZipFile, name: str) -> Array:
    with archive.open(f"{name}.npy") as file:
        return np.lib.format.read_array(file, allow_pickle=False)


class NearestHash(Nearest):
    """Binary hashes, (n, bytes) uint8 each; the score is minus the Hamming distance in bits.

    Of several hashes of a query (its symmetries) the nearest counts; the card's threshold
    "distance" is the largest distance of a copy.
    """

    def scores(self, asked: Array) -> Scores:
        """Minus the distance of every reference, in bits."""
        each = [np.bitwise_count(self.rows ^ row).sum(axis=1, dtype=np.int64) for row in asked]
        return -np.min(each, axis=0).astype(np.float64)

    @property
    def limit(self) -> float:
        """Minus the card's distance."""
        return -self.card.thresholds["distance"]
