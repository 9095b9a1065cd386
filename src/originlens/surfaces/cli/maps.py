"""Change maps as files: 8-bit grey PNGs whose names no two inputs can share."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from hashlib import sha256

from originlens.core.errors import UsageError
from originlens.core.evidence import Match, SearchResult

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def folder(path: str | None) -> str | None:
    """The folder as an absolute path, made if absent.

    Raises:
        UsageError: it cannot be made.
    """
    if path is None:
        return None
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{path}: cannot be used as a folder: {error.strerror}") from error
    return os.path.abspath(path)


def file_name(query_sha256: str, asset: str) -> str:
    """The map's name: the query's hash and the asset's id, or a hash of an id that is no name."""
    plain = _PLAIN.fullmatch(asset) is not None
    label = asset if plain else "id-" + sha256(os.fsencode(asset)).hexdigest()[:16]
    return f"{query_sha256}.{label}.png"


def write(result: SearchResult, where: str | None) -> SearchResult:
    """Write the change map of every verified match; the result then names the files."""
    if where is None:
        return result
    matches = tuple(_write_one(match, result.sha256, where) for match in result.matches)
    return replace(result, matches=matches)


def _write_one(match: Match, query_sha256: str, where: str) -> Match:
    if match.change_map is None:
        return match
    from PIL import Image as Pillow

    path = os.path.join(where, file_name(query_sha256, match.asset))
    unfinished = f"{path}.{os.getpid()}.part"
    try:
        Pillow.fromarray(match.change_map).save(unfinished, "PNG", compress_level=3)
        os.replace(unfinished, path)
    except BaseException:
        if os.path.exists(unfinished):
            os.unlink(unfinished)
        raise
    return replace(match, diff_map=path)
