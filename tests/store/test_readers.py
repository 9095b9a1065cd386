"""Readers in other processes and threads while a writer adds, removes and compacts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from originlens.store import NewAsset
from originlens.store.sqlite import SqliteStore

Asset = Callable[..., NewAsset]

#: Searches until the writer is done; every answer must be right for the assets that stay.
READER = """
import importlib.util, sys
import numpy as np
spec = importlib.util.spec_from_file_location("making", sys.argv[2])
making = importlib.util.module_from_spec(spec)
spec.loader.exec_module(making)
from originlens.store.sqlite import SqliteStore
store = SqliteStore(sys.argv[1])
items = [making._asset(n) for n in range(10)]
queries = np.concatenate([item.content.vectors for item in items])
hashes = np.stack([np.frombuffer(item.content.pdq, np.uint8) for item in items])
sizes, turns = [], 0
while store.state("done") is None:
    rows, similarity = store.search_vectors(queries, 3)
    assert np.allclose(similarity[:, 0], 1, atol=1e-5), similarity[:, 0]
    found = store.rows(rows[:, 0].tolist())
    assert [row.sha256 for row in found] == [item.sha256 for item in items]
    nearest, distance = store.search_hashes(hashes, 1)
    assert (distance == 0).all()
    assert store.proxy(int(nearest[0, 0])) == items[0].content.proxy
    sizes.append(len(store))
    turns += 1
print(turns, min(sizes), max(sizes))
"""


def test_readers_are_right_while_a_writer_works(
    store: SqliteStore, folder: Path, asset: Asset
) -> None:
    store.add([asset(n) for n in range(10)])
    making = Path(__file__).with_name("conftest.py")
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, folder, making],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    number = 10
    for turn in range(60):
        store.add([asset(n) for n in range(number, number + 16)])
        store.remove([f"/nowhere/{number:05}.jpg"])
        number += 16
        if turn % 15 == 14:
            store.compact()
    store.set_state("done", {})
    for reader in readers:
        out, err = reader.communicate(timeout=120)
        assert reader.returncode == 0, err
        turns, _, largest = map(int, out.split())
        assert turns > 0
        assert 10 <= largest <= 10 + 60 * 16


def test_a_reader_sees_each_commit(store: SqliteStore, folder: Path, asset: Asset) -> None:
    store.add([asset(0)])
    with SqliteStore(folder) as reader:
        for number in range(1, 150):
            store.add([asset(number)])
            content = asset(number).content
            assert content is not None
            rows, _ = reader.search_vectors(content.vectors, 1)
            assert reader.rows(rows[0].tolist())[0].sha256 == asset(number).sha256


def test_one_reader_serves_many_threads(filled: SqliteStore, folder: Path, asset: Asset) -> None:
    def look(number: int) -> bool:
        content = asset(number).content
        assert content is not None
        rows, _ = reader.search_vectors(content.vectors, 1)
        return reader.rows(rows[0].tolist())[0].sha256 == asset(number).sha256

    with SqliteStore(folder) as reader, ThreadPoolExecutor(8) as pool:
        assert all(pool.map(look, range(200)))


def test_compaction_says_when_a_reader_holds_the_log(
    filled: SqliteStore, folder: Path, asset: Asset
) -> None:
    with SqliteStore(folder) as reader:
        reader._db.execute("BEGIN")
        assert len(reader) == 200
        filled._db.execute("PRAGMA busy_timeout=50")
        filled.remove(["/nowhere/00003.jpg"])
        assert filled.compact()["erased"] is False
        reader._db.execute("ROLLBACK")
    assert filled.compact()["erased"] is True
    assert np.isfinite(filled.search_vectors(np.ones((1, 256), np.float32), 1)[1]).all()


@pytest.mark.parametrize("count", [0, 1])
def test_a_reader_of_next_to_nothing(
    store: SqliteStore, folder: Path, asset: Asset, count: int
) -> None:
    store.add([asset(n) for n in range(count)])
    with SqliteStore(folder) as reader:
        rows, _ = reader.search_vectors(np.ones((2, 256), np.float32), 4)
        assert (rows >= 0).sum() == 2 * count
        assert len(list(reader.listed())) == count
        assert reader.check().ok
