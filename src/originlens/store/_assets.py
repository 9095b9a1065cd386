"""Rows of the catalog: adding, changing and dropping assets inside a transaction."""

from __future__ import annotations

import json
import os
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core.errors import AssetIdTaken
from originlens.store import (
    DIMENSION,
    HASH_BYTES,
    LOCAL_CODER,
    LOCAL_FEATURE,
    MAX_PARTS,
    AddResult,
    AddStatus,
    Content,
    NewAsset,
    Vectors,
    location,
)

Connection = sqlite3.Connection
_ID_LENGTH = 16
#: What an asset's checksum covers, in this order.
COLUMNS = (
    "asset, own_id, sha256, pixel_hash, width, height, format, orientation, pdq, pdq_quality, "
    "parts, proxy_crc, meta"
)


@dataclass(slots=True)
class Changes:
    """What a transaction did that the store must follow up once it is durable."""

    added: Counter[str] = field(default_factory=Counter)  # entries of each kind of segment
    dropped: list[bytes] = field(default_factory=list)


def checksum(values: Iterable[Any]) -> int:
    """CRC-32 over columns, each by type and content."""
    crc = 0
    for value in values:
        data = value if isinstance(value, bytes) else repr(value).encode("utf-8", "surrogatepass")
        crc = zlib.crc32(data, zlib.crc32(len(data).to_bytes(8, "little"), crc))
    return crc


def add(connection: Connection, item: NewAsset, changes: Changes) -> AddResult:
    """Add one item; the caller holds the transaction."""
    return _Adding(connection, item, changes).run()


