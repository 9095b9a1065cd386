"""The SQLite files of an index folder: opening, schema, transactions, errors.

``catalog.sqlite`` is the source of truth; ``proxies.sqlite`` holds the small JPEGs. Both run in WAL
mode with ``synchronous=FULL``: a commit that returned survives kill -9 and power loss. Both have
``secure_delete`` on, so deleted content is overwritten with zeros, not just unlinked.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from originlens.core.errors import (
    IndexCorrupt,
    IndexMissing,
    IndexUnfinished,
    IndexVersion,
    StoreError,
)

CATALOG = "catalog.sqlite"
PROXIES = "proxies.sqlite"
SEGMENTS = "segments"
LOCK = "writer.lock"
#: Raised whenever an older release could misread the files. 2: local features.
FORMAT = 2
#: "OLix": marks a SQLite file as ours.
APPLICATION_ID = 0x4F4C6978
_BUSY_MS = 20_000

_LOCAL_TABLE = """
CREATE TABLE IF NOT EXISTS local_features (  -- no row: not computed
  row INTEGER PRIMARY KEY,
  coder INTEGER NOT NULL,                  -- store.LOCAL_CODER that made them
  data BLOB NOT NULL,                      -- store.LOCAL_FEATURE records
  crc INTEGER NOT NULL
);
"""
_CATALOG_SCHEMA = (
    """
