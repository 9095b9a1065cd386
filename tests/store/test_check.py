"""check: what it repairs, and what it says about damage that stays."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest

from originlens.core.errors import IndexCorrupt
from originlens.store import LocalQuery, NewAsset
from originlens.store.sqlite import SqliteStore

Asset = Callable[..., NewAsset]


@contextmanager
def raw(folder: Path, name: str = "catalog.sqlite") -> Iterator[sqlite3.Connection]:
    """The SQLite file itself, as a bad disk would change it."""
    with closing(sqlite3.connect(folder / name, isolation_level=None)) as connection:
        yield connection


def segment(folder: Path, kind: str) -> Path:
    return max((folder / "segments").glob(f"{kind}-*"), key=lambda p: p.stat().st_size)


def assert_exact(store: SqliteStore, asset: Asset, numbers: range) -> None:
    """Every asset is its own nearest neighbour, in all kinds."""
    contents = [asset(n).content for n in numbers]
    vectors = np.concatenate([c.vectors for c in contents if c is not None])
    hashes = [np.frombuffer(c.pdq, np.uint8) for c in contents if c is not None and c.pdq]
    rows, similarity = store.search_vectors(vectors, 1)
    assert np.allclose(similarity, 1, atol=1e-5)
    assert rows[:, 0].tolist() == [n + 1 for n in numbers]
    assert store.search_hashes(np.stack(hashes), 1)[0][:, 0].tolist() == rows[:, 0].tolist()
    local = [c.local for c in contents if c is not None and c.local is not None]
    features = np.concatenate(local)
    words = features["word"][:, None].astype(np.int32)
    found = store.search_local(LocalQuery(words, features["bits"], 0))
    assert found.features.tolist() == list(range(len(features)))
    assert found.rows.tolist() == np.repeat(rows[:, 0], [len(f) for f in local]).tolist()


def test_a_sound_store_is_consistent(filled: SqliteStore) -> None:
    report = filled.check()
    assert (report.ok, report.repaired, report.damage) == (True, (), ())
    assert report.counts["assets"] == report.counts["vectors"] == report.counts["paths"] == 200


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def _flip_header(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[:64] = bytes(b ^ 0x5A for b in data[:64])
    path.write_bytes(data)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


@pytest.mark.parametrize("kind", ["vector", "hash", "local"])
@pytest.mark.parametrize("harm", [_flip, _flip_header, _truncate, Path.unlink])
def test_damaged_segments_are_searched_around_and_rebuilt(
    filled: SqliteStore,
    folder: Path,
    asset: Asset,
    kind: str,
    harm: Callable[[Path], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    filled.close()
    harm(segment(folder, kind))
    with SqliteStore(folder) as reader:
        assert_exact(reader, asset, range(200))
        assert "index check" in caplog.text
        assert not reader.check().ok, "a reader repairs nothing"
    with SqliteStore(folder, "w") as writer:
        report = writer.check()
        assert report.ok
        assert any(kind in line for line in report.repaired)
        assert writer.check().repaired == ()
        assert_exact(writer, asset, range(200))


def test_a_reader_follows_a_repair(filled: SqliteStore, folder: Path, asset: Asset) -> None:
    with SqliteStore(folder) as reader:
        assert_exact(reader, asset, range(200))
        _flip(segment(folder, "vector"))
        assert filled.check().ok
        assert_exact(reader, asset, range(200))


def test_files_that_belong_to_nothing_are_deleted(filled: SqliteStore, folder: Path) -> None:
    stray = folder / "segments" / ".vector-1-9.123"
    stray.write_bytes(b"left by a crash")
    assert filled.check().ok
    assert not stray.exists()
    stray.write_bytes(b"left by a crash")
    filled.close()
    SqliteStore(folder, "w").close()
    assert not stray.exists()


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("catalog.sqlite", "UPDATE vector SET data = zeroblob(1024) WHERE entry = 64 * 5"),
        ("catalog.sqlite", "UPDATE vector SET data = x'00ff' WHERE entry = 64 * 5"),
        ("catalog.sqlite", "DELETE FROM vector WHERE entry = 64 * 5"),
        ("catalog.sqlite", "UPDATE asset SET pdq = randomblob(32) WHERE row = 5"),
        ("catalog.sqlite", "UPDATE asset SET meta = '{' WHERE row = 5"),
        ("proxies.sqlite", "UPDATE proxy SET jpeg = x'ffd8' WHERE id = 5"),
        ("proxies.sqlite", "DELETE FROM proxy WHERE id = 5"),
    ],
)
def test_damaged_blobs_are_reported_until_the_picture_is_added_again(
    filled: SqliteStore, folder: Path, asset: Asset, name: str, statement: str
) -> None:
    with raw(folder, name) as connection:
        connection.execute(statement)
    report = filled.check()
    assert not report.ok
    (line,) = report.damage
    assert "00004.jpg" in line, "says which file to add again"
    assert not filled.check().ok
    if "meta" in statement:
        return  # the metadata itself is lost: removing the asset is all that helps
    assert filled.known(["/nowhere/00004.jpg"]) == [None], "not skipped as unchanged"
    assert [r.status for r in filled.add([asset(4)])] == ["updated"]
    assert filled.check().ok
    assert len(filled) == 200
    assert [line.path for line in filled.listed()].count("/nowhere/00004.jpg") == 1


def test_what_follows_from_other_rows_is_rebuilt(filled: SqliteStore, folder: Path) -> None:
    with raw(folder) as connection:
        connection.execute("DELETE FROM meta_value WHERE row < 50")
        connection.execute("INSERT INTO path VALUES (x'2f78', x'2f78', 999, 1, 1, 1)")
        connection.execute("INSERT INTO vector VALUES (64 * 999, zeroblob(1024), 1)")
        connection.execute("INSERT INTO state VALUES ('broken', '{')")
    with raw(folder, "proxies.sqlite") as connection:
        connection.execute("INSERT INTO proxy VALUES (999, x'00', x'ffd8')")
    report = filled.check()
    assert report.ok, report.damage
    assert len(report.repaired) >= 5
    assert filled.check().repaired == ()
    assert filled.info()["proxies"] == 200


def test_a_catalog_that_cannot_be_read_is_an_error_or_damage(
    filled: SqliteStore, folder: Path
) -> None:
    filled.close()
    catalog = folder / "catalog.sqlite"
    data = bytearray(catalog.read_bytes())
    data[4096 * 3 : 4096 * 20] = b"\xa5" * (4096 * 17)
    catalog.write_bytes(data)
    try:
        with SqliteStore(folder, "w") as store:
            assert not store.check().ok
    except IndexCorrupt as error:
        assert "backup" in str(error) or "check" in str(error)
