"""Local features in the store: what lists return, and an index that was made without them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from originlens.core.errors import StoreError
from originlens.store import LOCAL_FEATURE, LocalHits, LocalQuery, NewAsset
from originlens.store import _local_lists as lists
from originlens.store.sqlite import SqliteStore

Asset = Callable[..., NewAsset]
RADIUS = 26  # bits: wide, so that random signatures meet


def features_of(asset: NewAsset) -> np.ndarray:
    assert asset.content is not None and asset.content.local is not None
    return asset.content.local


def query_of(seed: int, count: int = 30) -> LocalQuery:
    rng = np.random.default_rng(seed)
    words = np.array([rng.choice(45, 3, replace=False) * 1600 % 65536 for _ in range(count)])
    words[::7, 1] = -1  # none
    bits = rng.integers(0, 1 << 63, count, dtype=np.uint64)
    return LocalQuery(words.astype(np.int32), bits, RADIUS)


def brute_force(assets: dict[int, NewAsset], query: LocalQuery) -> set[tuple[int, ...]]:
    """(query feature, row, x, y, sigma, angle, distance) of every match."""
    found = set()
    for row, asset in assets.items():
        for feature in features_of(asset):
            for number, (words, bits) in enumerate(zip(query.words, query.bits, strict=True)):
                distance = (int(bits) ^ int(feature["bits"])).bit_count()
                if feature["word"] in words and distance <= query.radius:
                    place = [int(feature[name]) for name in ("x", "y", "sigma", "angle")]
                    found.add((number, row, *place, distance))
    return found


def as_tuples(hits: LocalHits) -> list[tuple[int, ...]]:
    columns = [hits.features, hits.rows, *(hits.places[n] for n in hits.places.dtype.names or ())]
    return [tuple(int(v) for v in line) for line in zip(*columns, hits.distances, strict=True)]


def test_lists_equal_brute_force(filled: SqliteStore, asset: Asset) -> None:
    assert sum(s["kind"] == "local" for s in filled.info()["segments"]) == 1
    query = query_of(1)
    found = as_tuples(filled.search_local(query))
    assert len(found) > 50
    assert found == sorted(found, key=lambda hit: hit[:2])
    assert set(found) == brute_force({n + 1: asset(n) for n in range(200)}, query)
    assert len(found) == len(set(found))


def test_removed_assets_and_filters(filled: SqliteStore, asset: Asset) -> None:
    query, path = query_of(2), "/nowhere/00007.jpg"
    filled.remove([path, "/nowhere/00190.jpg"])
    kept = {n + 1: asset(n) for n in range(200) if n not in (7, 190)}
    expected = brute_force(kept, query)
    assert set(as_tuples(filled.search_local(query))) == expected
    ours = {row: a for row, a in kept.items() if (row - 1) % 3 == 1}
    found = filled.search_local(query, {"credit": "agency 1"})
    assert set(as_tuples(found)) == brute_force(ours, query)
    filled.compact()
    assert set(as_tuples(filled.search_local(query))) == expected
    assert filled.check().repaired == ()


def test_answers_do_not_depend_on_segments(
    filled: SqliteStore, asset: Asset, tmp_path: Path
) -> None:
    query = query_of(3)
    with SqliteStore(tmp_path / "one", "w", buffer=10_000) as other:
        other.add([asset(n) for n in range(200)])
        assert other.info()["segments"] == []
        assert as_tuples(other.search_local(query)) == as_tuples(filled.search_local(query))


def test_an_export_carries_them(filled: SqliteStore, tmp_path: Path) -> None:
    filled.export(str(tmp_path / "all.jsonl"))
    query = query_of(4)
    with SqliteStore(tmp_path / "other", "w") as other:
        list(other.import_(str(tmp_path / "all.jsonl")))
        assert as_tuples(other.search_local(query)) == as_tuples(filled.search_local(query))


def test_an_empty_store_has_no_match(store: SqliteStore) -> None:
    assert as_tuples(store.search_local(query_of(5))) == []


def test_features_of_another_type_are_refused(store: SqliteStore, asset: Asset) -> None:
    item = asset(1)
    assert item.content is not None
    wrong = replace(item, content=replace(item.content, local=np.zeros(3)))
    with pytest.raises(ValueError, match="LOCAL_FEATURE"):
        store.add([wrong])


def as_format_1(folder: Path) -> None:
    """Take from an index what releases before local features did not have."""
    with closing(sqlite3.connect(folder / "catalog.sqlite", isolation_level=None)) as db:
        db.execute("DROP TABLE local_features")
        db.execute("DELETE FROM segment WHERE kind = 'local'")
        db.execute("PRAGMA user_version=1")


def test_an_index_without_them_goes_on_and_adding_again_completes_it(
    filled: SqliteStore, folder: Path, asset: Asset
) -> None:
    query, path = query_of(6), "/nowhere/00003.jpg"
    expected = as_tuples(filled.search_local(query))
    filled.close()
    as_format_1(folder)
    with SqliteStore(folder) as old:
        assert as_tuples(old.search_local(query)) == []
        assert old.known([path])[0] is not None
        assert old.info()["with_local_features"] == 0
        assert old.check().ok
    with SqliteStore(folder, "w", buffer=64) as upgraded:
        assert upgraded.known([path]) == [None]  # so that the file is read again
        assert upgraded.info()["with_local_features"] == 0
        for start in range(0, 200, 32):
            added = upgraded.add([asset(n) for n in range(start, min(200, start + 32))])
            assert {result.status for result in added} == {"updated"}
        assert upgraded.known([path])[0] is not None
        assert upgraded.info()["with_local_features"] == len(upgraded) == 200
        found = as_tuples(upgraded.search_local(query))
        assert [(f, row - 200, *rest) for f, row, *rest in found] == expected
        upgraded.compact()
        assert upgraded.check().repaired == ()
        assert as_tuples(upgraded.search_local(query)) == found


def test_a_reader_sees_the_upgrade(filled: SqliteStore, folder: Path, asset: Asset) -> None:
    filled.close()
    as_format_1(folder)
    with SqliteStore(folder) as reader:
        query = query_of(7)
        assert as_tuples(reader.search_local(query)) == []
        with SqliteStore(folder, "w", buffer=64) as writer:
            writer.add([asset(n) for n in range(20)])
            assert as_tuples(reader.search_local(query)) == as_tuples(writer.search_local(query))


def test_damaged_features_are_found_and_adding_again_repairs(
    filled: SqliteStore, folder: Path, asset: Asset
) -> None:
    number = next(n for n in range(200) if len(features_of(asset(n))) > 2)
    filled.close()
    with closing(sqlite3.connect(folder / "catalog.sqlite", isolation_level=None)) as db:
        db.execute(
            "UPDATE local_features SET data = substr(data, 1, 13) WHERE row = ?", (number + 1,)
        )
        db.execute("INSERT INTO local_features VALUES (9999, 1, x'00', 0)")
    with SqliteStore(folder, "w", buffer=64) as store:
        report = store.check()
        assert any("local features of no asset" in line for line in report.repaired)
        assert any("its local features fail" in line for line in report.damage)
        assert store.add([asset(number)])[0].status == "updated"
        store.compact()
        assert store.check().damage == store.check().repaired == ()


def test_a_file_of_lists_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    features = np.zeros(100, LOCAL_FEATURE)
    features["word"] = rng.integers(0, 1 << 16, 100)
    made, path = lists.LocalLists(), tmp_path / "lists"
    made.build(features, np.arange(100))
    made.save(str(path))
    query = LocalQuery(features["word"][:, None].astype(np.int32), features["bits"], 0)
    loaded = lists.LocalLists.load(str(path))
    assert sorted(set(loaded.search(query, None, None).rows)) == list(range(100))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StoreError, match="cut short"):
        lists.LocalLists.load(str(path))
    path.write_bytes(b"something else")
    with pytest.raises(StoreError, match="no local features"):
        lists.LocalLists.load(str(path))


def test_bits_are_counted_alike_by_every_release(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(9).integers(0, 1 << 63, 500, dtype=np.uint64)
    values[:2] = 0, (1 << 64) - 1
    expected = [int(v).bit_count() for v in values]
    assert lists._ones(values).tolist() == expected
    monkeypatch.delattr(np, "bitwise_count", raising=False)
    assert lists._ones(values).tolist() == expected


def test_features_of_another_coder_do_not_count(
    filled: SqliteStore, folder: Path, asset: Asset, tmp_path: Path
) -> None:
    query = query_of(10)
    filled.close()
    with closing(sqlite3.connect(folder / "catalog.sqlite", isolation_level=None)) as db:
        db.execute("UPDATE local_features SET coder = 0")
        db.execute("UPDATE segment SET method = 'lists-0' WHERE kind = 'local'")
    with SqliteStore(folder, "w", buffer=64) as old:
        assert as_tuples(old.search_local(query)) == []
        assert old.known(["/nowhere/00003.jpg"]) == [None]
        assert any("another method" in line for line in old.check().repaired)
        assert old.check().repaired == ()
        old.export(str(tmp_path / "old.jsonl"))
        assert old.add([asset(3)])[0].status == "updated"
        found = {row for _, row, *_ in as_tuples(old.search_local(query))}
        assert found == {row + 197 for _, row, *_ in brute_force({4: asset(3)}, query)}
    with SqliteStore(tmp_path / "other", "w") as other:
        list(other.import_(str(tmp_path / "old.jsonl")))
        assert other.info()["with_local_features"] == 0
