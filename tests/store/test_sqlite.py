"""The embedded store: what it keeps, finds, refuses and forgets."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from originlens.core.errors import (
    AssetIdTaken,
    AssetUnknown,
    IndexCorrupt,
    IndexLocked,
    IndexMissing,
    IndexVersion,
    StoreError,
)
from originlens.store import Content, NewAsset
from originlens.store.sqlite import SqliteStore

Asset = Callable[..., NewAsset]


def vector(item: NewAsset) -> np.ndarray:
    assert item.content is not None
    return item.content.vectors[:1]


def hash_of(item: NewAsset) -> np.ndarray:
    assert item.content is not None
    assert item.content.pdq is not None
    return np.frombuffer(item.content.pdq, np.uint8)[None]


def test_an_empty_store_answers(store: SqliteStore, asset: Asset, rng: np.random.Generator) -> None:
    rows, similarity = store.search_vectors(vector(asset(1)), 5)
    assert rows.tolist() == [[-1] * 5]
    assert similarity.tolist() == [[-1.0] * 5]
    rows, distance = store.search_hashes(hash_of(asset(1)), 3)
    assert rows.tolist() == [[-1] * 3]
    assert distance.tolist() == [[257] * 3]
    assert store.rows([1, 2]) == []
    assert store.sample(5, rng) == []
    assert list(store.listed()) == []
    assert len(store) == 0
    assert store.check().ok
    assert store.compact()["removed"] == 0


def test_one_asset_is_found_with_all_that_is_kept(store: SqliteStore, asset: Asset) -> None:
    item = asset(7)
    assert item.content is not None
    (added,) = store.add([item])
    assert (added.status, added.path) == ("added", item.path)
    assert added.asset == item.sha256[:16] if item.sha256 else False
    rows, similarity = store.search_vectors(vector(item), 3)
    assert rows.tolist() == [[added.row, -1, -1]]
    assert similarity[0, 0] == pytest.approx(1, abs=1e-5)
    rows, distance = store.search_hashes(hash_of(item), 1)
    assert (rows.tolist(), distance.tolist()) == ([[added.row]], [[0]])
    (row,) = store.rows([added.row or 0])
    assert (row.asset, row.sha256, row.path) == (added.asset, item.sha256, item.path)
    assert (row.width, row.height, row.format, row.pdq) == (647, 480, "JPEG", item.content.pdq)
    assert row.meta == {"credit": "agency 1"}
    assert store.by_sha256(item.sha256 or "") == store.by_pixel_hash("pixels-7") == [row]
    assert store.by_asset(added.asset or "") == row
    assert store.by_asset("nobody") is None
    assert store.proxy(row.row) == item.content.proxy
    assert np.array_equal(store.vectors([row.row, 99]), np.vstack([vector(item), np.zeros(256)]))


def test_adding_again_changes_nothing(store: SqliteStore, asset: Asset) -> None:
    store.add([asset(1)])
    again = store.add([asset(1), asset(1)])
    assert [r.status for r in again] == ["unchanged", "unchanged"]
    assert len(store) == 1


def test_equal_bytes_at_two_paths_are_one_asset(store: SqliteStore, asset: Asset) -> None:
    results = store.add([asset(1), asset(1, path="/nowhere/renamed.jpg")])
    assert [r.status for r in results] == ["added", "added"]
    assert results[0].asset == results[1].asset
    lines = list(store.listed())
    assert [line.path for line in lines] == ["/nowhere/00001.jpg", "/nowhere/renamed.jpg"]
    assert {line.status for line in lines} == {"missing"}
    store.remove(["/nowhere/00001.jpg"])
    assert [line.path for line in store.listed()] == ["/nowhere/renamed.jpg"]
    assert len(store) == 1, "an asset goes with its last path"


def test_a_changed_file_replaces_its_picture(store: SqliteStore, asset: Asset) -> None:
    (old,) = store.add([asset(1)])
    (new,) = store.add([asset(2, path="/nowhere/00001.jpg")])
    assert new.status == "updated"
    assert new.asset != old.asset
    assert len(store) == 1
    assert store.search_vectors(vector(asset(1)), 2)[0].tolist() == [[new.row, -1]]


def test_metadata_merges_and_an_empty_value_removes(store: SqliteStore, asset: Asset) -> None:
    store.add([asset(1, meta={"credit": "me", "licence": "CC0"})])
    (again,) = store.add([asset(1, content=None, meta={"credit": "", "title": "Sea"})])
    assert again.status == "updated"
    (row,) = store.by_sha256(asset(1).sha256 or "")
    assert row.meta == {"licence": "CC0", "title": "Sea"}
    assert store.add([asset(1, content=None, meta={"title": "Sea"})])[0].status == "unchanged"


def test_own_ids_are_kept_and_never_shared(store: SqliteStore, asset: Asset) -> None:
    first, second = store.add([asset(1, asset="IMG 1"), asset(2, asset="IMG 1")])
    assert first.asset == "IMG 1"
    assert isinstance(second.error, AssetIdTaken)
    assert "IMG 1" in str(second.error)
    assert "00001.jpg" in str(second.error)
    assert len(store) == 1
    # Known bytes under another id keep the first one; an automatic id gives way to an own one.
    assert store.add([asset(1, asset="other")])[0].asset == "IMG 1"
    store.add([asset(3)])
    (renamed,) = store.add([asset(3, content=None, asset="IMG 3")])
    assert (renamed.status, renamed.asset) == ("updated", "IMG 3")
    # A changed file may keep the id that its name gives it.
    (changed,) = store.add([asset(4, path="/nowhere/00003.jpg", asset="IMG 3")])
    assert (changed.status, changed.asset, len(store)) == ("updated", "IMG 3", 2)


def test_ids_grow_where_their_beginning_is_taken(store: SqliteStore, asset: Asset) -> None:
    sha = hashlib.sha256(b"1").hexdigest()
    store.add([asset(2, asset=sha[:16])])
    (result,) = store.add([asset(1)])
    assert result.asset == sha[:24]


def test_hash_only_assets(store: SqliteStore, rng: np.random.Generator) -> None:
    bare = Content(np.empty((0, 256), np.float32), pdq=rng.bytes(32), pdq_quality=80)
    assert bare.pdq is not None
    named = NewAsset(None, bare, asset="exchange-1", meta={"list": "A"})
    results = store.add([NewAsset(None, bare), NewAsset(None, bare), named])
    assert [r.status for r in results] == ["added", "unchanged", "added"]
    assert results[0].asset == f"pdq-{bare.pdq.hex()}"
    rows, distance = store.search_hashes(np.frombuffer(bare.pdq, np.uint8)[None], 3)
    assert distance.tolist() == [[0, 0, 257]]
    row = store.rows(rows[0, :2].tolist())[1]
    assert (row.status, row.path, row.sha256, row.pdq_quality) == ("hash-only", None, None, 80)
    assert {line.status for line in store.listed()} == {"hash-only"}
    assert store.sample(3, rng) == []
    assert store.proxy(row.row) is None


def test_filters_keep_what_matches_all(filled: SqliteStore, asset: Asset) -> None:
    filled.add([asset(n, content=None, meta={"year": "2020"}) for n in range(0, 200, 2)])
    query = np.concatenate([vector(asset(n)) for n in (0, 1)])
    where = {"credit": "agency 1", "year": "2020"}
    rows, _ = filled.search_vectors(query, 200, where)
    metas = [row.meta for row in filled.rows([r for r in rows[0] if r >= 0])]
    assert len(metas) == sum(n % 3 == 1 and n % 2 == 0 for n in range(200))
    assert all(where.items() <= meta.items() for meta in metas)
    assert filled.search_hashes(hash_of(asset(0)), 5, {"year": "1999"})[0].tolist() == [[-1] * 5]
    assert filled.search_hashes(hash_of(asset(1)), 1, {"credit": "agency 1"})[1].item() == 0


def test_an_asset_with_several_vectors_appears_once(store: SqliteStore, asset: Asset) -> None:
    store.add([asset(n, parts=3) for n in range(70)])
    item = asset(5, parts=3)
    assert item.content is not None
    rows, similarity = store.search_vectors(item.content.vectors, 70)
    assert all(len(set(line)) == 70 for line in rows.tolist())
    assert rows[:, 0].tolist() == [6, 6, 6]
    assert np.allclose(similarity[:, 0], 1, atol=1e-5)


def test_removal_by_id_hash_file_and_folder(filled: SqliteStore, asset: Asset) -> None:
    filled.add([asset(500, path="/elsewhere/a/x.jpg"), asset(501, path="/elsewhere/a b/x.jpg")])
    (first,) = filled.by_sha256(asset(0).sha256 or "")
    targets = [first.asset, asset(1).sha256 or "", "/nowhere/00002.jpg", "/elsewhere/a", "nobody"]
    removed = filled.remove(targets)
    assert [len(r.assets) for r in removed] == [1, 1, 1, 1, 0]
    assert isinstance(removed[-1].error, AssetUnknown)
    assert removed[3].paths == ("/elsewhere/a/x.jpg",)
    assert len(filled) == 198
    for number in (0, 1, 2, 500):
        found = filled.search_hashes(hash_of(asset(number)), 1)[1].item()
        assert found > 0
        assert filled.search_vectors(vector(asset(number)), 1)[1].item() < 0.9
    assert filled.check().ok


def test_removed_bytes_are_gone_after_compaction(
    filled: SqliteStore, folder: Path, asset: Asset
) -> None:
    item = asset(3)
    assert item.content is not None
    assert item.content.proxy is not None
    assert item.content.pdq is not None
    needles = {
        "vector": vector(item).tobytes()[:64],
        "proxy": item.content.proxy[20:84],
        "hash": item.content.pdq,
        "path": b"00003.jpg",
    }
    assert [name for name, needle in needles.items() if not _occurs(folder, needle)] == []
    filled.remove([item.path or ""])
    done = filled.compact()
    assert done["removed"] == 1
    assert done["erased"] is True
    assert done["bytes_after"] < done["bytes_before"]
    assert [name for name, needle in needles.items() if _occurs(folder, needle)] == []
    assert len(filled) == 199
    assert filled.info()["tombstones"] == 0
    assert filled.search_vectors(vector(asset(4)), 1)[1].item() == pytest.approx(1, abs=1e-5)


def _occurs(folder: Path, needle: bytes) -> bool:
    return any(needle in file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_names_that_are_no_text(store: SqliteStore, asset: Asset) -> None:
    path = os.fsdecode(b"/nowhere/\xff\xfe.jpg")
    (result,) = store.add([asset(1, path=path, asset=os.fsdecode(b"\xff"), meta={"k": "\udcff"})])
    assert result.path == path
    assert [line.path for line in store.listed()] == [path]
    assert store.known([path])[0] is not None
    assert store.remove([path])[0].error is None


def test_relative_paths_are_shown_as_given_where_they_lead_there(
    store: SqliteStore, asset: Asset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jpg").touch()
    store.add([asset(1, path="a.jpg")])
    (line,) = store.listed()
    assert (line.path, line.location, line.status) == ("a.jpg", str(tmp_path / "a.jpg"), "ok")
    monkeypatch.chdir("/")
    (line,) = store.listed()
    assert line.path == str(tmp_path / "a.jpg")


def test_state_is_kept(store: SqliteStore, folder: Path) -> None:
    store.set_state("calibration", {"scores": [1.5, 2]})
    with SqliteStore(folder) as reader:
        assert reader.state("calibration") == {"scores": [1.5, 2]}
    store.set_state("calibration", None)
    assert store.state("calibration") is None


def test_a_sample_is_drawn_without_repetition(filled: SqliteStore) -> None:
    drawn = filled.sample(150, np.random.default_rng(1))
    assert len(set(drawn)) == 150
    assert drawn == filled.sample(150, np.random.default_rng(1))
    assert len(filled.sample(1000, np.random.default_rng(1))) == 200


# -- opening


def test_reading_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(IndexMissing, match="no index"):
        SqliteStore(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    with pytest.raises(IndexMissing):
        SqliteStore(tmp_path / "empty")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["empty"]


def test_one_writer_and_readers_that_may_not_write(
    filled: SqliteStore, folder: Path, asset: Asset
) -> None:
    with pytest.raises(IndexLocked, match="another process is writing"):
        SqliteStore(folder, "w")
    with SqliteStore(folder) as reader:
        assert len(reader) == 200
        with pytest.raises(StoreError, match="opened for reading"):
            reader.add([asset(1)])
    filled.close()
    SqliteStore(folder, "w").close()


def test_a_newer_format_and_foreign_files_are_refused(filled: SqliteStore, folder: Path) -> None:
    import sqlite3

    filled.close()
    catalog = folder / "catalog.sqlite"
    with sqlite3.connect(catalog) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(IndexVersion, match="newer release"):
        SqliteStore(folder)
    catalog.write_bytes(b"this is no database at all" * 400)
    for name in ("-wal", "-shm"):
        (folder / f"catalog.sqlite{name}").unlink(missing_ok=True)
    with pytest.raises(IndexCorrupt, match="cannot be read"):
        SqliteStore(folder)


def test_an_index_reopens_with_its_segments(
    filled: SqliteStore, folder: Path, asset: Asset
) -> None:
    kinds = {s["kind"] for s in filled.info()["segments"]}
    assert kinds == {"vector", "hash", "local"}
    filled.close()
    with SqliteStore(folder) as reader:
        query = np.concatenate([vector(asset(n)) for n in range(200)])
        rows, _ = reader.search_vectors(query, 1)
        assert rows[:, 0].tolist() == list(range(1, 201))


def test_a_writer_that_was_killed_while_making_the_index(folder: Path, asset: Asset) -> None:
    folder.mkdir()
    (folder / "catalog.sqlite").touch()
    with pytest.raises(IndexMissing):
        SqliteStore(folder)
    with SqliteStore(folder, "w") as store:
        assert store.add([asset(1)])[0].status == "added"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="drops root's rights to test")
def test_a_folder_that_cannot_be_written_is_read(filled: SqliteStore, tmp_path: Path) -> None:
    filled.close()
    public = Path("/tmp") / f"originlens-{tmp_path.name}-{os.getpid()}"
    shutil.copytree(filled.folder, public)
    try:
        for name in ("catalog.sqlite", "proxies.sqlite"):
            for log in ("-wal", "-shm"):
                (public / (name + log)).unlink(missing_ok=True)
        public.chmod(0o555)
        before = sorted(p.name for p in public.iterdir())
        code = (
            "import os, sys; import originlens.store.sqlite as s\n"
            "os.setgid(65534); os.setuid(65534)\n"
            "assert not os.access(sys.argv[1], os.W_OK)\n"
            "store = s.SqliteStore(sys.argv[1]); print(len(store), store.proxy(1) is not None)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, public], capture_output=True, text=True, check=False
        )
        assert done.stdout.split() == ["200", "True"], done.stderr
        assert sorted(p.name for p in public.iterdir()) == before
    finally:
        shutil.rmtree(public)


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
def test_a_full_disk_is_an_error_and_loses_nothing(folder: Path) -> None:
    code = (
        "import importlib.util, resource, signal, sys\n"
        "spec = importlib.util.spec_from_file_location('making', sys.argv[2])\n"
        "making = importlib.util.module_from_spec(spec); spec.loader.exec_module(making)\n"
        "from originlens.core.errors import StoreError\n"
        "from originlens.store.sqlite import SqliteStore\n"
        "store = SqliteStore(sys.argv[1], 'w', buffer=64)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))\n"
        "try:\n"
        "    for n in range(100_000):\n"
        "        print(store.add([making._asset(n)])[0].path, flush=True)\n"
        "except StoreError as error:\n"
        "    print(error, file=sys.stderr)\n"
        "    sys.exit(3)\n"
    )
    making = Path(__file__).with_name("conftest.py")
    done = subprocess.run(
        [sys.executable, "-c", code, folder, making], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3, done.stderr
    assert "is safe" in done.stderr
    with SqliteStore(folder, "w") as store:
        assert {line.path for line in store.listed()} >= set(done.stdout.split())
        assert store.check().damage == ()
