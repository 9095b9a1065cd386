"""Care of an index folder: counts, verification with repair, compaction."""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from originlens.store import (
    DIMENSION,
    HASH_BYTES,
    LOCAL_CODER,
    LOCAL_FEATURE,
    MAX_PARTS,
    CheckReport,
    _assets,
    _segments,
)
from originlens.store._catalog import (
    CATALOG,
    PROXIES,
    SEGMENTS,
    checkpoint,
    has_local_table,
    transaction,
)
from originlens.store._proxies import Proxies

Connection = sqlite3.Connection
_PAGE = 2000


def counts(db: Connection) -> dict[str, int]:
    """How many assets, paths, vectors, hash-only assets and tombstones there are."""
    queries = {
        "assets": "SELECT count(*) FROM asset",
        "paths": "SELECT count(*) FROM path",
        "vectors": "SELECT count(*) FROM vector",
        "hash_only": "SELECT count(*) FROM asset WHERE sha256 IS NULL",
        "tombstones": "SELECT count(*) FROM tombstone",
    }
    if has_local_table(db):
        queries["with_local_features"] = (
            f"SELECT count(*) FROM local_features WHERE coder = {LOCAL_CODER}"
        )
    found = {name: int(db.execute(query).fetchone()[0]) for name, query in queries.items()}
    return {"with_local_features": 0, **found}


def sizes(folder: str) -> dict[str, int]:
    """Bytes of the catalog and the proxies (logs included) and of the segments."""

    def size(name: str) -> int:
        path = os.path.join(folder, name)
        return sum(os.path.getsize(p) for p in (path, path + "-wal") if os.path.exists(p))

    directory = os.path.join(folder, SEGMENTS)
    files = os.scandir(directory) if os.path.isdir(directory) else ()
    return {
        "catalog": size(CATALOG),
        "proxies": size(PROXIES),
        "segments": sum(entry.stat().st_size for entry in files),
    }


def check(folder: str, db: Connection, proxies: Proxies, *, repair: bool) -> CheckReport:
    """Verify everything; with ``repair`` rebuild what follows from the catalog."""
    return _Check(folder, db, proxies, repair).run()


