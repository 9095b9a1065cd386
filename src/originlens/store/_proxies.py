"""Small JPEGs of the originals, in a SQLite file of their own.

Keyed by the SHA-256 of the original's bytes. They are committed before the catalog's row that
mentions them and deleted after it is gone, so a crash can leave a proxy too many, never one too
few; check and compact drop those.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator

from originlens.store._catalog import checkpoint, open_proxies, transaction, translated
from originlens.store._reading import chunks


class Proxies:
    """The proxies of one index folder; reading does without where the file is absent."""

    def __init__(self, folder: str, *, write: bool) -> None:
        self._folder, self._write = folder, write
        self._lock = threading.RLock()
        self._db = open_proxies(folder, write=write)

    def _opened(self) -> sqlite3.Connection | None:
        if self._db is None:  # a reader that was opened before the first proxy was written
            self._db = open_proxies(self._folder, write=self._write)
        return self._db

    def get(self, sha256: bytes) -> bytes | None:
        """The JPEG of the original with these bytes."""
        with self._lock, translated(self._folder):
            db = self._opened()
            if db is None:
                return None
            found = db.execute("SELECT jpeg FROM proxy WHERE sha256 = ?", (sha256,)).fetchone()
            return None if found is None else found[0]

    def put(self, items: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep (sha256, jpeg) pairs, in one durable transaction."""
        values = list(items)
        db = self._opened()
        if values and db is not None:
            with self._lock, translated(self._folder), transaction(db):
                db.executemany("INSERT OR REPLACE INTO proxy (sha256, jpeg) VALUES (?, ?)", values)

    def delete(self, keys: Iterable[bytes]) -> int:
        """Drop proxies; their bytes are overwritten. Returns how many there were."""
        wanted, gone = list(keys), 0
        db = self._opened()
        if not wanted or db is None:
            return 0
        with self._lock, translated(self._folder), transaction(db):
            for chunk in chunks(wanted):
                marks = ", ".join("?" * len(chunk))
                gone += db.execute(f"DELETE FROM proxy WHERE sha256 IN ({marks})", chunk).rowcount
        return gone

    def hashes(self) -> Iterator[bytes]:
        """SHA-256 of every original that has a proxy, ascending; read in short transactions."""
        db, last = self._opened(), b""
        while db is not None:
            query = "SELECT sha256 FROM proxy WHERE sha256 > ? ORDER BY sha256 LIMIT 10000"
            page = [key for (key,) in db.execute(query, (last,))]
            if not page:
                return
            yield from page
            last = page[-1]

    def count(self) -> int:
        """How many there are."""
        db = self._opened()
        return 0 if db is None else int(db.execute("SELECT count(*) FROM proxy").fetchone()[0])

    def integrity(self) -> list[str]:
        """What SQLite says is wrong with the file; empty if nothing."""
        db = self._opened()
        if db is None:
            return []
        try:
            lines = [line for (line,) in db.execute("PRAGMA integrity_check(20)")]
        except sqlite3.DatabaseError as error:
            return [str(error)]
        return [] if lines == ["ok"] else lines

    def compact(self) -> bool:
        """Give freed pages back and empty the log; False where a reader still needs the log."""
        db = self._opened()
        if db is None:
            return True
        with self._lock, translated(self._folder):
            db.execute("PRAGMA incremental_vacuum").fetchall()
            return checkpoint(db)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._db is not None:
                self._db.close()
                self._db = None