class _Adding:
    """One item's way into the catalog."""

    def __init__(self, connection: Connection, item: NewAsset, changes: Changes) -> None:
        if item.asset is not None:
            item = replace(item, asset=as_text(item.asset))
        self.db, self.item, self.changes = connection, item, changes
        self.sha = None if item.sha256 is None else bytes.fromhex(item.sha256)
        self.location = None if item.path is None else os.fsencode(location(item.path))

    def run(self) -> AddResult:
        old = self._row_at_path()
        row = self._row_of_content()
        try:
            if row is None:
                status: AddStatus = "added" if old is None else "updated"
                row = self._insert(old)
            elif self.item.content is not None and self._is_to_replace(row, self.item.content):
                status, row = "updated", self._replace(row)
            else:
                changed = self._merge(row)
                if self.location is not None and old is None:
                    status = "added"
                else:
                    moved = self.location is not None and old != row
                    status = "updated" if changed or moved else "unchanged"
        except AssetIdTaken as error:
            return AddResult(self.item.path, None, None, self.item.sha256, None, error)
        if self.location is not None:
            if old is not None and old != row:
                self._leave(old)
            self._write_path(row)
        (asset,) = self.db.execute("SELECT asset FROM asset WHERE row = ?", (row,)).fetchone()
        return AddResult(self.item.path, asset, status, self.item.sha256, row)

    def _row_at_path(self) -> int | None:
        if self.location is None:
            return None
        return _one(self.db, "SELECT row FROM path WHERE location = ?", self.location)

    def _row_of_content(self) -> int | None:
        if self.sha is not None:
            return _one(self.db, "SELECT row FROM asset WHERE sha256 = ?", self.sha)
        content = self.item.content
        if content is None or content.pdq is None:
            raise ValueError("an asset without bytes needs a hash")
        query = "SELECT row FROM asset WHERE sha256 IS NULL AND pdq = ? AND asset = ?"
        return _one(self.db, query, content.pdq, self.item.asset or _hash_id(content.pdq))

    def _is_to_replace(self, row: int, content: Content) -> bool:
        """Whether the row is damaged, or an older release made it without these local features."""
        if _one(self.db, "SELECT damaged FROM asset WHERE row = ?", row):
            return True
        query = "SELECT 1 FROM local_features WHERE row = ? AND coder = ?"
        has_local = _one(self.db, query, row, LOCAL_CODER)
        return content.local is not None and not has_local

    def _insert(self, old: int | None) -> int:
        content = self.item.content
        if content is None:
            raise ValueError(
                f"{self.item.path}: no content given, and its bytes are not in the store"
            )
        asset = self.item.asset
        if asset is None:
            asset = self._free_id()
        else:
            self._claim(asset, old)
        meta = _merged(content.meta, self.item.meta)
        return _insert_asset(
            self.db, self.changes, asset, self.item.asset is not None, self.sha, content, meta
        )

    def _replace(self, row: int) -> int:
        """A fresh row for damaged or incomplete content: id, paths and metadata move over."""
        content = self.item.content
        assert content is not None
        asset, own, meta = self.db.execute(
            "SELECT asset, own_id, meta FROM asset WHERE row = ?", (row,)
        ).fetchone()
        paths = self.db.execute(
            "SELECT location, given, size, mtime_ns FROM path WHERE row = ?", (row,)
        )
        kept = paths.fetchall()
        drop(self.db, row, self.changes)
        merged = _merged({**content.meta, **parsed(meta)}, self.item.meta)
        new = _insert_asset(self.db, self.changes, asset, bool(own), self.sha, content, merged)
        for place, given, size, mtime_ns in kept:
            write_path(self.db, place, given, new, size, mtime_ns)
        return new

    def _merge(self, row: int) -> bool:
        """New metadata, a first own id, a proxy that was not kept before: whether any changed."""
        asset, own, meta, proxy_crc = self.db.execute(
            "SELECT asset, own_id, meta, proxy_crc FROM asset WHERE row = ?", (row,)
        ).fetchone()
        values: dict[str, Any] = {}
        merged = _merged(parsed(meta), self.item.meta)
        if merged != parsed(meta):
            values["meta"] = _json(merged)
        if self.item.asset is not None and not own:
            # An id that the user gave once stays: others may refer to it.
            if self.item.asset != asset:
                self._claim(self.item.asset, None)
            values.update(asset=self.item.asset, own_id=1)
        content = self.item.content
        if content is not None and content.proxy is not None and proxy_crc is None:
            values["proxy_crc"] = zlib.crc32(content.proxy)
        if values:
            update(self.db, row, values)
        return bool(values)

    def _claim(self, asset: str, old: int | None) -> None:
        """Make sure that an own id is free (``old``: the row that this path is about to leave)."""
        holder = _one(self.db, "SELECT row FROM asset WHERE asset = ?", asset)
        if holder is None:
            return
        if (
            old is not None
            and holder == old
            and _one(self.db, "SELECT count(*) FROM path WHERE row = ?", old) == 1
        ):
            self._leave(old)
            return
        path = _one(self.db, "SELECT given FROM path WHERE row = ? LIMIT 1", holder)
        where = "" if path is None else f" ({os.fsdecode(path)})"
        raise AssetIdTaken(
            f"{self.item.path or 'hash'}: the id {asset!r} already names another picture{where}; "
            "give this one another id, or remove that asset first"
        )

    def _free_id(self) -> str:
        if self.sha is None:
            content = self.item.content
            assert content is not None and content.pdq is not None
            return _hash_id(content.pdq)
        # Sixteen hex digits; longer where another asset has that id already.
        digits = self.sha.hex()
        taken = "SELECT row FROM asset WHERE asset = ?"
        for length in range(_ID_LENGTH, len(digits) + 1, 8):
            if _one(self.db, taken, digits[:length]) is None:
                return digits[:length]
        raise AssetIdTaken(f"{self.item.path}: the id {digits!r} already names another picture")

    def _leave(self, row: int) -> None:
        """The path no longer holds that asset; one without paths goes: it was replaced."""
        self.db.execute("DELETE FROM path WHERE location = ?", (self.location,))
        if _one(self.db, "SELECT count(*) FROM path WHERE row = ?", row) == 0:
            drop(self.db, row, self.changes)

    def _write_path(self, row: int) -> None:
        assert self.location is not None and self.item.path is not None
        known = self.db.execute(
            "SELECT row, size, mtime_ns FROM path WHERE location = ?", (self.location,)
        ).fetchone()
        if known != (row, self.item.size, self.item.mtime_ns):
            given = os.fsencode(self.item.path)
            write_path(self.db, self.location, given, row, self.item.size, self.item.mtime_ns)


def _hash_id(pdq: bytes) -> str:
    return f"pdq-{pdq.hex()}"