CREATE TABLE asset (
  row INTEGER PRIMARY KEY AUTOINCREMENT,   -- never reused: readers load new rows by number
  asset TEXT NOT NULL UNIQUE,
  own_id INTEGER NOT NULL,                 -- 1: the user named it
  sha256 BLOB UNIQUE,                      -- NULL: hash-only
  pixel_hash TEXT,
  width INTEGER NOT NULL, height INTEGER NOT NULL,
  format TEXT NOT NULL, orientation INTEGER NOT NULL,
  pdq BLOB, pdq_quality INTEGER,
  parts INTEGER NOT NULL,                  -- how many vectors it has
  proxy_crc INTEGER,                       -- NULL: no proxy is kept
  meta TEXT NOT NULL,                      -- JSON object of strings
  damaged INTEGER NOT NULL DEFAULT 0,      -- found by check: adding the same bytes replaces it
  crc INTEGER NOT NULL                     -- CRC-32 of the other columns
);
CREATE INDEX asset_pixel_hash ON asset(pixel_hash) WHERE pixel_hash IS NOT NULL;
CREATE TABLE vector (
  entry INTEGER PRIMARY KEY,               -- row * 64 + part
  data BLOB NOT NULL,                      -- 256 float32, little-endian
  crc INTEGER NOT NULL
);
CREATE TABLE path (
  location BLOB PRIMARY KEY,               -- absolute, bytes of the file system
  given BLOB NOT NULL,                     -- as the user named it
  row INTEGER NOT NULL,
  size INTEGER, mtime_ns INTEGER,          -- NULL: look at the bytes next time
  crc INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX path_row ON path(row);
CREATE TABLE meta_value (                  -- asset.meta by value, for filters; derived
  key TEXT, value TEXT, row INTEGER, PRIMARY KEY (key, value, row)
) WITHOUT ROWID;
CREATE INDEX meta_value_row ON meta_value(row);
CREATE TABLE tombstone (row INTEGER PRIMARY KEY);
CREATE TABLE segment (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,                      -- 'vector', 'hash' or 'local'
  method TEXT NOT NULL,                    -- registered name of kind 'index', or that of lists
  file TEXT NOT NULL, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL,
  first INTEGER NOT NULL, last INTEGER NOT NULL,   -- rows first..last are covered
  count INTEGER NOT NULL
);
CREATE TABLE state (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
    + _LOCAL_TABLE
)

_PROXIES_SCHEMA = """
CREATE TABLE proxy (
  id INTEGER PRIMARY KEY,
  sha256 BLOB NOT NULL UNIQUE,             -- of the original's bytes, so an orphan is never misused
  jpeg BLOB NOT NULL
);
"""


def open_catalog(folder: str, *, write: bool, header: dict[str, Any]) -> sqlite3.Connection:
    """The catalog of ``folder``; with ``write`` made if absent, ``header`` is then kept as state.

    Raises:
        IndexMissing: reading, and there is none.
        IndexUnfinished: reading, and making it was cut short.
        IndexVersion: a newer release wrote it.
        IndexCorrupt: it is no catalog.
    """
    path = os.path.join(folder, CATALOG)
    if not write and not os.path.isfile(path):
        raise IndexMissing(f"{folder}: no index here; make one with: originlens index add PATH...")
    with translated(folder):
        connection = _connect(path, write=write)
        try:
            version = _version(connection)
            if version == 0 and write:
                with transaction(connection):
                    _create(connection, _CATALOG_SCHEMA)
                    for key, value in {**header, "epoch": 0, "created": time.time()}.items():
                        connection.execute(
                            "INSERT INTO state VALUES (?, ?)", (key, json.dumps(value))
                        )
            elif version == 0:
                raise IndexUnfinished(
                    f"{folder}: the index here is still empty; add pictures first"
                )
            elif version > FORMAT:
                raise IndexVersion(
                    f"{folder}: written by a newer release (format {version}, this one reads "
                    f"{FORMAT}): upgrade originlens"
                )
            elif write and not has_local_table(connection):
                with transaction(connection):
                    _create(connection, _LOCAL_TABLE)
        except BaseException:
            connection.close()
            raise
    return connection


def open_proxies(folder: str, *, write: bool) -> sqlite3.Connection | None:
    """The proxies of ``folder``; None where reading finds none (they may be deleted at will)."""
    path = os.path.join(folder, PROXIES)
    if not write and not os.path.isfile(path):
        return None
    with translated(folder):
        connection = _connect(path, write=write, page_size=16384)
        version = _version(connection)
        if version == 0 and write:
            with transaction(connection):
                _create(connection, _PROXIES_SCHEMA)
        elif version == 0:
            connection.close()
            return None
    return connection


def _connect(path: str, *, write: bool, page_size: int = 4096) -> sqlite3.Connection:
    name = urllib.parse.quote(os.fsencode(os.path.abspath(path)))
    if os.name == "nt":
        name = "/" + name.replace("%5C", "/").replace("%3A", ":")
    mode = "rwc" if write else _reading_mode(path)
    connection = sqlite3.connect(
        f"file:{name}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    if write:
        connection.execute(f"PRAGMA page_size={page_size}")
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")
        # 16 MB: proxies fill the default of 4 MB with every few batches.
        connection.execute(f"PRAGMA wal_autocheckpoint={(16 << 20) // page_size}")
    else:
        connection.execute("PRAGMA query_only=ON")
    return connection


def _reading_mode(path: str) -> str:
    """``ro``, with ``immutable`` where the folder cannot be written and no log is waiting.

    WAL mode needs a shared-memory file beside the catalog. Where that cannot be made, nobody else
    can write either, so the file may be read as it is - unless a log holds commits that are not yet
    in it.
    """
    if os.access(os.path.dirname(os.path.abspath(path)), os.W_OK):
        return "ro"
    try:
        waiting = os.path.getsize(path + "-wal") > 0
    except OSError:
        waiting = False
    return "ro" if waiting else "ro&immutable=1"


def _version(connection: sqlite3.Connection) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version and connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise sqlite3.DatabaseError("not a file of originlens")
    return version


def _create(connection: sqlite3.Connection, schema: str) -> None:
    for statement in schema.split(";\n"):
        if statement.strip():
            connection.execute(statement)
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version={FORMAT}")


@contextmanager
def transaction(connection: sqlite3.Connection, *, write: bool = True) -> Iterator[None]:
    """All or nothing. A read transaction sees one state of the catalog throughout."""
    connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
    try:
        yield
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def translated(folder: str) -> Iterator[None]:
    """SQLite's errors as ours, each with what to do next."""
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "locked" in text or "busy" in text:
            advice = "the index is busy; try again"
        elif "full" in text:
            advice = "no space is left; what was reported as added is safe"
        elif "unable to open" in text or "readonly" in text:
            advice = (
                "the folder cannot be written, but its log (-wal) holds commits that must be "
                "merged: run `originlens index check` once where it can be written"
            )
        elif "disk I/O" in text:
            advice = "the disk cannot be read or written; what was reported as added is safe"
        elif "no such" in text or "malformed" in text:
            raise IndexCorrupt(f"{folder}: {error}; run `originlens index check`") from error
        else:
            advice = "run `originlens index check`"
        raise StoreError(f"{folder}: {error}: {advice}") from error
    except sqlite3.DatabaseError as error:
        if type(error) is not sqlite3.DatabaseError:
            raise  # misuse of the connection, not damage
        raise IndexCorrupt(
            f"{folder}: the catalog cannot be read ({error}); restore the folder from a backup, or "
            "remove it and add the pictures again"
        ) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(
            f"{error.filename or folder}: {reason}; what was reported as added is safe"
        ) from error


def has_local_table(connection: sqlite3.Connection) -> bool:
    """Whether the catalog can hold local features: not before its first writer of format 2."""
    query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'local_features'"
    return connection.execute(query).fetchone() is not None


def checkpoint(connection: sqlite3.Connection) -> bool:
    """Move the log into the file and empty it; False where a reader still needs the log."""
    busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return not busy