class _Check:
    """One verification: collects what was repaired and what stays damaged."""

    def __init__(self, folder: str, db: Connection, proxies: Proxies, repair: bool) -> None:
        self.folder, self.db, self.proxies, self.repair = folder, db, proxies, repair
        self.repaired: list[str] = []
        self.damage: list[str] = []
        self.broken_rows: set[int] = set()

    def run(self) -> CheckReport:
        """All steps, in an order in which later ones rely on earlier ones."""
        try:
            if not self._catalog():
                return CheckReport({}, tuple(self.repaired), tuple(self.damage))
            self._contents()
            found = counts(self.db)
        except sqlite3.DatabaseError as error:
            self._found(f"catalog: {error}; restore the folder from a backup")
            found = {}
        return CheckReport(found, tuple(self.repaired), tuple(self.damage))

    def _contents(self) -> None:
        self._asset_rows()
        self._vectors()
        self._local_features()
        self._paths()
        self._meta_values()
        self._state()
        self._proxy_files()
        self._mark()
        self._segment_files()

    def _found(self, problem: str, *, fixed: bool = False) -> None:
        (self.repaired if fixed else self.damage).append(problem)

    def _catalog(self) -> bool:
        """SQLite's own structure; an index of a table can be rebuilt, a table cannot."""
        try:
            lines = _integrity(self.db)
            if lines and self.repair:
                self.db.execute("REINDEX")
                if not _integrity(self.db):
                    self._found(f"catalog: rebuilt its indexes ({lines[0]})", fixed=True)
                    return True
        except sqlite3.DatabaseError as error:
            lines = [str(error)]
        for line in lines:
            self._found(f"catalog: {line}")
        return not lines

    def _asset_rows(self) -> None:
        columns = f"row, crc, {_assets.COLUMNS}"
        query = f"SELECT {columns} FROM asset WHERE row > ? ORDER BY row LIMIT {_PAGE}"
        for row, crc, *values in _pages(self.db, query):
            pdq, meta = values[8], values[12]
            sound = _assets.checksum(values) == crc and _is_meta(meta)
            if not sound or (pdq is not None and len(pdq) != HASH_BYTES):
                self._broken(row, "its row in the catalog fails its checksum")

    def _broken(self, row: int, what: str) -> None:
        self.broken_rows.add(row)
        found = self.db.execute("SELECT asset FROM asset WHERE row = ?", (row,)).fetchone()
        path = self.db.execute("SELECT given FROM path WHERE row = ?", (row,)).fetchone()
        name = f"asset {found[0]!r}" if found else f"row {row}"
        if path is None:
            advice = "remove it and import it again"
        else:
            advice = f"repair it with: originlens index add {os.fsdecode(path[0])}"
        self._found(f"{name}: {what}; {advice}")

    def _vectors(self) -> None:
        parts: dict[int, int] = {}
        query = f"SELECT entry, data, crc FROM vector WHERE entry > ? ORDER BY entry LIMIT {_PAGE}"
        for entry, data, crc in _pages(self.db, query):
            row = entry // MAX_PARTS
            parts[row] = parts.get(row, 0) + 1
            if not self._exists(row):
                continue
            sound = len(data) == DIMENSION * 4 and zlib.crc32(data) == crc
            if not sound or not np.isfinite(np.frombuffer(data, "<f4")).all():
                self._broken(row, "its descriptor fails its checksum")
        for row, expected in self.db.execute("SELECT row, parts FROM asset").fetchall():
            found = parts.pop(row, 0)
            if found != expected and row not in self.broken_rows:
                self._broken(row, f"it has {found} descriptors, not {expected}")
        for row in parts:
            low = row * MAX_PARTS
            if self.repair:
                self._write(
                    "DELETE FROM vector WHERE entry >= ? AND entry < ?", low, low + MAX_PARTS
                )
            self._found(f"row {row}: descriptors of no asset", fixed=self.repair)

    def _local_features(self) -> None:
        if not has_local_table(self.db):
            return
        query = (
            f"SELECT row, data, crc FROM local_features WHERE row > ? ORDER BY row LIMIT {_PAGE}"
        )
        for row, data, crc in _pages(self.db, query):
            if not self._exists(row):
                if self.repair:
                    self._write("DELETE FROM local_features WHERE row = ?", row)
                self._found(f"row {row}: local features of no asset", fixed=self.repair)
            elif zlib.crc32(data) != crc or len(data) % LOCAL_FEATURE.itemsize:
                self._broken(row, "its local features fail their checksum")

    def _exists(self, row: int) -> bool:
        return self.db.execute("SELECT 1 FROM asset WHERE row = ?", (row,)).fetchone() is not None

    def _paths(self) -> None:
        query = "SELECT location, given, row, size, mtime_ns, crc FROM path"
        for *values, crc in self.db.execute(query).fetchall():
            place = values[0]
            if not self._exists(values[2]):
                if self.repair:
                    self._write("DELETE FROM path WHERE location = ?", place)
                self._found(f"{os.fsdecode(place)}: path of no asset", fixed=self.repair)
            elif _assets.checksum(values) != crc:
                self._found(
                    f"{os.fsdecode(place)}: its path entry fails its checksum; add it again"
                )
                if self.repair:  # the next add looks at the bytes and writes the entry anew
                    self._write(
                        "UPDATE path SET size = NULL, mtime_ns = NULL WHERE location = ?", place
                    )

    def _meta_values(self) -> None:
        """The filter table follows from the assets' metadata."""
        stored = set(self.db.execute("SELECT row, key, value FROM meta_value"))
        wanted = {
            (row, key, value)
            for row, meta in self.db.execute("SELECT row, meta FROM asset")
            if _is_meta(meta)
            for key, value in json.loads(meta).items()
        }
        if stored == wanted:
            return
        if self.repair:
            with transaction(self.db):
                self.db.execute("DELETE FROM meta_value")
                self.db.executemany(
                    "INSERT INTO meta_value (row, key, value) VALUES (?, ?, ?)", sorted(wanted)
                )
        self._found("filters: they did not follow the metadata", fixed=self.repair)

    def _state(self) -> None:
        for key, value in self.db.execute("SELECT key, value FROM state").fetchall():
            try:
                json.loads(value)
            except ValueError:
                if self.repair:
                    self._write("DELETE FROM state WHERE key = ?", key)
                self._found(f"state {key!r} was no JSON and is dropped", fixed=self.repair)

    def _proxy_files(self) -> None:
        lines = self.proxies.integrity()
        for line in lines:
            self._found(f"proxies: {line}")
        if lines:
            return
        query = "SELECT row, sha256, proxy_crc FROM asset WHERE proxy_crc IS NOT NULL ORDER BY row"
        for row, sha, crc in self.db.execute(query).fetchall():
            jpeg = self.proxies.get(sha)
            if jpeg is None or zlib.crc32(jpeg) != crc:
                lost = "missing" if jpeg is None else "damaged"
                self._broken(row, f"its proxy is {lost}")
        orphans = orphaned_proxies(self.db, self.proxies)
        if orphans:
            if self.repair:
                self.proxies.delete(orphans)
            self._found(f"proxies: {len(orphans)} of no asset", fixed=self.repair)

    def _mark(self) -> None:
        """Adding the same bytes replaces a damaged asset, also if the file looks unchanged."""
        if not self.repair:
            return
        with transaction(self.db):
            self.db.execute("UPDATE asset SET damaged = 0 WHERE damaged")
            self.db.executemany(
                "UPDATE asset SET damaged = 1 WHERE row = ?", [(row,) for row in self.broken_rows]
            )

    def _segment_files(self) -> None:
        for kind in _segments.KINDS:
            problems = [
                p for s in _segments.table(self.db, kind.name) if (p := self._segment(kind, s))
            ]
            problems += _overlaps(_segments.table(self.db, kind.name))
            if problems and self.repair:
                _segments.flush(self.folder, self.db, kind, everything=True)
                bump_epoch(self.db)
            for problem in problems:
                self._found(problem, fixed=self.repair)
        if self.repair:
            for name in _segments.sweep(self.folder, self.db):
                self._found(f"segments: {name} belongs to nothing and is deleted", fixed=True)

    def _segment(self, kind: _segments.Kind, row: _segments.SegmentRow) -> str | None:
        path = os.path.join(self.folder, SEGMENTS, row.file)
        problem = _segments.verify(path, row)
        if problem is None and row.method not in (kind.exact, kind.approximate):
            problem = f"the segment is of another method, {row.method}"
        if problem is None:
            now = kind.counted(self.db, row.first, row.last)
            query = "SELECT count(*) FROM tombstone WHERE row BETWEEN ? AND ?"
            dead = self.db.execute(query, (row.first, row.last)).fetchone()[0]
            if not now <= row.count <= now + dead * MAX_PARTS:
                problem = f"the segment has {row.count} entries for {now} in the catalog"
        return None if problem is None else f"{path}: {problem}"

    def _write(self, statement: str, *values: object) -> None:
        with transaction(self.db):
            self.db.execute(statement, values)


