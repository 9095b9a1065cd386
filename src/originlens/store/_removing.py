"""Removal by asset, hash, file or folder, inside a transaction."""

from __future__ import annotations

import sqlite3

from originlens.core.errors import AssetUnknown
from originlens.store import Removed, _reading
from originlens.store._assets import Changes, drop

Connection = sqlite3.Connection


def remove(db: Connection, target: str, changes: Changes) -> Removed:
    """Remove what ``target`` names; a path takes its asset along only if it is the last one."""
    rows = _reading.rows_named(db, target)
    places = [] if rows else _reading.places_below(db, target)
    if not rows and not places:
        message = f"{target}: the index has no asset, hash, file or folder of that name"
        return Removed(target, (), (), AssetUnknown(message))
    paths = _reading.paths_of(db, rows) if rows else places
    names = tuple(_reading.shown(place, given) for place, given, _ in paths)
    db.executemany("DELETE FROM path WHERE location = ?", [(place,) for place, _, _ in paths])
    gone = rows or [row for row in dict.fromkeys(r for _, _, r in places) if _pathless(db, row)]
    assets = tuple(asset.asset for asset in _reading.rows(db, gone))
    for row in gone:
        drop(db, row, changes)
    return Removed(target, names, assets)


def _pathless(db: Connection, row: int) -> bool:
    return db.execute("SELECT 1 FROM path WHERE row = ?", (row,)).fetchone() is None
