"""Maps as files: 8-bit grey PNGs whose names no two inputs can share."""

from __future__ import annotations

import os
import re
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from originlens.core.errors import UsageError

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def folder(path: str | os.PathLike[str] | None) -> str | None:
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


def save(change_map: npt.NDArray[np.uint8], where: str, query_sha256: str, asset: str) -> str:
    """Write an (H, W) uint8 map into a folder; returns its path. Appears whole or not at all."""
    from PIL import Image as Pillow

    path = os.path.join(where, file_name(query_sha256, asset))
    unfinished = f"{path}.{os.getpid()}.part"
    try:
        Pillow.fromarray(change_map).save(unfinished, "PNG", compress_level=3)
        os.replace(unfinished, path)
    except BaseException:
        if os.path.exists(unfinished):
            os.unlink(unfinished)
        raise
    return path
