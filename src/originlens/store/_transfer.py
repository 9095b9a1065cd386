"""Export and import as JSON lines: the whole index, portable between stores and releases.

First line: ``{"schema": "index-export/1", "dimension", "created"}``. Then one line per asset, in
order of ingestion. Last line: ``{"end": true, "assets": N, "sha256": of all lines before}``, so
that a truncated file is noticed before anything of it is imported.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from originlens.core.errors import ReadError, StoreError
from originlens.core.registry import FIRST_DESCRIPTOR
from originlens.store import DIMENSION, LOCAL_CODER, LOCAL_FEATURE, AddResult, Content, NewAsset
from originlens.store._segments import sync_folder

if TYPE_CHECKING:
    from originlens.store.sqlite import SqliteStore

SCHEMA = "index-export/1"
_BATCH = 32
_PATH = ("path", "size", "mtime_ns")


def export(store: SqliteStore, path: str, *, proxies: bool) -> int:
    """Write every asset to ``path``, replacing it only once complete. Returns their number."""
    temporary = f"{path}.{os.getpid()}.partial"
    try:
        with open(temporary, "wb") as file:
            count = _write(store, file, proxies)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(os.path.dirname(os.path.abspath(path)))
    except OSError as error:
        raise StoreError(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)
    return count


def _write(store: SqliteStore, file: IO[bytes], proxies: bool) -> int:
    digest = hashlib.sha256()

    def put(line: dict[str, Any]) -> None:
        data = json.dumps(line, separators=(",", ":")).encode() + b"\n"
        digest.update(data)
        file.write(data)

    header = {"schema": SCHEMA, "dimension": DIMENSION, "descriptor": store.descriptor}
    put({**header, "local_coder": LOCAL_CODER, "created": time.time()})
    count = 0
    for item in store.everything(proxies=proxies):
        put(_line(item))
        count += 1
    put({"end": True, "assets": count, "sha256": digest.hexdigest()})
    return count


@dataclass(frozen=True, slots=True)
class Exported:
    """One asset with everything that the store keeps; ``paths`` are (location, size, mtime_ns)."""

    asset: str
    own_id: bool
    sha256: str | None
    paths: tuple[tuple[str, int | None, int | None], ...]
    content: Content


def _line(item: Exported) -> dict[str, Any]:
    content = item.content
    return {
        "asset": item.asset,
        "own_id": item.own_id,
        "sha256": item.sha256,
        "paths": [dict(zip(_PATH, place, strict=True)) for place in item.paths],
        "width": content.width,
        "height": content.height,
        "format": content.format,
        "orientation": content.orientation,
        "pixel_hash": content.pixel_hash,
        "pdq": None if content.pdq is None else content.pdq.hex(),
        "pdq_quality": content.pdq_quality,
        "meta": dict(content.meta),
        "vectors": [_encoded(v.astype("<f4").tobytes()) for v in content.vectors],
        "proxy": None if content.proxy is None else _encoded(content.proxy),
        "local": None if content.local is None else _encoded(content.local.tobytes()),
    }


def import_(store: SqliteStore, path: str) -> Iterator[AddResult]:
    """Add every asset of an export; known ones stay. An empty index takes over its descriptor.

    Raises:
        ReadError: the file is missing, truncated, changed or no export, or holds the vectors of
            another descriptor than the index does.
    """
    header = _verify(path)
    made_with = str(header.get("descriptor", FIRST_DESCRIPTOR))
    has_local = header.get("local_coder") == LOCAL_CODER  # else adding the pictures makes them
    if made_with != store.descriptor:
        if len(store):
            raise ReadError(
                f"{path}: made with the descriptor {made_with}, this index with "
                f"{store.descriptor}: import it into a new index, or add the pictures themselves"
            )
        store.adopt(made_with)
    batch: list[NewAsset] = []
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            values = json.loads(line)
            if number == 1 or "end" in values:
                continue
            try:
                batch += _items(values if has_local else {**values, "local": None})
            except (KeyError, TypeError, ValueError) as error:
                raise ReadError(
                    f"{path}:{number}: no asset of schema {SCHEMA}: {error!r}"
                ) from error
            if len(batch) >= _BATCH:
                yield from store.add(batch)
                batch = []
    if batch:
        yield from store.add(batch)
    store.flush()


def _verify(path: str) -> dict[str, Any]:
    """The header, once schema and checksum hold: before anything is changed."""
    digest, last = hashlib.sha256(), b""
    try:
        with open(path, "rb") as file:
            first = file.readline()
            header = json.loads(first)
            digest.update(first)
            for line in file:
                digest.update(last)
                last = line
        end = json.loads(last) if last else {}
    except OSError as error:
        raise ReadError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ReadError(f"{path}: is no export of an index, or is truncated") from error
    if not isinstance(header, dict) or header.get("schema") != SCHEMA:
        raise ReadError(f"{path}: is no export of an index (schema {SCHEMA})")
    if header.get("dimension") != DIMENSION:
        raise ReadError(f"{path}: has descriptors of another length; export it from a newer index")
    if not isinstance(end, dict) or end.get("sha256") != digest.hexdigest():
        raise ReadError(f"{path}: is truncated or was changed; export it again")
    return header


def _items(values: dict[str, Any]) -> list[NewAsset]:
    vectors = [np.frombuffer(_decoded(v), "<f4") for v in values["vectors"]]
    local = values["local"]
    content = Content(
        vectors=np.stack(vectors) if vectors else np.empty((0, DIMENSION), np.float32),
        local=None if local is None else np.frombuffer(_decoded(local), LOCAL_FEATURE),
        pdq=None if values["pdq"] is None else bytes.fromhex(values["pdq"]),
        pdq_quality=values["pdq_quality"],
        width=values["width"],
        height=values["height"],
        format=values["format"],
        orientation=values["orientation"],
        pixel_hash=values["pixel_hash"],
        proxy=None if values["proxy"] is None else _decoded(values["proxy"]),
        meta=values["meta"],
    )
    own = values["asset"] if values["own_id"] else None
    paths = values["paths"] or [dict.fromkeys(_PATH)]
    return [
        NewAsset(
            sha256=values["sha256"],
            content=content,
            path=place["path"],
            size=place["size"],
            mtime_ns=place["mtime_ns"],
            asset=own,
            meta=content.meta,
        )
        for place in paths
    ]


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
