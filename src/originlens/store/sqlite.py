"""The embedded store: one folder with a SQLite catalog, proxies and immutable FAISS segments.

    DIR/catalog.sqlite        assets, paths, hashes, descriptors, tombstones, segments, state
    DIR/proxies.sqlite        small JPEGs; may be deleted, which costs verification
    DIR/segments/*            derived from the catalog; check rebuilds them
    DIR/writer.lock           locked by the operating system while someone writes

One writer, any number of readers, also in other processes. A reader sees what was committed before
each call. See docs/decisions/0003-store.md.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from originlens.core.errors import StoreError
from originlens.core.registry import DEFAULT_DESCRIPTOR, FIRST_DESCRIPTOR
from originlens.store import (
    DIMENSION,
    MAX_PARTS,
    AddResult,
    AssetRow,
    CheckReport,
    Hashes,
    KnownPath,
    Listed,
    LocalHits,
    LocalQuery,
    NewAsset,
    Removed,
    Rows,
    Vectors,
    _assets,
    _check,
    _reading,
    _removing,
    _segments,
    _transfer,
)
from originlens.store._catalog import (
    FORMAT,
    LOCK,
    checkpoint,
    open_catalog,
    transaction,
    translated,
)
from originlens.store._lock import WriterLock
from originlens.store._proxies import Proxies

_PAGE = 2000


class SqliteStore:
    """A :class:`~originlens.store.Store` in a folder.

    Args:
        folder: the index folder.
        mode: ``"r"`` reads, takes no lock and creates nothing; ``"w"`` creates what is missing and
            holds the writer's lock until :meth:`close`.
        descriptor: name of the registered descriptor whose vectors a new index will hold; one that
            is there keeps its own (:attr:`descriptor`).
        buffer: entries that are kept outside segments before a segment is written.

    Raises:
        IndexMissing, IndexLocked, IndexVersion, IndexCorrupt, StoreError.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        mode: Literal["r", "w"] = "r",
        *,
        descriptor: str = DEFAULT_DESCRIPTOR,
        buffer: int = _segments.BUFFER,
    ) -> None:
        self.folder = os.path.abspath(os.fspath(folder))
        self.mode = mode
        self._buffer = buffer
        self._mutex = threading.RLock()
        self._writer: WriterLock | None = None
        write = mode == "w"
        if write:
            self._make_folder()
            self._writer = WriterLock(os.path.join(self.folder, LOCK))
        try:
            with translated(self.folder):
                self._open(write, descriptor)
        except BaseException:
            if self._writer is not None:
                self._writer.release()
            raise

    def _open(self, write: bool, descriptor: str) -> None:
        header = {"dimension": DIMENSION, "descriptor": descriptor}
        self._db = open_catalog(self.folder, write=write, header=header)
        self._proxies = Proxies(self.folder, write=write)
        self._stale = True
        self._version = self._epoch = -1
        self._live_rows: Rows | None = None
        self._pending = {k.name: 0 for k in _segments.KINDS}
        self._forget()
        if write:
            _segments.sweep(self.folder, self._db)
            self._pending = {k.name: _segments.unsegmented(self._db, k) for k in _segments.KINDS}

    def _make_folder(self) -> None:
        try:
            os.makedirs(self.folder, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{self.folder}: cannot be made: {error.strerror}") from error
        _segments.sync_folder(os.path.dirname(self.folder))

    def __enter__(self) -> SqliteStore:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Merge the log into the catalog (writer), close the files, release the lock."""
        with self._mutex:
            try:
                if self._writer is not None:
                    checkpoint(self._db)
            except sqlite3.Error:
                pass  # the log stays and is merged by whoever opens next; nothing is lost
            finally:
                self._db.close()
                self._proxies.close()
                if self._writer is not None:
                    self._writer.release()
                    self._writer = None

    # -- what everything below stands on

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """One thread at a time, SQLite's errors as ours."""
        with self._mutex, translated(self.folder):
            yield

    def _require_writer(self) -> None:
        if self._writer is None:
            raise StoreError(
                f"{self.folder}: opened for reading; open it with mode 'w' to change it"
            )

    def _forget(self) -> None:
        self._searchable = {k.name: _segments.Searchable(self.folder, k) for k in _segments.KINDS}
        self._tombstones: Rows = np.empty(0, np.int64)
        self._parts = 1

    def _refresh(self) -> None:
        """Follow what was committed since the last call; cheap where nothing was."""
        version = self._db.execute("PRAGMA data_version").fetchone()[0]
        if version == self._version and not self._stale:
            return
        for attempt in range(5):
            try:
                with transaction(self._db, write=False):
                    self._load()
                break
            except _segments.SegmentGone:
                if attempt == 4:
                    raise
        self._version = self._db.execute("PRAGMA data_version").fetchone()[0]
        self._stale = False
        self._live_rows = None

    def _load(self) -> None:
        epoch = self.state("epoch")
        if epoch != self._epoch:
            self._forget()
            self._epoch = epoch
        self._parts = int(self.state("parts") or 1)
        last = self._db.execute("SELECT coalesce(max(row), 0) FROM asset").fetchone()[0]
        found = [row for (row,) in self._db.execute("SELECT row FROM tombstone ORDER BY row")]
        self._tombstones = np.asarray(found, dtype=np.int64)
        for searchable in self._searchable.values():
            searchable.refresh(self._db, int(last))

    # -- writing

    def add(self, items: Sequence[NewAsset]) -> list[AddResult]:
        """Add in one durable transaction: when it returns, a crash loses nothing of it."""
        self._require_writer()
        changes = _assets.Changes()
        with self._guard():
            self._proxies.put(
                (bytes.fromhex(i.sha256), i.content.proxy)
                for i in items
                if i.sha256 is not None and i.content is not None and i.content.proxy is not None
            )
            with transaction(self._db):
                results = [_assets.add(self._db, item, changes) for item in items]
                parts = max((len(i.content.vectors) for i in items if i.content), default=0)
                if parts > int(self.state("parts") or 1):
                    self._write_state("parts", parts)
            self._after(changes)
            for kind in _segments.KINDS:
                if self._pending[kind.name] >= kind.buffered(self._buffer):
                    self.flush()
        return results

    def _after(self, changes: _assets.Changes) -> None:
        """Follow up a durable transaction."""
        self._stale = True
        for kind, count in changes.added.items():
            self._pending[kind] += count
        if changes.dropped:
            # A picture may have been dropped at one path and added at another in one batch.
            gone = [s for s in changes.dropped if not self._has(s)]
            self._proxies.delete(gone)

    def _has(self, sha256: bytes) -> bool:
        query = "SELECT 1 FROM asset WHERE sha256 = ?"
        return self._db.execute(query, (sha256,)).fetchone() is not None

    def flush(self) -> None:
        """Publish the buffered entries as segments where there are enough of them."""
        self._require_writer()
        with self._guard():
            for kind in _segments.KINDS:
                if self._pending[kind.name] >= kind.buffered(self._buffer):
                    _segments.flush(self.folder, self._db, kind)
                    self._pending[kind.name] = 0
                    self._stale = True

    def remove(self, targets: Sequence[str]) -> list[Removed]:
        """Remove assets by id or sha256, or paths by file or folder; durable on return.

        A path takes its asset with it only if no other path leads to it. Bytes of vectors in
        segments are gone after :meth:`compact`, all others at once.
        """
        self._require_writer()
        changes = _assets.Changes()
        with self._guard():
            with transaction(self._db):
                removed = [_removing.remove(self._db, target, changes) for target in targets]
            self._after(changes)
        return removed

    # -- searching

    def search_vectors(
        self, queries: Vectors, k: int, where: Mapping[str, str] | None = None
    ) -> tuple[Rows, Vectors]:
        """Rows (Q, k) int64 (-1 pads) and cosine similarity (Q, k) float32 (-1.0 pads)."""
        ids, scores = self._search("vector", np.asarray(queries, np.float32), k, where)
        return ids, np.where(ids < 0, -1.0, scores).astype(np.float32)

    def search_hashes(
        self, hashes: Hashes, k: int, where: Mapping[str, str] | None = None
    ) -> tuple[Rows, npt.NDArray[np.int32]]:
        """Rows (Q, k) int64 (-1 pads) and Hamming distance (Q, k) int32 (257 pads). Exact."""
        ids, scores = self._search("hash", np.asarray(hashes, np.uint8), k, where)
        return ids, scores.astype(np.int32)

    def _search(
        self, kind: str, queries: npt.NDArray[Any], k: int, where: Mapping[str, str] | None
    ) -> tuple[Rows, npt.NDArray[Any]]:
        if queries.ndim != 2:
            raise ValueError(f"queries have shape (Q, d), not {queries.shape}")
        with self._guard():
            self._refresh()
            only = self._only(where)
            # Of a row with several vectors only the nearest counts: ask for more, then merge.
            wanted = k * self._parts if kind == "vector" else k
            ids, scores = self._searchable[kind].nearest(queries, wanted, self._tombstones, only)
            return ids[:, :k], scores[:, :k]

    def _only(self, where: Mapping[str, str] | None) -> Rows | None:
        """Rows with that metadata; None where any row will do."""
        if not where:
            return None
        return np.asarray(_reading.matching(self._db, where), dtype=np.int64)

    def search_local(self, query: LocalQuery, where: Mapping[str, str] | None = None) -> LocalHits:
        """Every match of the query's local features. Exact; no asset without features has any."""
        with self._guard():
            self._refresh()
            return self._searchable["local"].matches(query, self._tombstones, self._only(where))

    # -- reading

    def known(self, paths: Sequence[str]) -> list[KnownPath | None]:
        """What is stored about each path; None for a new one."""
        with self._guard():
            return [_reading.known(self._db, path) for path in paths]

    def rows(self, ids: Sequence[int]) -> list[AssetRow]:
        """The assets of these rows in this order; rows that are gone are left out."""
        with self._guard():
            return _reading.rows(self._db, ids)

    def by_asset(self, asset: str) -> AssetRow | None:
        """The asset with this public id."""
        found = self._rows_where("asset = ?", asset)
        return found[0] if found else None

    def by_sha256(self, sha256: str) -> list[AssetRow]:
        """Assets with these bytes (at most one)."""
        return self._rows_where("sha256 = ?", bytes.fromhex(sha256))

    def by_pixel_hash(self, pixel_hash: str) -> list[AssetRow]:
        """Assets whose decoded pixels are known to have this hash."""
        return self._rows_where("pixel_hash = ?", pixel_hash)

    def _rows_where(self, condition: str, value: Any) -> list[AssetRow]:
        with self._guard():
            query = f"SELECT row FROM asset WHERE {condition} ORDER BY row"
            return _reading.rows(self._db, [row for (row,) in self._db.execute(query, (value,))])

    def vectors(self, ids: Sequence[int]) -> Vectors:
        """(N, 256) float32, the first vector of each row; zeros for rows that have none."""
        found = np.zeros((len(ids), DIMENSION), np.float32)
        at: dict[int, list[int]] = {}
        for place, row in enumerate(ids):
            at.setdefault(int(row) * MAX_PARTS, []).append(place)
        with self._guard():
            for chunk in _reading.chunks(list(at)):
                marks = ", ".join("?" * len(chunk))
                query = f"SELECT entry, data FROM vector WHERE entry IN ({marks})"
                for entry, data in self._db.execute(query, chunk):
                    if len(data) == DIMENSION * 4:
                        found[at[entry]] = np.frombuffer(data, "<f4")
        return found

    def proxy(self, row: int) -> bytes | None:
        """The small JPEG of that row; None if none is kept or its checksum is wrong."""
        with self._guard():
            query = "SELECT sha256, proxy_crc FROM asset WHERE row = ?"
            found = self._db.execute(query, (int(row),)).fetchone()
            if found is None or found[0] is None or found[1] is None:
                return None
            jpeg = self._proxies.get(found[0])
        return jpeg if jpeg is not None and zlib.crc32(jpeg) == found[1] else None

    def sample(self, n: int, rng: np.random.Generator) -> list[int]:
        """Up to ``n`` different live rows that have a vector, drawn uniformly."""
        with self._guard():
            self._refresh()
            if self._live_rows is None:
                query = "SELECT row FROM asset WHERE parts > 0 ORDER BY row"
                found = [row for (row,) in self._db.execute(query)]
                self._live_rows = np.asarray(found, dtype=np.int64)
            size = min(n, len(self._live_rows))
            return [int(r) for r in rng.choice(self._live_rows, size=size, replace=False)]

    def __len__(self) -> int:
        """How many assets there are, hash-only ones included."""
        with self._guard():
            return int(self._db.execute("SELECT count(*) FROM asset").fetchone()[0])

    def listed(self) -> Iterator[Listed]:
        """A line per ingested path and per hash-only asset, in order of ingestion."""
        last: tuple[int, bytes] = (0, b"")
        while True:
            with self._guard():
                page = _reading.page(self._db, last, _PAGE)
            if not page:
                return
            yield from (line for line, _ in page)
            last = page[-1][1]

    # -- state

    def state(self, key: str) -> Any:
        """A small JSON value kept for the caller (calibration); None if there is none."""
        with self._guard():
            found = self._db.execute("SELECT value FROM state WHERE key = ?", (key,)).fetchone()
            return None if found is None else json.loads(found[0])

    def set_state(self, key: str, value: dict[str, Any] | None) -> None:
        """Keep (or with None: drop) a JSON value."""
        self._require_writer()
        with self._guard(), transaction(self._db):
            if value is None:
                self._db.execute("DELETE FROM state WHERE key = ?", (key,))
            else:
                self._write_state(key, value)

    @property
    def descriptor(self) -> str:
        """Name of the descriptor whose vectors are kept: only its own compare with them."""
        return str(self.state("descriptor") or FIRST_DESCRIPTOR)

    def adopt(self, descriptor: str) -> None:
        """Name the descriptor of the vectors to come; the index is empty.

        Raises:
            StoreError: it holds assets.
        """
        if len(self):
            raise StoreError(f"{self.folder}: holds vectors of {self.descriptor} already")
        self._require_writer()
        with self._guard(), transaction(self._db):
            self._write_state("descriptor", descriptor)

    def _write_state(self, key: str, value: Any) -> None:
        self._db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (key, json.dumps(value)))

    # -- care

    def info(self) -> dict[str, Any]:
        """Counts, sizes, versions, the segment table and stored state."""
        with self._guard(), transaction(self._db, write=False):
            counts = _check.counts(self._db)
            segments = [asdict(s) for s in _segments.table(self._db)]
            state = dict(self._db.execute("SELECT key, value FROM state ORDER BY key").fetchall())
            buffered = {k.name: _segments.unsegmented(self._db, k) for k in _segments.KINDS}
        return {
            "schema": "index-info/1",
            "path": self.folder,
            "format": FORMAT,
            "descriptor": self.descriptor,
            **counts,
            "proxies": self._proxies.count(),
            "buffered": buffered,
            "bytes": _check.sizes(self.folder),
            "segments": segments,
            "state": {key: json.loads(value) for key, value in state.items()},
            "versions": {"sqlite": sqlite3.sqlite_version},
        }

    def check(self) -> CheckReport:
        """Verify every checksum and count; repair what can be rebuilt (a writer only)."""
        with self._guard():
            report = _check.check(self.folder, self._db, self._proxies, repair=self.mode == "w")
            self._reset()
        return report

    def compact(self) -> dict[str, Any]:
        """Rebuild segments without removed entries and give the bytes back.

        Returns ``{"schema", "removed", "bytes_before", "bytes_after", "erased"}``; ``erased`` is
        False where another process was still reading the log: its bytes go once it has closed.
        """
        self._require_writer()
        with self._guard():
            before = sum(_check.sizes(self.folder).values())
            removed, erased = _check.compact(self.folder, self._db, self._proxies)
            self._reset()
        after = sum(_check.sizes(self.folder).values())
        return {
            "schema": "index-compact/1",
            "removed": removed,
            "bytes_before": before,
            "bytes_after": after,
            "erased": erased,
        }

    def _reset(self) -> None:
        self._stale, self._epoch = True, -1
        self._pending = {k.name: _segments.unsegmented(self._db, k) for k in _segments.KINDS}

    def export(self, path: str, *, proxies: bool = True) -> int:
        """Write everything as JSON lines (schema ``index-export/1``); the number of assets."""
        return _transfer.export(self, path, proxies=proxies)

    def everything(self, *, proxies: bool) -> Iterator[_transfer.Exported]:
        """Every asset with all that is kept of it, in order of ingestion."""
        last = 0
        while True:
            with self._guard(), transaction(self._db, write=False):
                page = _reading.exported(self._db, last, 100)
            for row, item in page:
                jpeg = self.proxy(row) if proxies else None
                yield replace(item, content=replace(item.content, proxy=jpeg))
                last = row
            if not page:
                return

    def import_(self, path: str) -> Iterator[AddResult]:
        """Add what :meth:`export` wrote; a result per asset and path."""
        return _transfer.import_(self, path)
