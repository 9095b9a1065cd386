"""Ingest: what each file becomes, what a second run skips, and what a lost worker costs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from originlens.core.errors import (
    AssetIdTaken,
    CorruptImage,
    DecodeTimeout,
    ReadError,
    UnsupportedFormat,
    WorkerDied,
)
from originlens.match._describing import Settings, Task
from originlens.match._workers import Workers
from originlens.match.describe import Description
from originlens.match.index import Index
from originlens.match.ingest import AddEvent, Ingest
from originlens.store.sqlite import SqliteStore


def picture(path: Path, seed: int, side: int = 64, exif: Pillow.Exif | None = None) -> Path:
    """A JPEG of smooth noise."""
    rng = np.random.default_rng(seed)
    small = Pillow.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {} if exif is None else {"exif": exif}
    small.resize((side, side), Pillow.Resampling.BICUBIC).save(path, "JPEG", **kept)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(5):
        picture(tmp_path / "photos" / f"{number}.jpg", number)
    return tmp_path / "photos"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    with Index(tmp_path / "index", "w") as opened:
        yield opened


def statuses(events: Sequence[AddEvent]) -> list[str | None]:
    return [event.status for event in events]


def grow_old(folder: Path) -> None:
    """Times of change far enough back to be relied on."""
    for path in folder.rglob("*"):
        os.utime(path, (1e9, 1e9))


def test_files_become_assets_and_a_second_run_skips_them(index: Index, photos: Path) -> None:
    grow_old(photos)
    events = list(index.add([photos]))
    assert statuses(events) == ["added"] * 5
    assert [event.path for event in events] == [str(photos / f"{n}.jpg") for n in range(5)]
    (row,) = index.store.by_sha256(events[0].sha256 or "")
    assert (row.width, row.height, row.format) == (64, 64, "JPEG")
    assert index.store.proxy(row.row) is not None
    assert statuses(list(index.add([photos]))) == ["unchanged"] * 5
    line = events[0].to_dict()
    assert line == {
        "schema": "index-add/1",
        "path": str(photos / "0.jpg"),
        "asset": row.asset,
        "status": "added",
        "sha256": row.sha256,
    }


def test_changed_touched_renamed_and_vanished_files(index: Index, photos: Path) -> None:
    grow_old(photos)
    first = {event.path: event.asset for event in index.add([photos])}
    picture(photos / "0.jpg", 100)  # changed
    os.utime(photos / "1.jpg", (2e9, 2e9))  # touched
    os.rename(photos / "2.jpg", photos / "renamed.jpg")
    os.unlink(photos / "3.jpg")
    events = {Path(event.path or "").name: event for event in index.add([photos])}
    assert {name: event.status for name, event in events.items()} == {
        "0.jpg": "updated",
        "1.jpg": "unchanged",
        "4.jpg": "unchanged",
        "renamed.jpg": "added",
    }
    assert events["renamed.jpg"].asset == first[str(photos / "2.jpg")]
    assert len(index.store) == 5
    lines = {Path(line.path or "").name: line.status for line in index.list()}
    assert lines["2.jpg"] == lines["3.jpg"] == "missing"
    assert lines["0.jpg"] == "ok"


def test_a_change_within_the_clock_tick_is_seen(index: Index, photos: Path) -> None:
    one, two = (photos / f"{n}.jpg" for n in (0, 1))
    size = max(one.stat().st_size, two.stat().st_size)
    for path in (one, two):
        path.write_bytes(path.read_bytes().ljust(size, b"\0"))
    before = one.stat()
    assert statuses(list(index.add([one]))) == ["added"]
    one.write_bytes(two.read_bytes())
    os.utime(one, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert statuses(list(index.add([one]))) == ["updated"]


def test_bad_files(index: Index, photos: Path, tmp_path: Path) -> None:
    (photos / "notes.txt").write_text("no picture")
    (photos / "empty.jpg").touch()
    (photos / ".hidden").mkdir()
    picture(photos / ".hidden" / "x.jpg", 9)
    data = picture(tmp_path / "whole.jpg", 8, 200).read_bytes()
    (photos / "cut.jpg").write_bytes(data[: len(data) // 2])
    events = list(index.add([photos, photos / "notes.txt", tmp_path / "absent.jpg"]))
    errors = {Path(e.path or "").name: e.error for e in events if e.error is not None}
    assert {name: type(error) for name, error in errors.items()} == {
        "cut.jpg": CorruptImage,
        "notes.txt": UnsupportedFormat,
        "absent.jpg": ReadError,
    }
    assert all(name in str(error) for name, error in errors.items())
    assert index.not_pictures == 2
    assert statuses(events).count("added") == 5


def test_an_index_among_its_pictures_is_not_walked(photos: Path) -> None:
    with Index(photos / "index", "w") as index:
        assert len(list(index.add([photos]))) == 5
        assert index.not_pictures == 0


def test_events_are_durable(photos: Path, index: Index) -> None:
    with SqliteStore(index.path) as reader:
        for event in index.add([photos]):
            assert reader.by_sha256(event.sha256 or "")[0].asset == event.asset


def test_own_ids_from_names_and_exif(index: Index, tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[0x0131] = "archive 7"  # Software
    tagged = picture(tmp_path / "a" / "IMG_1.jpg", 1, exif=exif)
    plain = picture(tmp_path / "b" / "IMG_1.jpg", 2)
    first, second = index.add([tagged, plain], id_from="NAME")
    assert first.asset == "IMG_1"
    assert isinstance(second.error, AssetIdTaken)
    events = {event.path: event for event in index.add([tagged, plain], id_from="Software")}
    assert events[str(tagged)].asset == "IMG_1", "an own id stays"
    assert "Software" in str(events[str(plain)].error)
    index.remove(["IMG_1"])
    assert [e.asset for e in index.add([tagged], id_from="Software")] == ["archive 7"]


def test_metadata_of_the_user_wins_over_the_files(index: Index, tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[0x8298] = "(c) somebody"  # Copyright
    path = picture(tmp_path / "x.jpg", 1, exif=exif)
    list(index.add([path], meta={"credit": "me"}))
    (line,) = index.list()
    assert line.meta == {"copyright": "(c) somebody", "credit": "me"}
    assert statuses(list(index.add([path], meta={"copyright": "mine"}))) == ["updated"]
    (line,) = index.list()
    assert line.meta == {"copyright": "mine", "credit": "me"}


def test_processes_give_what_this_process_gives(tmp_path: Path) -> None:
    for number in range(20):
        picture(tmp_path / "photos" / f"{number:02}.jpg", number)
    (tmp_path / "photos" / "bad.txt").write_text("no picture")
    exports = []
    for workers in (1, 2):
        folder = tmp_path / f"index-{workers}"
        with Index(folder, "w") as index:
            events = list(index.add([tmp_path / "photos"], workers=workers))
            assert statuses(events) == ["added"] * 20
            assert index.not_pictures == 1
            exports.append({item.asset: item for item in index.store.everything(proxies=True)})
    one, two = exports
    assert one.keys() == two.keys()
    for asset, item in one.items():
        assert np.allclose(item.content.vectors, two[asset].content.vectors, atol=1e-5)
        assert item.content.pdq == two[asset].content.pdq
        assert item.content.proxy == two[asset].content.proxy


def test_a_script_needs_no_guard(tmp_path: Path) -> None:
    for number in range(20):
        picture(tmp_path / "photos" / f"{number}.jpg", number)
    script = tmp_path / "script.py"
    script.write_text(
        "from originlens import Index\n"
        "print('started')\n"
        "with Index('index', 'w') as index:\n"
        "    print(len(list(index.add(['photos'], workers=2))))\n"
    )
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["started", "20"], done.stderr


# -- workers that are lost

needs_signals = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


def tasks(folder: Path, count: int) -> list[Task | None]:
    return [Task(str(picture(folder / f"{n}.jpg", n)), explicit=True) for n in range(count)]


@needs_signals
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
def test_a_worker_that_dies_or_hangs_costs_nothing(tmp_path: Path, how: signal.Signals) -> None:
    given = tasks(tmp_path, 40)
    seen: dict[str, object] = {}
    struck = False
    with Workers(2, Settings(), seconds=(3.0, 10.0)) as workers:
        for batch in workers.describe(given):
            seen.update((item.task.path, item.result) for item in batch)
            if seen and not struck:
                struck = True
                os.kill(workers._workers[0]._process.pid, how)
    assert seen.keys() == {task.path for task in given if task is not None}
    assert all(isinstance(result, Description) for result in seen.values())


@needs_signals
@pytest.mark.parametrize(
    ("how", "error"), [(signal.SIGKILL, WorkerDied), (signal.SIGSTOP, DecodeTimeout)]
)
def test_the_file_that_does_it_again_is_reported(
    tmp_path: Path, how: signal.Signals, error: type[Exception]
) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (3000, 3000, 3), dtype=np.uint8)
    Pillow.fromarray(noise).save(tmp_path / "large.png", compress_level=1)
    task = Task(str(tmp_path / "large.png"), explicit=True)
    seen = []
    with Workers(1, Settings(), seconds=(1.0, 1.0)) as workers:
        for batch in workers.describe([task]):
            seen += batch
            for worker in workers._workers:
                if worker.ready and not seen:  # while it reads, whenever it tries
                    os.kill(worker._process.pid, how)
    (item,) = seen
    assert item.task == task
    assert isinstance(item.result, error)
    assert item.task.path in str(item.result)


@needs_signals
def test_a_killed_ingest_goes_on_where_it_stopped(tmp_path: Path) -> None:
    photos, folder = tmp_path / "photos", tmp_path / "index"
    for number in range(120):
        picture(photos / f"{number:03}.jpg", number, 300)
    grow_old(photos)
    script = (
        "import sys; from originlens import Index\n"
        "for event in Index(sys.argv[1], 'w').add([sys.argv[2]], workers=2):\n"
        "    print(event.path, flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, folder, photos], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        first = running.stdout.readline()
        time.sleep(0.3)
        running.kill()
        reported = {line.strip() for line in [first, *running.stdout.read().splitlines(True)]}
    with Index(folder, "w") as index:
        assert index.check().repaired == index.check().damage == ()
        assert {p for p in reported if p.endswith(".jpg")} <= {line.path for line in index.list()}
        events = {event.path: event.status for event in index.add([photos], workers=2)}
        assert len(events) == 120
        assert all(events[path] == "unchanged" for path in reported if path in events)
        assert len(index.store) == 120


def test_memory_holds_no_list_of_files(tmp_path: Path) -> None:
    """Unchanged files are settled as they are met, not after the whole walk."""
    photos = tmp_path / "photos"
    data = picture(tmp_path / "one.jpg", 1).read_bytes()
    photos.mkdir()
    for number in range(300):
        (photos / f"{number:03}.jpg").write_bytes(data + b"%03d" % number)
    grow_old(photos)
    with SqliteStore(tmp_path / "index", "w") as store:
        assert sum(1 for _ in Ingest(store, workers=1).run([photos])) == 300
        again = Ingest(store, workers=1)
        events = again.run([photos])
        next(events)
        assert len(again._settled) < 100
        assert sum(1 for _ in events) == 299
    shutil.rmtree(photos)
