"""Immutable segment files plus a flat buffer: the nearest-neighbour side of the catalog.

Entries whose row is beyond the last segmented one are searched in a flat buffer read from the
catalog. When the buffer has grown, its entries go to a new segment, together with those of smaller
segments behind it, so that the number of segments stays logarithmic and each entry is rewritten a
logarithmic number of times. A segment is written beside its place, synced, renamed, and only then
named by a row of the catalog: a crash leaves at most a file that no row names.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import Any, Protocol, cast

import numpy as np
import numpy.typing as npt

from originlens.core.errors import StoreError
from originlens.core.registry import make, method
from originlens.store import (
    DIMENSION,
    HASH_BYTES,
    LOCAL_CODER,
    LOCAL_FEATURE,
    MAX_PARTS,
    LocalHits,
    LocalQuery,
    Rows,
    VectorIndex,
)
from originlens.store._catalog import SEGMENTS, has_local_table, open_catalog, transaction
from originlens.store._local_lists import LocalLists

Connection = sqlite3.Connection
Entries = tuple[Rows, npt.NDArray[Any]]
#: Buffered entries from which a segment is worth its file; below, loading takes about 40 ms.
BUFFER = 8192
#: From so many entries on, a segment's vectors are searched approximately.
APPROXIMATE_FROM = 20_000
#: Segments this large are not merged any further, which bounds the memory of a merge (256 MB).
LARGEST = 262_144
#: The same for pictures with local features: 40 MB a segment, 200 MB for a merge.
LARGEST_LOCAL = 16_384
#: Buffered pictures from which a segment of local features is worth its file: 0.4 M features.
BUFFER_LOCAL = 2048
#: Name of the method of segments of local features.
LISTS = f"lists-{LOCAL_CODER}"
#: Files up to this size are verified against their checksum whenever they are opened.
_VERIFIED_BYTES = 64 << 20
_COLUMNS = "kind, method, file, sha256, bytes, first, last, count"
_log = logging.getLogger(__name__)


class Segment(Protocol):
    """What segments of every kind can do; how they are searched is their kind's own."""

    def build(self, values: npt.NDArray[Any], ids: Rows, /) -> None:
        """Replace the contents."""
        ...

    def save(self, path: str) -> None:
        """Write to one file (the caller makes it durable)."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of entries: how to read it from the catalog and how to index it.

    A blob of the catalog holds one entry, or with ``many`` any number of them. ``exact`` and
    ``approximate`` name methods. Segments hold up to ``largest`` of what ``count`` counts, and are
    written from ``1 / share`` of the store's buffer on.
    """

    name: str
    width: int
    dtype: Any
    query: str
    count: str
    exact: str
    approximate: str
    many: bool = False
    largest: int = LARGEST
    share: int = 1
    suffix: str = "faiss"

    def read(self, db: Connection, first: int, last: int) -> Entries:
        """Ids and values of the rows ``first``..``last``, ascending, as the catalog has them."""
        found = db.execute(self.query, (first, last)).fetchall() if self._is_there(db) else []
        size = self.width * np.dtype(self.dtype).itemsize
        # A blob of a wrong length is damage that check reports; it must not shift its neighbours.
        found = [(row, blob) for row, blob in found if self._is_sound(len(blob), size)]
        ids = np.fromiter((row for row, _ in found), np.int64, len(found))
        counts = np.fromiter((len(blob) // size for _, blob in found), np.int64, len(found))
        values = np.frombuffer(b"".join(blob for _, blob in found), self.dtype)
        return np.repeat(ids, counts), values if self.many else values.reshape(-1, self.width)

    def _is_sound(self, length: int, size: int) -> bool:
        return length % size == 0 if self.many else length == size

    def _is_there(self, db: Connection) -> bool:
        return self.name != "local" or has_local_table(db)

    def counted(self, db: Connection, first: int, last: int) -> int:
        """How much the catalog has of it in the rows ``first``..``last``."""
        if not self._is_there(db):
            return 0
        return int(db.execute(self.count, (first, last)).fetchone()[0])

    def buffered(self, buffer: int) -> int:
        """How many are kept outside segments where the store's buffer has that size."""
        return max(1, buffer // self.share)

    def index(self, count: int) -> str:
        """The method for so many entries."""
        return self.exact if count < APPROXIMATE_FROM else self.approximate

    def make(self, name: str) -> Any:
        """An empty segment of that method."""
        return LocalLists() if name == LISTS else make("index", name)

    def load(self, name: str, path: str) -> Any:
        """The segment of that method in a file, mapped into memory where possible."""
        if name not in (self.exact, self.approximate):
            raise StoreError(f"it is of another method, {name}")
        if name == LISTS:
            return LocalLists.load(path)
        return cast("type[VectorIndex]", method("index", name).cls).load(path)


KINDS = (
    Kind(
        "vector",
        DIMENSION,
        np.dtype("<f4"),
        f"SELECT entry / {MAX_PARTS}, data FROM vector "
        f"WHERE entry >= ? * {MAX_PARTS} AND entry < (? + 1) * {MAX_PARTS} ORDER BY entry",
        f"SELECT count(*) FROM vector "
        f"WHERE entry >= ? * {MAX_PARTS} AND entry < (? + 1) * {MAX_PARTS}",
        "flat",
        "pq-fast-scan",
    ),
    Kind(
        "hash",
        HASH_BYTES,
        np.uint8,
        "SELECT row, pdq FROM asset WHERE row BETWEEN ? AND ? AND pdq IS NOT NULL ORDER BY row",
        "SELECT count(*) FROM asset WHERE row BETWEEN ? AND ? AND pdq IS NOT NULL",
        "flat-binary",
        "flat-binary",
    ),
    Kind(
        "local",
        1,
        LOCAL_FEATURE,
        "SELECT row, data FROM local_features "
        f"WHERE row BETWEEN ? AND ? AND coder = {LOCAL_CODER} ORDER BY row",
        "SELECT count(*) FROM local_features "
        f"WHERE row BETWEEN ? AND ? AND coder = {LOCAL_CODER} AND length(data) > 0",
        LISTS,
        LISTS,
        many=True,
        largest=LARGEST_LOCAL,
        share=BUFFER // BUFFER_LOCAL,
        suffix="lists",
    ),
)


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A row of the catalog's segment table."""

    id: int
    kind: str
    method: str
    file: str
    sha256: str
    bytes: int
    first: int
    last: int
    count: int


def table(db: Connection, kind: str | None = None) -> list[SegmentRow]:
    """Published segments (of one kind), oldest rows first."""
    found = db.execute(f"SELECT id, {_COLUMNS} FROM segment ORDER BY kind, first")
    rows = [SegmentRow(*values) for values in found]
    return [row for row in rows if kind in (None, row.kind)]


class Searchable:
    """The entries of one kind as one reader sees them; :meth:`refresh` follows the catalog."""

    def __init__(self, folder: str, kind: Kind) -> None:
        self._folder, self._kind = folder, kind
        self._segments: dict[int, Any] = {}
        self._ids: Rows = np.empty(0, np.int64)
        shape = (0,) if kind.many else (0, kind.width)
        self._values: npt.NDArray[Any] = np.empty(shape, kind.dtype)
        self._buffer: Any = None
        self._loaded = 0

    def refresh(self, db: Connection, last_row: int) -> None:
        """Load what was published and added since; the caller holds a read transaction."""
        published = table(db, self._kind.name)
        wanted = {s.id: s for s in published}
        self._segments = {i: s for i, s in self._segments.items() if i in wanted}
        for number, row in wanted.items():
            if number not in self._segments:
                self._segments[number] = self._open(db, row)
        covered = max((s.last for s in published), default=0)
        keep = self._ids > covered
        ids, values = self._ids[keep], self._values[keep]
        first = max(covered, self._loaded) + 1
        if last_row >= first:
            new_ids, new_values = self._kind.read(db, first, last_row)
            ids, values = np.concatenate([ids, new_ids]), np.concatenate([values, new_values])
        if len(ids) != len(self._ids) or self._buffer is None:
            self._ids, self._values = ids, values
            self._buffer = self._kind.make(self._kind.exact)
            self._buffer.build(values, ids)
        self._loaded = max(self._loaded, last_row, covered)

    def _open(self, db: Connection, row: SegmentRow) -> Any:
        """The segment's index; where its file is damaged, an exact one made from the catalog."""
        path = os.path.join(self._folder, SEGMENTS, row.file)
        problem = verify(path, row, whole=row.bytes <= _VERIFIED_BYTES)
        if problem is None:
            try:
                index = self._kind.load(row.method, path)
            except (RuntimeError, OSError, StoreError) as error:
                problem = str(error)
            else:
                return index
        if not os.path.exists(path) and _is_gone(self._folder, row):
            raise SegmentGone(path)
        _log.warning("%s: %s; searching without it: run `originlens index check`", path, problem)
        index = self._kind.make(self._kind.exact)
        ids, values = self._kind.read(db, row.first, row.last)
        index.build(values, ids)
        return index

    @cached_property
    def _larger_is_nearer(self) -> bool:
        return bool(self._kind.make(self._kind.exact).larger_is_nearer)

    @property
    def _parts(self) -> list[Any]:
        return [*self._segments.values(), *([] if self._buffer is None else [self._buffer])]

    def nearest(
        self, queries: npt.NDArray[Any], k: int, exclude: Rows | None, only: Rows | None
    ) -> tuple[Rows, npt.NDArray[Any]]:
        """The nearest ``k`` rows of all segments and the buffer: (Q, k), -1 pads.

        A row with several vectors appears once, with its nearest; ties go to the older row.
        """
        found = [part.search(queries, k, exclude=exclude, only=only) for part in self._parts]
        if not found:
            pad = -np.inf if self._larger_is_nearer else self._kind.width * 8 + 1
            return np.full((len(queries), k), -1, np.int64), np.full((len(queries), k), pad)
        ids = np.concatenate([i for i, _ in found], axis=1)
        scores = np.concatenate([s for _, s in found], axis=1)
        return _nearest(ids, scores, k, self._larger_is_nearer)

    def matches(self, query: LocalQuery, exclude: Rows | None, only: Rows | None) -> LocalHits:
        """The matches of local features in all segments and the buffer, in order."""
        return LocalHits.of([part.search(query, exclude, only) for part in self._parts])


class SegmentGone(StoreError):
    """A segment was replaced between reading the catalog and opening its file: read again."""


def _is_gone(folder: str, row: SegmentRow) -> bool:
    """Whether the catalog on disk no longer names that segment."""
    now = open_catalog(folder, write=False, header={})
    try:
        return now.execute("SELECT 1 FROM segment WHERE id = ?", (row.id,)).fetchone() is None
    finally:
        now.close()


def _nearest(
    ids: Rows, scores: npt.NDArray[Any], k: int, larger_is_nearer: bool
) -> tuple[Rows, npt.NDArray[Any]]:
    key = -scores if larger_is_nearer else scores
    order = np.lexsort((ids, key), axis=1)
    ids, scores = np.take_along_axis(ids, order, 1), np.take_along_axis(scores, order, 1)
    # Rows with several vectors: keep the first (nearest) occurrence of each id in a line.
    by_id = np.argsort(ids, axis=1, kind="stable")
    sorted_ids = np.take_along_axis(ids, by_id, 1)
    repeated = np.zeros_like(ids, dtype=bool)
    repeated[:, 1:] = (sorted_ids[:, 1:] == sorted_ids[:, :-1]) & (sorted_ids[:, 1:] >= 0)
    again = np.zeros_like(repeated)
    np.put_along_axis(again, by_id, repeated, 1)
    last = np.argsort(again | (ids < 0), axis=1, kind="stable")[:, :k]
    ids = np.where(again, -1, ids)
    return np.take_along_axis(ids, last, 1), np.take_along_axis(scores, last, 1)


def verify(path: str, row: SegmentRow, *, whole: bool = True) -> str | None:
    """What is wrong with a segment's file: None if size (and, if ``whole``, checksum) agree."""
    try:
        size = os.path.getsize(path)
        if size != row.bytes:
            return f"the segment has {size} bytes, not {row.bytes}"
        if whole and _sha256(path) != row.sha256:
            return "the segment's checksum is wrong"
    except FileNotFoundError:
        return "the segment is missing"
    except OSError as error:
        return f"the segment cannot be read: {error.strerror}"
    return None


def _sha256(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unsegmented(db: Connection, kind: Kind) -> int:
    """How many entries are in no segment yet."""
    covered = max((s.last for s in table(db, kind.name)), default=0)
    return kind.counted(db, covered + 1, 1 << 40)


def flush(folder: str, db: Connection, kind: Kind, *, everything: bool = False) -> None:
    """Publish the buffered entries as a segment, merging smaller neighbours into it.

    ``everything`` rebuilds all segments of the kind (compaction, repair). Writer only.
    """
    published = table(db, kind.name)
    last = int(db.execute("SELECT coalesce(max(row), 0) FROM asset").fetchone()[0])
    if everything:
        replaced, kept = published, []
    else:
        replaced, kept = [], list(published)
        count = unsegmented(db, kind)
        while kept and kept[-1].count <= 2 * count and kept[-1].count + count <= kind.largest:
            replaced.append(kept.pop())
            count += replaced[-1].count
    first = max((s.last for s in kept), default=0) + 1
    made = []
    while first <= last:
        # Whole rows per segment, so that a range of rows is in exactly one of them.
        upto = _range_end(db, kind, first, last)
        entries = kind.read(db, first, upto)
        if len(entries[0]):
            made.append(_write(folder, kind, first, upto, entries))
        first = upto + 1
    with transaction(db):
        db.executemany("DELETE FROM segment WHERE id = ?", [(s.id,) for s in replaced])
        for segment in made:
            values = astuple(segment)[1:]
            marks = ", ".join("?" * len(values))
            db.execute(f"INSERT INTO segment ({_COLUMNS}) VALUES ({marks})", values)
    reused = {segment.file for segment in made}  # the same entries make the same file
    for segment in replaced:
        if segment.file not in reused:
            _unlink(os.path.join(folder, SEGMENTS, segment.file))


def _range_end(db: Connection, kind: Kind, first: int, last: int) -> int:
    """The last row of a segment that starts at ``first`` and stays within the largest size."""
    upto = last
    while upto > first and kind.counted(db, first, upto) > kind.largest:
        upto = first + (upto - first) // 2
    return upto


def _write(folder: str, kind: Kind, first: int, last: int, entries: Entries) -> SegmentRow:
    ids, values = entries
    name = kind.index(len(ids))
    index: Segment = kind.make(name)
    index.build(values, ids)
    count = len(np.unique(ids)) if kind.many else len(ids)
    directory = os.path.join(folder, SEGMENTS)
    os.makedirs(directory, exist_ok=True)
    temporary = os.path.join(directory, f".{kind.name}-{first}-{last}.{os.getpid()}")
    index.save(temporary)
    with open(temporary, "r+b") as file:
        os.fsync(file.fileno())
    digest = _sha256(temporary)
    # The digest in the name: a rebuilt segment never takes the place of one that is mapped.
    final = f"{kind.name}-{first}-{last}-{digest[:12]}.{kind.suffix}"
    size = os.path.getsize(temporary)
    os.replace(temporary, os.path.join(directory, final))
    sync_folder(directory)
    return SegmentRow(0, kind.name, name, final, digest, size, first, last, count)


def sync_folder(path: str) -> None:
    """Make renames and new names in a folder durable (not possible, nor needed, on Windows)."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sweep(folder: str, db: Connection) -> list[str]:
    """Delete files that no row names: left by a crash, or mapped when replaced (Windows)."""
    directory = os.path.join(folder, SEGMENTS)
    if not os.path.isdir(directory):
        return []
    named = {s.file for s in table(db)}
    return [
        n
        for n in sorted(os.listdir(directory))
        if n not in named and _unlink(os.path.join(directory, n))
    ]


def _unlink(path: str) -> bool:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        _log.info("%s: still in use, left for the next sweep: %s", path, error)
        return False
    return True
