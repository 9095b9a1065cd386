"""What the catalog holds, read inside a transaction: assets, paths, lists, exports."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from originlens.store import (
    DIMENSION,
    LOCAL_CODER,
    LOCAL_FEATURE,
    MAX_PARTS,
    AssetRow,
    Content,
    KnownPath,
    Listed,
    location,
)
from originlens.store._assets import COLUMNS, as_text, parsed
from originlens.store._catalog import has_local_table
from originlens.store._transfer import Exported

Connection = sqlite3.Connection
#: SQLite allows 999 variables in a statement in its oldest builds.
_CHUNK = 900


def known(db: Connection, path: str) -> KnownPath | None:
    """What is stored about the file at ``path``; None where something of it should be made anew.

    That is the case for damaged assets, and for those that were added before there were
    these local features: adding them again completes them.
    """
    is_whole = "NOT damaged"
    if has_local_table(db):
        is_whole += (
            " AND EXISTS (SELECT 1 FROM local_features AS l "
            f"WHERE l.row = asset.row AND coder = {LOCAL_CODER})"
        )
    found = db.execute(
        "SELECT asset, sha256, size, mtime_ns, own_id, meta FROM path JOIN asset USING (row) "
        f"WHERE location = ? AND {is_whole}",
        (os.fsencode(location(path)),),
    ).fetchone()
    if found is None or found[1] is None:
        return None
    asset, sha, size, mtime_ns, own, meta = found
    return KnownPath(asset, sha.hex(), size, mtime_ns, bool(own), parsed(meta))


def shown(place: bytes, given: bytes) -> str:
    """A stored path as the user gave it where that still leads there, else absolute."""
    name, absolute = os.fsdecode(given), os.fsdecode(place)
    return name if location(name) == absolute else absolute


def rows(db: Connection, ids: Sequence[int]) -> list[AssetRow]:
    """Assets of these rows, in this order, without those that are gone."""
    wanted = list(dict.fromkeys(int(i) for i in ids))
    found: dict[int, tuple[Any, ...]] = {}
    paths: dict[int, list[tuple[bytes, bytes]]] = {}
    for chunk in chunks(wanted):
        marks = ", ".join("?" * len(chunk))
        query = f"SELECT row, {COLUMNS} FROM asset WHERE row IN ({marks})"
        found.update((values[0], values[1:]) for values in db.execute(query, chunk))
        query = f"SELECT row, location, given FROM path WHERE row IN ({marks}) ORDER BY location"
        for row, place, given in db.execute(query, chunk):
            paths.setdefault(row, []).append((place, given))
    return [_asset_row(i, found[i], paths.get(i, [])) for i in map(int, ids) if i in found]


def _asset_row(row: int, values: tuple[Any, ...], paths: list[tuple[bytes, bytes]]) -> AssetRow:
    (asset, _, sha, pixel_hash, width, height, format_, orientation, pdq, quality, _, _, meta) = (
        values
    )
    names = tuple(shown(*path) for path in paths)
    existing = (n for n in names if os.path.exists(n)) if len(names) > 1 else iter(())
    return AssetRow(
        row=row,
        asset=asset,
        sha256=None if sha is None else sha.hex(),
        path=next(existing, names[0] if names else None),
        paths=names,
        width=width,
        height=height,
        format=format_,
        orientation=orientation,
        pixel_hash=pixel_hash,
        pdq=pdq,
        pdq_quality=quality,
        meta=parsed(meta),
        status="hash-only" if sha is None else "ok",
    )


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Parts small enough for one SQL statement."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def matching(db: Connection, where: Mapping[str, str]) -> list[int]:
    """Rows whose metadata has all these values, ascending."""
    query = " INTERSECT ".join(
        ["SELECT row FROM meta_value WHERE key = ? AND value = ?"] * len(where)
    )
    values = [as_text(text) for pair in where.items() for text in pair]
    return sorted(row for (row,) in db.execute(query, values))


def rows_named(db: Connection, target: str) -> list[int]:
    """Rows whose id or SHA-256 is ``target``."""
    query = "SELECT row FROM asset WHERE asset = ?"
    found = [row for (row,) in db.execute(query, (as_text(target),))]
    if not found and len(target) == 64:
        try:
            sha = bytes.fromhex(target)
        except ValueError:
            return []
        found = [row for (row,) in db.execute("SELECT row FROM asset WHERE sha256 = ?", (sha,))]
    return found


def places_below(db: Connection, target: str) -> list[tuple[bytes, bytes, int]]:
    """(location, given, row) of the file at ``target``, or of every file in that folder."""
    place = os.fsencode(location(target))
    exact = "SELECT location, given, row FROM path WHERE location = ?"
    found = db.execute(exact, (place,)).fetchall()
    if found:
        return found
    below = place.rstrip(os.fsencode(os.sep)) + os.fsencode(os.sep)
    # The next string that does not start with the folder's name bounds the range.
    end = below[:-1] + bytes([below[-1] + 1])
    inside = "SELECT location, given, row FROM path WHERE location >= ? AND location < ?"
    return db.execute(inside, (below, end)).fetchall()


def paths_of(db: Connection, ids: Sequence[int]) -> list[tuple[bytes, bytes, int]]:
    """(location, given, row) of every path of these rows."""
    query = "SELECT location, given, row FROM path WHERE row = ? ORDER BY location"
    return [found for row in ids for found in db.execute(query, (row,))]


def page(
    db: Connection, after: tuple[int, bytes], size: int
) -> list[tuple[Listed, tuple[int, bytes]]]:
    """The next lines of the list behind the (row, location) ``after``, with their places."""
    query = (
        "SELECT row, location, given, asset, sha256, meta FROM asset LEFT JOIN path USING (row) "
        "WHERE (row, coalesce(location, x'')) > (?, ?) AND row >= ? "
        "ORDER BY row, location LIMIT ?"
    )
    lines = []
    for row, place, given, asset, sha, meta in db.execute(query, (*after, after[0], size)):
        if place is None:
            name, absolute = None, None
            status: Any = "hash-only" if sha is None else "missing"
        else:
            name, absolute = shown(place, given), os.fsdecode(place)
            status = "ok" if os.path.exists(absolute) else "missing"
        sha_hex = None if sha is None else sha.hex()
        line = Listed(name, asset, sha_hex, status, parsed(meta), absolute)
        lines.append((line, (row, place or b"")))
    return lines


def exported(db: Connection, after: int, size: int) -> list[tuple[int, Exported]]:
    """The next assets behind a row, complete but for their proxies."""
    query = f"SELECT row, {COLUMNS} FROM asset WHERE row > ? ORDER BY row LIMIT ?"
    return [(row, _exported(db, row, values)) for row, *values in db.execute(query, (after, size))]


def _exported(db: Connection, row: int, values: Sequence[Any]) -> Exported:
    (
        asset,
        own,
        sha,
        pixel_hash,
        width,
        height,
        format_,
        orientation,
        pdq,
        quality,
        _,
        _,
        meta,
    ) = values
    low = row * MAX_PARTS
    query = "SELECT data FROM vector WHERE entry >= ? AND entry < ? ORDER BY entry"
    vectors = [np.frombuffer(data, "<f4") for (data,) in db.execute(query, (low, low + MAX_PARTS))]
    query = "SELECT location, size, mtime_ns FROM path WHERE row = ? ORDER BY location"
    paths = tuple((os.fsdecode(p), size, mtime) for p, size, mtime in db.execute(query, (row,)))
    local = None
    if has_local_table(db):
        query = "SELECT data FROM local_features WHERE row = ? AND coder = ?"
        kept = db.execute(query, (row, LOCAL_CODER)).fetchone()
        local = None if kept is None else np.frombuffer(kept[0], LOCAL_FEATURE)
    content = Content(
        local=local,
        vectors=np.stack(vectors) if vectors else np.empty((0, DIMENSION), np.float32),
        pdq=pdq,
        pdq_quality=quality,
        width=width,
        height=height,
        format=format_,
        orientation=orientation,
        pixel_hash=pixel_hash,
        meta=parsed(meta),
    )
    return Exported(asset, bool(own), None if sha is None else sha.hex(), paths, content)
