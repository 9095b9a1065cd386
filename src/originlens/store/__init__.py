"""Where originals live: the types and the protocol that every store offers.

The embedded default is :class:`originlens.store.sqlite.SqliteStore`. Nothing here knows SQLite, so
a server store (PostgreSQL with pgvector) can stand behind the same :class:`Store`.

A *row* is the store's own integer name of an asset: never reused, gone once the asset is removed.
An *asset* is the public id. Equal bytes are one asset, however many paths lead to them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from originlens.core.errors import InputError

Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint8]
AssetStatus = Literal["ok", "hash-only"]
AddStatus = Literal["added", "unchanged", "updated"]

#: Length of a global descriptor, and bytes of a perceptual hash.
DIMENSION = 256
HASH_BYTES = 32
#: Most vectors that one asset may have (whole picture, tiles ...).
MAX_PARTS = 64
LIST_SCHEMA = "index-list/1"
#: How many visual words there are; features of one word share a list.
WORDS = 1 << 16
#: Raised whenever words, signatures or their points are made in another way: what two coders made
#: does not compare. Features of an older one count as none; adding the picture again renews them.
LOCAL_CODER = 1
#: A local feature: its word, place (x and y in 256ths of the picture's long side), size (16 log2 of
#: its sigma in the same unit), direction (256ths of a turn) and 64-bit signature.
LOCAL_FEATURE = np.dtype(
    [
        ("word", "<u2"),
        ("x", "u1"),
        ("y", "u1"),
        ("sigma", "u1"),
        ("angle", "u1"),
        ("bits", "<u8"),
    ]
)


def location(path: str) -> str:
    """The absolute form of ``path`` that identifies a file (symbolic links are kept)."""
    return os.path.abspath(path)


@dataclass(frozen=True, slots=True, eq=False)
class Content:
    """What the store keeps about a picture's looks.

    ``vectors`` is (P, 256) float32 of unit length, P >= 0; ``pdq`` has 32 bytes; ``proxy`` is a
    small JPEG or None; ``width`` and ``height`` are those of the EXIF-oriented picture. ``local``
    is (N,) of dtype ``LOCAL_FEATURE``, empty where the picture has none, None if not computed.
    """

    vectors: Vectors
    pdq: bytes | None = None
    pdq_quality: int | None = None
    width: int = 0
    height: int = 0
    format: str = ""
    orientation: int = 1
    pixel_hash: str | None = None
    proxy: bytes | None = None
    meta: Mapping[str, str] = field(default_factory=dict)
    local: npt.NDArray[Any] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class LocalQuery:
    """Local features to look up: ``words`` (Q, M) int32, different ones in a line (-1: none).

    Their lists are searched for signatures that differ from ``bits`` (Q,) uint64 in at most
    ``radius`` bits.
    """

    words: npt.NDArray[np.int32]
    bits: npt.NDArray[np.uint64]
    radius: int


@dataclass(frozen=True, slots=True, eq=False)
class LocalHits:
    """Matches of a :class:`LocalQuery`, H of them, ordered by query feature, row and place.

    ``features`` (H,) int64 numbers the query's features; ``rows`` (H,) int64; ``places`` (H,) has
    the fields x, y, sigma and angle of ``LOCAL_FEATURE``; ``distances`` (H,) uint8 are bits.
    """

    features: Rows
    rows: Rows
    places: npt.NDArray[Any]
    distances: npt.NDArray[np.uint8]

    @classmethod
    def none(cls) -> LocalHits:
        """No match."""
        places = np.empty(0, [(name, "u1") for name in ("x", "y", "sigma", "angle")])
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), places, np.empty(0, np.uint8))

    @classmethod
    def of(cls, parts: Sequence[LocalHits]) -> LocalHits:
        """The matches of several parts of an index, in order."""
        if not parts:
            return cls.none()
        names = ("features", "rows", "places", "distances")
        joined = cls(*(np.concatenate([getattr(p, name) for p in parts]) for name in names))
        place = np.ascontiguousarray(joined.places).view("<u4")
        return joined.where(np.lexsort((joined.distances, place, joined.rows, joined.features)))

    def where(self, chosen: npt.NDArray[Any]) -> LocalHits:
        """Those of a mask or of indices."""
        return LocalHits(
            self.features[chosen], self.rows[chosen], self.places[chosen], self.distances[chosen]
        )


@dataclass(frozen=True, slots=True, eq=False)
class NewAsset:
    """One picture (or bare hash) to add.

    ``content`` may be None where ``sha256`` is already in the store. ``asset`` is the user's own
    id. ``meta`` is the user's: it wins over the picture's embedded metadata, and an empty value
    removes the key. ``path`` is as the user named it; None for hash-only assets.
    """

    sha256: str | None
    content: Content | None
    path: str | None = None
    size: int | None = None
    mtime_ns: int | None = None
    asset: str | None = None
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AddResult:
    """What became of one :class:`NewAsset`; ``error`` is set where it was refused."""

    path: str | None
    asset: str | None
    status: AddStatus | None
    sha256: str | None
    row: int | None
    error: InputError | None = None


@dataclass(frozen=True, slots=True)
class KnownPath:
    """What the store remembers of a file: enough to skip it when size and mtime are unchanged."""

    asset: str
    sha256: str
    size: int | None
    mtime_ns: int | None
    own_id: bool
    meta: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AssetRow:
    """One asset as search and reports need it.

    ``path`` is the first path that still exists (else the first): as the user gave it where that
    leads to the same file from the current folder, absolute otherwise. None for hash-only assets.
    """

    row: int
    asset: str
    sha256: str | None
    path: str | None
    paths: tuple[str, ...]
    width: int
    height: int
    format: str
    orientation: int
    pixel_hash: str | None
    pdq: bytes | None
    pdq_quality: int | None
    meta: dict[str, str]
    status: AssetStatus


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of ``index list``: a path that was ingested, or a hash-only asset (no path).

    ``status`` is ``ok``, ``missing`` (the original is gone; the asset is still found) or
    ``hash-only``. ``location`` is the absolute path.
    """

    path: str | None
    asset: str
    sha256: str | None
    status: Literal["ok", "missing", "hash-only"]
    meta: dict[str, str]
    location: str | None

    def to_dict(self) -> dict[str, Any]:
        """JSON form of ``index-list/1``."""
        return {
            "schema": LIST_SCHEMA,
            "path": self.path,
            "asset": self.asset,
            "sha256": self.sha256,
            "status": self.status,
            "meta": self.meta,
            "location": self.location,
        }


