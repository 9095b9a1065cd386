"""Export and import: an equal index elsewhere, and no half of one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from originlens.core.errors import ReadError, StoreError
from originlens.store import Content, NewAsset
from originlens.store.sqlite import SqliteStore

Asset = Callable[..., NewAsset]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_round_trip_is_equal(filled: SqliteStore, asset: Asset, tmp_path: Path) -> None:
    bare = Content(np.empty((0, 256), np.float32), pdq=b"\x01" * 32, pdq_quality=3)
    filled.add(
        [
            asset(3, path="/nowhere/second.jpg"),
            asset(300, asset="own id", meta={"k": "v"}),
            asset(301, parts=2),
            NewAsset(None, bare, asset="exchange"),
            NewAsset(None, Content(bare.vectors, pdq=b"\x02" * 32)),
        ]
    )
    filled.remove(["/nowhere/00007.jpg"])
    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    assert filled.export(str(one)) == 203
    with SqliteStore(tmp_path / "other", "w") as other:
        results = list(other.import_(str(one)))
        assert {r.status for r in results} == {"added"}
        assert len(results) == 204, "a line per path"
        assert {r.status for r in other.import_(str(one))} == {"unchanged"}
        assert other.export(str(two)) == 203
        assert other.check().ok
        assert [row.to_dict() for row in other.listed()] == [r.to_dict() for r in filled.listed()]
    assert lines(one)[1:-1] == lines(two)[1:-1]
    assert list(tmp_path.glob("*.partial")) == []


def test_proxies_may_be_left_out(store: SqliteStore, asset: Asset, tmp_path: Path) -> None:
    store.add([asset(1)])
    file = tmp_path / "x.jsonl"
    store.export(str(file), proxies=False)
    assert lines(file)[1]["proxy"] is None
    with SqliteStore(tmp_path / "other", "w") as other:
        (result,) = other.import_(str(file))
        assert other.proxy(result.row or 0) is None
        assert other.check().ok
        # The picture itself brings its proxy back.
        assert other.add([asset(1)])[0].status == "updated"
        assert other.proxy(result.row or 0) is not None


def test_broken_exports_import_nothing(store: SqliteStore, asset: Asset, tmp_path: Path) -> None:
    store.add([asset(n) for n in range(5)])
    file = tmp_path / "x.jsonl"
    store.export(str(file))
    data = file.read_bytes()
    broken = {
        "truncated": data[: len(data) // 2],
        "line lost": b"".join(data.splitlines(True)[:3] + data.splitlines(True)[4:]),
        "changed": data.replace(b"agency 1", b"agency 2"),
        "other schema": data.replace(b"index-export/1", b"index-export/2"),
        "no JSON": b"hello\n",
        "empty": b"",
    }
    for name, text in broken.items():
        bad = tmp_path / "bad.jsonl"
        bad.write_bytes(text)
        with SqliteStore(tmp_path / name, "w") as other:
            with pytest.raises(ReadError, match=r"bad\.jsonl"):
                list(other.import_(str(bad)))
            assert len(other) == 0
    with pytest.raises(ReadError, match="cannot be read"):
        list(store.import_(str(tmp_path / "absent")))
    with pytest.raises(StoreError, match="cannot be written"):
        store.export(str(tmp_path / "no" / "such" / "folder"))


def test_an_empty_index_takes_over_the_descriptor_of_an_import(
    filled: SqliteStore, tmp_path: Path
) -> None:
    filled.export(str(tmp_path / "out.jsonl"), proxies=True)
    with SqliteStore(tmp_path / "other", "w", descriptor="another") as other:
        assert other.descriptor == "another"
        assert all(r.error is None for r in other.import_(str(tmp_path / "out.jsonl")))
        assert other.descriptor == filled.descriptor
    with SqliteStore(tmp_path / "other", "r") as other:
        assert other.descriptor == filled.descriptor


def test_vectors_of_two_descriptors_are_not_mixed(
    filled: SqliteStore, asset: Asset, tmp_path: Path
) -> None:
    filled.export(str(tmp_path / "out.jsonl"), proxies=True)
    with SqliteStore(tmp_path / "other", "w", descriptor="another") as other:
        other.add([asset(500)])
        with pytest.raises(ReadError, match="made with the descriptor"):
            list(other.import_(str(tmp_path / "out.jsonl")))
        with pytest.raises(StoreError, match="holds vectors of another"):
            other.adopt("a third")
        assert len(other) == 1
