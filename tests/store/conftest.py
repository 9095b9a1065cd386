"""Assets made from a seed, and stores of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from originlens.store import LOCAL_FEATURE, Content, NewAsset
from originlens.store.sqlite import SqliteStore

Asset = Callable[..., NewAsset]
#: In tests a segment is written from so many entries on.
BUFFER = 64


def _features(rng: np.random.Generator) -> np.ndarray:
    """Up to nineteen local features of few words, so that lists are shared."""
    features = np.zeros(int(rng.integers(20)), LOCAL_FEATURE)
    features["word"] = rng.integers(0, 40, len(features)) * 1600
    for name in ("x", "y", "sigma", "angle"):
        features[name] = rng.integers(0, 256, len(features))
    features["bits"] = rng.integers(0, 1 << 63, len(features), dtype=np.uint64)
    return features


def _asset(number: int, *, path: str | None = None, parts: int = 1, **changes: object) -> NewAsset:
    rng = np.random.default_rng(number)
    vectors = rng.normal(size=(parts, 256)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    content = Content(
        vectors=vectors,
        pdq=rng.bytes(32),
        pdq_quality=number % 101,
        width=640 + number,
        height=480,
        format="JPEG",
        pixel_hash=f"pixels-{number}",
        proxy=b"\xff\xd8 proxy " + rng.bytes(500),
        meta={"credit": f"agency {number % 3}"},
        local=_features(rng),
    )
    values: dict[str, object] = {
        "sha256": hashlib.sha256(b"%d" % number).hexdigest(),
        "content": content,
        "path": path if path is not None else f"/nowhere/{number:05}.jpg",
        "size": 1000 + number,
        "mtime_ns": 5_000_000_000 + number,
    }
    return NewAsset(**{**values, **changes})  # type: ignore[arg-type]


@pytest.fixture
def asset() -> Asset:
    """``asset(number)``: always the same picture for the same number."""
    return _asset


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the index goes."""
    return tmp_path / "index"


@pytest.fixture
def store(folder: Path) -> Iterator[SqliteStore]:
    """An empty store, open for writing, that makes segments early."""
    with SqliteStore(folder, "w", buffer=BUFFER) as opened:
        yield opened


@pytest.fixture
def filled(store: SqliteStore) -> SqliteStore:
    """A store of 200 assets: segments and a buffer."""
    for start in range(0, 200, 32):
        store.add([_asset(n) for n in range(start, min(200, start + 32))])
    return store