@dataclass(frozen=True, slots=True)
class Removed:
    """What ``remove`` did for one target; ``assets`` are those that are gone altogether."""

    target: str
    paths: tuple[str, ...]
    assets: tuple[str, ...]
    error: InputError | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form of ``index-remove/1``."""
        line: dict[str, Any] = {"schema": "index-remove/1", "target": self.target}
        if self.error is not None:
            return {**line, "error": self.error.to_dict()}
        return {**line, "paths": list(self.paths), "assets": list(self.assets)}


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What ``check`` found: ``repaired`` needs nothing more, ``damage`` remains."""

    counts: dict[str, int]
    repaired: tuple[str, ...] = ()
    damage: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Consistent, or repaired."""
        return not self.damage

    def to_dict(self) -> dict[str, Any]:
        """JSON form of ``index-check/1``."""
        return {
            "schema": "index-check/1",
            "ok": self.ok,
            "counts": self.counts,
            "repaired": list(self.repaired),
            "damage": list(self.damage),
        }


class VectorIndex(Protocol):
    """The verb of the kind ``index``: nearest neighbours among numbered entries.

    Ids need not be unique (an asset may have several vectors) but must ascend. Results are (Q, k),
    nearest first; places that nothing fills have id -1.
    """

    #: True: scores are similarities (inner products). False: distances (Hamming).
    larger_is_nearer: bool

    def build(self, vectors: npt.NDArray[Any], ids: Rows) -> None:
        """Replace the contents by ``vectors`` (N, d) numbered ``ids`` (N,) int64, ascending."""
        ...

    def search(
        self,
        queries: npt.NDArray[Any],
        k: int,
        exclude: Rows | None = None,
        only: Rows | None = None,
    ) -> tuple[Rows, npt.NDArray[Any]]:
        """Ids and scores, each (Q, k); ids in ``exclude`` or not in ``only`` never appear."""
        ...

    def save(self, path: str) -> None:
        """Write to one file (the caller makes it durable)."""
        ...

    @classmethod
    def load(cls, path: str, mmap: bool = True) -> VectorIndex:
        """Read what :meth:`save` wrote, mapped into memory where the format allows."""
        ...


class Store(Protocol):
    """Everything the rest of OriginLens asks of a store. All methods raise ``StoreError``s only."""

    @property
    def descriptor(self) -> str:
        """Name of the registered descriptor whose vectors are kept."""
        ...

    def add(self, items: Sequence[NewAsset]) -> list[AddResult]:
        """Add in one durable transaction: when it returns, a crash loses nothing of it."""
        ...

    def known(self, paths: Sequence[str]) -> list[KnownPath | None]:
        """What is stored about each path; None for a new one."""
        ...

    def search_vectors(
        self, queries: Vectors, k: int, where: Mapping[str, str] | None = None
    ) -> tuple[Rows, Vectors]:
        """Rows (Q, k) int64 (-1 pads) and cosine similarity (Q, k) float32 (-1.0 pads).

        Best first. ``queries`` is (Q, 256) float32 of unit length. ``where`` keeps assets whose
        metadata has all these values.
        """
        ...

    def search_hashes(
        self, hashes: Hashes, k: int, where: Mapping[str, str] | None = None
    ) -> tuple[Rows, npt.NDArray[np.int32]]:
        """Rows (Q, k) int64 (-1 pads) and Hamming distance (Q, k) int32 (257 pads), nearest first.

        ``hashes`` is (Q, 32) uint8. Exact.
        """
        ...

    def search_local(self, query: LocalQuery, where: Mapping[str, str] | None = None) -> LocalHits:
        """Every match of the query's local features. Exact; no asset without features has any."""
        ...

    def rows(self, ids: Sequence[int]) -> list[AssetRow]:
        """The assets of these rows in this order; rows that are gone are left out."""
        ...

    def by_asset(self, asset: str) -> AssetRow | None:
        """The asset with this public id."""
        ...

    def by_sha256(self, sha256: str) -> list[AssetRow]:
        """Assets with these bytes (at most one)."""
        ...

    def by_pixel_hash(self, pixel_hash: str) -> list[AssetRow]:
        """Assets whose decoded pixels are known to have this hash."""
        ...

    def vectors(self, ids: Sequence[int]) -> Vectors:
        """(N, 256) float32, the first vector of each row; zeros for rows that have none."""
        ...

    def proxy(self, row: int) -> bytes | None:
        """The small JPEG of that row, if one is kept."""
        ...

    def sample(self, n: int, rng: np.random.Generator) -> list[int]:
        """Up to ``n`` different live rows that have a vector, drawn uniformly."""
        ...

    def state(self, key: str) -> dict[str, Any] | None:
        """A small JSON value kept for the caller (calibration)."""
        ...

    def set_state(self, key: str, value: dict[str, Any] | None) -> None:
        """Keep (or with None: drop) a JSON value."""
        ...

    def __len__(self) -> int:
        """How many assets there are, hash-only ones included."""
        ...

    def listed(self) -> Iterator[Listed]:
        """A line per ingested path and per hash-only asset, in order of ingestion."""
        ...

    def remove(self, targets: Sequence[str]) -> list[Removed]:
        """Remove assets by id or sha256, or paths by file or folder; durable on return."""
        ...

    def info(self) -> dict[str, Any]:
        """Counts, sizes, versions, the segment table and stored calibration."""
        ...

    def check(self) -> CheckReport:
        """Verify every checksum and count; repair what can be rebuilt."""
        ...

    def compact(self) -> dict[str, Any]:
        """Drop removed entries from the segments and give bytes back; says what it did."""
        ...

    def export(self, path: str, *, proxies: bool = True) -> int:
        """Write everything as JSON lines (schema ``index-export/1``); the number of assets."""
        ...

    def import_(self, path: str) -> Iterable[AddResult]:
        """Add what :meth:`export` wrote; a result per asset and path."""
        ...

    def close(self) -> None:
        """Release files and locks."""
        ...