def _integrity(db: Connection) -> list[str]:
    lines = [line for (line,) in db.execute("PRAGMA integrity_check(20)")]
    return [] if lines == ["ok"] else lines


def _overlaps(segments: list[_segments.SegmentRow]) -> list[str]:
    pairs = pairwise(segments)
    return [f"{b.file}: overlaps {a.file}" for a, b in pairs if b.first <= a.last]


def _is_meta(text: object) -> bool:
    try:
        meta = json.loads(str(text))
    except ValueError:
        return False
    return isinstance(meta, dict) and all(isinstance(v, str) for v in meta.values())


def _pages(db: Connection, query: str) -> Iterator[tuple[Any, ...]]:
    """All rows of a query over an integer key, in short read transactions."""
    last = -1
    while found := db.execute(query, (last,)).fetchall():
        yield from found
        last = found[-1][0]


def orphaned_proxies(db: Connection, proxies: Proxies) -> list[bytes]:
    """Keys of proxies whose asset does not exist, or keeps none."""
    query = "SELECT 1 FROM asset WHERE sha256 = ? AND proxy_crc IS NOT NULL"
    return [key for key in proxies.hashes() if db.execute(query, (key,)).fetchone() is None]


def bump_epoch(db: Connection) -> None:
    """Tell readers to forget what they loaded."""
    with transaction(db):
        db.execute(
            "UPDATE state SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = 'epoch'"
        )


def compact(folder: str, db: Connection, proxies: Proxies) -> tuple[int, bool]:
    """Rebuild segments without removed rows, shrink the files, empty the logs.

    Returns the number of removed rows that were dropped for good, and whether no log holds bytes
    of them any more.
    """
    for kind in _segments.KINDS:
        _segments.flush(folder, db, kind, everything=True)
    with transaction(db):
        removed = db.execute("DELETE FROM tombstone").rowcount
    bump_epoch(db)
    proxies.delete(orphaned_proxies(db, proxies))
    db.execute("VACUUM")
    erased = checkpoint(db) & proxies.compact()
    _segments.sweep(folder, db)
    return int(removed), erased
