"""kill -9 of a writer: nothing that was acknowledged is lost, and what is there is whole."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from originlens.store import NewAsset
from originlens.store.sqlite import SqliteStore

Asset = Callable[..., NewAsset]

#: Adds, removes, flushes and compacts for ever; prints a line for what is acknowledged.
WRITER = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("making", sys.argv[2])
making = importlib.util.module_from_spec(spec)
spec.loader.exec_module(making)
from originlens.store.sqlite import SqliteStore
store = SqliteStore(sys.argv[1], "w", buffer=48)
start = int(sys.argv[3])
for turn in range(100000):
    numbers = range(start + turn * 8, start + turn * 8 + 8)
    for result in store.add([making._asset(n) for n in numbers]):
        print("added", result.path, flush=True)
    if turn % 3 == 2:
        gone = "/nowhere/%05d.jpg" % numbers[0]
        print("removing", gone, flush=True)
        store.remove([gone])
        print("removed", gone, flush=True)
    if turn % 20 == 19:
        store.compact()
"""


def kill_and_look(folder: Path, asset: Asset, kills: int, seed: int) -> None:
    rng = random.Random(seed)
    making = Path(__file__).with_name("conftest.py")
    kept: set[str] = set()
    unsure: set[str] = set()
    start = 0
    for _ in range(kills):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, folder, making, str(start)],
            stdout=subprocess.PIPE,
            text=True,
        ) as writer:
            assert writer.stdout is not None
            first = writer.stdout.readline()
            time.sleep(rng.uniform(0.0, 1.2))
            writer.send_signal(signal.SIGKILL)
            told = [first, *writer.stdout.read().splitlines()]
        # The kill may cut the last line in the pipe, which then told nothing.
        lines = [line for line in told if line.rstrip().endswith(".jpg")]
        for line in lines:
            verb, path = line.split()
            unsure.discard(path)
            if verb == "added":
                kept.add(path)
            else:
                kept.discard(path)
                if verb == "removing":
                    unsure.add(path)
        with SqliteStore(folder) as reader:
            listed = {line.path for line in reader.listed()}
        assert kept <= listed
        assert not {line.split()[1] for line in lines if line.startswith("removed")} & listed
        with SqliteStore(folder, "w", buffer=48) as store:
            report = store.check()
            assert report.damage == ()
            assert store.check().repaired == ()
            known = [
                number
                for number in range(start, start + 8)
                if f"/nowhere/{number:05}.jpg" in listed
            ]
            for number in known:
                content = asset(number).content
                assert content is not None
                rows, _ = store.search_vectors(content.vectors, 1)
                assert store.rows(rows[0].tolist())[0].path == f"/nowhere/{number:05}.jpg"
                assert store.proxy(int(rows[0, 0])) == content.proxy
        start += 100_000
    assert kept


needs_kill = pytest.mark.skipif(os.name == "nt", reason="POSIX signals")


@needs_kill
def test_nothing_acknowledged_is_lost(folder: Path, asset: Asset) -> None:
    kill_and_look(folder, asset, kills=4, seed=1)


@needs_kill
@pytest.mark.slow
def test_nothing_acknowledged_is_lost_in_twenty_kills(folder: Path, asset: Asset) -> None:
    kill_and_look(folder, asset, kills=20, seed=2)
