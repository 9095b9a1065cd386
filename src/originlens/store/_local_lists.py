"""Inverted lists of local features: each visual word's list holds a signature per feature.

Source: Jegou, Douze, Schmid, "Hamming embedding and weak geometric consistency", ECCV 2008: only
features of the query's word whose signatures differ in few bits are matches. Memory-mapped; a
search touches the lists of the query's words only, and its answer does not depend on how entries
are divided among segments.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core.errors import StoreError
from originlens.store import WORDS, LocalHits, LocalQuery, Rows

_MAGIC = b"OLlists1"
_BLOCK = 1 << 15  # entries compared at a time: their arrays stay in the processor's cache
_PLACE = np.dtype([("x", "u1"), ("y", "u1"), ("sigma", "u1"), ("angle", "u1")])
#: Set bits of 16-bit numbers, for releases of NumPy that cannot count them.
_ONES = np.array([n.bit_count() for n in range(1 << 16)], np.uint8)


class LocalLists:
    """The inverted lists of one segment or buffer."""

    def __init__(self) -> None:
        self._starts: Rows = np.zeros(WORDS + 1, np.int64)
        self._rows: npt.NDArray[np.uint32] = np.empty(0, np.uint32)
        self._places: npt.NDArray[Any] = np.empty(0, _PLACE)
        self._bits: npt.NDArray[np.uint64] = np.empty(0, np.uint64)

    def build(self, features: npt.NDArray[Any], rows: Rows) -> None:
        """Replace the contents by ``features`` (N,) of dtype ``LOCAL_FEATURE`` of ``rows`` (N,)."""
        order = np.argsort(features["word"], kind="stable")
        self._starts = np.zeros(WORDS + 1, np.int64)
        np.cumsum(np.bincount(features["word"], minlength=WORDS), out=self._starts[1:])
        self._rows = rows[order].astype(np.uint32)
        self._bits = np.ascontiguousarray(features["bits"][order])
        self._places = np.empty(len(order), _PLACE)
        for name in _PLACE.names or ():
            self._places[name] = features[name][order]

    def search(self, query: LocalQuery, exclude: Rows | None, only: Rows | None) -> LocalHits:
        """Every match of the query's features; rows in ``exclude`` or not in ``only`` are none."""
        words = query.words.ravel()
        first = self._starts[words]
        lengths = np.where(words < 0, 0, self._starts[words + 1] - first)
        ends = np.cumsum(lengths)
        owner = np.repeat(np.arange(len(query.bits)), query.words.shape[1])
        found: list[tuple[Rows, Rows, npt.NDArray[np.uint8]]] = []
        begin = 0
        while begin < len(lengths):
            done = ends[begin - 1] if begin else 0
            end = max(begin + 1, int(np.searchsorted(ends, done + _BLOCK, "right")))
            found.append(self._block(query, first, lengths, owner, slice(begin, end)))
            begin = end
        if not found:
            return LocalHits.none()
        feature, entry, distance = (np.concatenate(part) for part in zip(*found, strict=True))
        hits = LocalHits(
            feature, self._rows[entry].astype(np.int64), np.asarray(self._places[entry]), distance
        )
        if only is not None:
            hits = hits.where(np.isin(hits.rows, only))
        if exclude is not None and len(exclude):
            hits = hits.where(~np.isin(hits.rows, exclude))
        return hits

    def _block(
        self, query: LocalQuery, first: Rows, lengths: Rows, owner: Rows, part: slice
    ) -> tuple[Rows, Rows, npt.NDArray[np.uint8]]:
        """Query feature, entry and distance of the matches in some of the lists."""
        size = lengths[part]
        before = np.cumsum(size) - size
        entry = np.repeat(first[part] - before, size)
        entry += np.arange(len(entry))
        feature = np.repeat(owner[part], size)
        different = self._bits[entry]
        different ^= query.bits[feature]
        distance = _ones(different)
        near = np.flatnonzero(distance <= query.radius)
        return feature[near], entry[near], distance[near]

    def save(self, path: str) -> None:
        """Write to one file: a header, the lists' starts, then rows, bits and places."""
        with open(path, "wb") as file:
            file.write(_MAGIC + np.array([len(self._rows)], "<i8").tobytes())
            for array in (self._starts, self._bits, self._rows, self._places):
                file.write(np.ascontiguousarray(array).tobytes())

    @classmethod
    def load(cls, path: str, mmap: bool = True) -> LocalLists:
        """Map what :meth:`save` wrote into memory.

        Raises:
            StoreError: it is no such file, or is cut short.
        """
        self = cls()
        with open(path, "rb") as file:
            header = file.read(16)
        if len(header) < 16 or header[:8] != _MAGIC:
            raise StoreError(f"{path}: holds no local features")
        count = int(np.frombuffer(header[8:], "<i8")[0])
        kinds: list[np.dtype[Any]] = [np.dtype("<i8"), np.dtype("<u8"), np.dtype("<u4"), _PLACE]
        parts = list(zip(kinds, [WORDS + 1, count, count, count], strict=True))
        needed = 16 + sum(kind.itemsize * size for kind, size in parts)
        if count < 0 or os.path.getsize(path) != needed:
            raise StoreError(f"{path}: is cut short")
        data = np.memmap(path, np.uint8, "r") if mmap else np.fromfile(path, np.uint8)
        arrays: list[npt.NDArray[Any]] = []
        at = 16
        for kind, size in parts:
            end = at + kind.itemsize * size
            arrays.append(np.asarray(data[at:end]).view(kind))
            at = end
        self._starts, self._bits, self._rows, self._places = arrays
        return self


def _ones(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """How many bits are set in each value."""
    if hasattr(np, "bitwise_count"):
        return np.asarray(np.bitwise_count(values), np.uint8)
    return np.asarray(_ONES[values.view(np.uint16)].reshape(-1, 4).sum(1), np.uint8)
