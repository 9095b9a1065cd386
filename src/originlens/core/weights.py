"""Shipped weight files: found next to the method that owns them, checked once per process."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from originlens.core.errors import WeightsError
from originlens.core.registry import Weights


@lru_cache(maxsize=64)
def read(record: Weights, folder: Path) -> bytes:
    """The bytes of ``folder / record.file``, whose length and SHA-256 are those of the record.

    The result is kept for the life of the process, so that the file is read and hashed once.

    Raises:
        WeightsError: absent, unreadable, or not the file that the card describes.
    """
    path = folder / record.file
    try:
        data = path.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be read ({error.strerror}): reinstall originlens"
        ) from error
    if len(data) != record.bytes or hashlib.sha256(data).hexdigest() != record.sha256:
        raise WeightsError(f"{path} is not the file its card describes: reinstall originlens")
    return data