def _insert_asset(
    db: Connection,
    changes: Changes,
    asset: str,
    own: bool,
    sha: bytes | None,
    content: Content,
    meta: dict[str, str],
) -> int:
    vectors = as_vectors(content.vectors)
    if content.pdq is not None and len(content.pdq) != HASH_BYTES:
        raise ValueError(f"a hash has {HASH_BYTES} bytes, not {len(content.pdq)}")
    values = (
        asset, int(own), sha, content.pixel_hash, content.width, content.height, content.format,
        content.orientation, content.pdq, content.pdq_quality, len(vectors),
        None if content.proxy is None else zlib.crc32(content.proxy), _json(meta),
    )  # fmt: skip
    marks = ", ".join("?" * (len(values) + 1))
    cursor = db.execute(
        f"INSERT INTO asset ({COLUMNS}, crc) VALUES ({marks})", (*values, checksum(values))
    )
    row = int(cursor.lastrowid or 0)
    blobs = [v.astype("<f4").tobytes() for v in vectors]
    db.executemany(
        "INSERT INTO vector VALUES (?, ?, ?)",
        [(row * MAX_PARTS + part, blob, zlib.crc32(blob)) for part, blob in enumerate(blobs)],
    )
    _write_values(db, row, meta)
    if content.local is not None:
        blob = as_features(content.local).tobytes()
        kept = (row, LOCAL_CODER, blob, zlib.crc32(blob))
        db.execute("INSERT INTO local_features VALUES (?, ?, ?, ?)", kept)
    changes.added.update(
        vector=len(blobs), hash=content.pdq is not None, local=content.local is not None
    )
    return row


def as_vectors(vectors: Vectors) -> Vectors:
    """Checked (P, 256) float32.

    Raises:
        ValueError: another shape, more than 64 parts, or values that are not finite.
    """
    array = np.asarray(vectors, dtype=np.float32)
    if array.ndim != 2 or array.shape[1] != DIMENSION or len(array) > MAX_PARTS:
        raise ValueError(f"vectors have shape (P <= {MAX_PARTS}, {DIMENSION}), not {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("vectors must be finite")
    return array


def as_features(features: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Checked (N,) of dtype ``LOCAL_FEATURE``.

    Raises:
        ValueError: another shape or dtype.
    """
    if features.ndim != 1 or features.dtype != LOCAL_FEATURE:
        raise ValueError("local features have shape (N,) and dtype LOCAL_FEATURE")
    return features


def update(db: Connection, row: int, values: Mapping[str, Any]) -> None:
    """Change columns of an asset and renew its checksum."""
    columns = ", ".join(f"{name} = ?" for name in values)
    db.execute(f"UPDATE asset SET {columns} WHERE row = ?", (*values.values(), row))
    stored = db.execute(f"SELECT {COLUMNS} FROM asset WHERE row = ?", (row,)).fetchone()
    db.execute("UPDATE asset SET crc = ? WHERE row = ?", (checksum(stored), row))
    if "meta" in values:
        db.execute("DELETE FROM meta_value WHERE row = ?", (row,))
        _write_values(db, row, parsed(values["meta"]))


def drop(db: Connection, row: int, changes: Changes) -> None:
    """Remove an asset: zeroed in the catalog, hidden in the segments by a tombstone."""
    sha = _one(db, "SELECT sha256 FROM asset WHERE row = ?", row)
    if sha is not None:
        changes.dropped.append(sha)
    db.execute("DELETE FROM asset WHERE row = ?", (row,))
    db.execute("DELETE FROM path WHERE row = ?", (row,))
    db.execute("DELETE FROM meta_value WHERE row = ?", (row,))
    low = row * MAX_PARTS
    db.execute("DELETE FROM vector WHERE entry >= ? AND entry < ?", (low, low + MAX_PARTS))
    db.execute("DELETE FROM local_features WHERE row = ?", (row,))
    db.execute("INSERT OR IGNORE INTO tombstone VALUES (?)", (row,))


def write_path(
    db: Connection, place: bytes, given: bytes, row: int, size: int | None, mtime_ns: int | None
) -> None:
    """Record that the file at ``place`` holds that asset."""
    values = (place, given, row, size, mtime_ns)
    db.execute("INSERT OR REPLACE INTO path VALUES (?, ?, ?, ?, ?, ?)", (*values, checksum(values)))


def _write_values(db: Connection, row: int, meta: Mapping[str, str]) -> None:
    db.executemany(
        "INSERT INTO meta_value VALUES (?, ?, ?)", [(k, v, row) for k, v in meta.items()]
    )


def _merged(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    return {as_text(k): as_text(v) for k, v in {**old, **new}.items() if v != ""}


def as_text(value: str) -> str:
    """Text that SQLite can keep: lone surrogates (names that are no UTF-8) become escapes."""
    return value.encode("utf-8", "backslashreplace").decode()


def parsed(meta: str) -> dict[str, str]:
    """Stored metadata."""
    return dict(json.loads(meta))


def _json(meta: Mapping[str, str]) -> str:
    return json.dumps(dict(sorted(meta.items())))


def _one(db: Connection, query: str, *values: Any) -> Any:
    found = db.execute(query, values).fetchone()
    return None if found is None else found[0]
