"""``originlens index``: adding originals and looking after them, as scripts see it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Process = Callable[..., Any]
Valid = Callable[..., None]


@pytest.fixture
def own(index: Path, tmp_path: Path) -> Path:
    """A copy of the shared index that a test may write to."""
    return Path(shutil.copytree(index, tmp_path / "own"))


def test_add_prints_a_line_per_picture_and_skips_what_it_has(
    cli: Process, photos: Path, tmp_path: Path, valid: Valid
) -> None:
    index = tmp_path / "index"
    arguments = ("index", "add", photos, "--index", index, "--workers", "1", "--jsonl")
    first = cli(*arguments)
    assert first.code == 0, first.err
    valid("index-add/1", first.lines)
    assert {line["status"] for line in first.lines} == {"added"}
    assert sorted(line["path"] for line in first.lines) == sorted(
        os.fspath(p) for p in photos.iterdir()
    )
    again = cli(*arguments)
    assert {line["status"] for line in again.lines} == {"unchanged"}
    updated = cli(*arguments, "--meta", "credit=someone else")
    assert {line["status"] for line in updated.lines} == {"updated"}


def test_bad_files_get_their_line_and_the_rest_goes_on(
    cli: Process, photos: Path, tmp_path: Path, valid: Valid
) -> None:
    folder = tmp_path / "mixed"
    (folder / "sub").mkdir(parents=True)
    shutil.copy(photos / "coins.png", folder / "sub" / "good.dat")
    whole = (photos / "rocket.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    (folder / "notes.txt").write_text("no picture")
    (folder / "empty.jpg").write_bytes(b"")
    missing = tmp_path / "missing.jpg"
    ran = cli(
        "index", "add", folder, missing, folder / "notes.txt", "--index", tmp_path / "i",
        "--workers", "1", "--jsonl",
    )  # fmt: skip
    assert ran.code == 1
    valid("index-add/1", ran.lines)
    by_name = {Path(line["path"]).name: line for line in ran.lines}
    assert by_name["good.dat"]["status"] == "added"
    assert by_name["cut.png"]["error"]["type"] == "CorruptImage"
    assert by_name["missing.jpg"]["error"]["type"] == "ReadError"
    assert by_name["notes.txt"]["error"]["type"] == "UnsupportedFormat"
    assert len(ran.lines) == 4, "what a walk meets and is no picture has no line"
    assert "no picture" in ran.err


def test_list_has_a_line_per_path_and_names_the_metadata(
    cli: Process, own: Path, photos: Path, tmp_path: Path, valid: Valid
) -> None:
    twin = tmp_path / "twin.png"
    shutil.copy(photos / "coins.png", twin)
    assert cli("index", "add", twin, "--index", own, "--workers", "1").code == 0
    ran = cli("index", "list", "--index", own, "--jsonl")
    assert ran.code == 0
    valid("index-list/1", ran.lines)
    assert len(ran.lines) == 7
    assert len({line["asset"] for line in ran.lines}) == 6
    assert all(line["meta"]["credit"] == "NASA & others" for line in ran.lines)
    text = cli("index", "list", "--index", own).out
    assert text.count("\n") == 7
    assert "NASA & others" in text


def test_own_ids_and_metadata_travel_into_matches(
    cli: Process, photos: Path, edited: Path, tmp_path: Path
) -> None:
    index = tmp_path / "index"
    ran = cli(
        "index", "add", photos / "astronaut.png", "--index", index, "--id-from", "NAME",
        "--meta", "credit=NASA", "--meta", "licence=public domain", "--workers", "1", "--jsonl",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    asset = ran.lines[0]["asset"]
    assert asset.startswith("astronaut")
    found = cli("search", edited / "a-copy.jpg", "--index", index, "--jsonl").lines[0]
    assert found["matches"][0]["asset"] == asset
    assert found["matches"][0]["meta"]["licence"] == "public domain"
    assert "public domain" in cli("search", edited / "a-copy.jpg", "--index", index).out


def test_remove_is_real_and_unknown_names_are_errors(cli: Process, own: Path, photos: Path) -> None:
    ran = cli("index", "remove", photos / "coins.png", "nosuch", "--index", own, "--jsonl")
    assert ran.code == 1
    assert [line.get("error", {}).get("type") for line in ran.lines] == [None, "AssetUnknown"]
    listed = cli("index", "list", "--index", own, "--jsonl").lines
    assert "coins.png" not in {Path(line["path"]).name for line in listed}
    found = cli("search", photos / "coins.png", "--index", own, "--jsonl").lines[0]
    assert found["decision"] != "identical"
    assert cli("index", "compact", "--index", own).code == 0
    assert cli("index", "check", "--index", own).code == 0
    assert cli("index", "info", "--index", own, "--jsonl").lines[0]["assets"] == 5


def test_check_says_whether_damage_remains(cli: Process, own: Path) -> None:
    ran = cli("index", "check", "--index", own, "--jsonl")
    assert ran.code == 0
    assert ran.lines[0]["ok"] is True
    assert ran.lines[0]["damage"] == []
    assert "consistent" in cli("index", "check", "--index", own).out


def test_an_export_makes_an_equal_index(
    cli: Process, index: Path, edited: Path, tmp_path: Path
) -> None:
    file, other = tmp_path / "all.jsonl", tmp_path / "other"
    assert cli("index", "export", file, "--index", index).code == 0
    ran = cli("index", "import", file, "--index", other, "--jsonl")
    assert ran.code == 0, ran.err
    assert len(ran.lines) == 6
    query = edited / "a-copy.jpg"
    one, two = (cli("search", query, "--index", i, "--jsonl").lines[0] for i in (index, other))
    assert one["decision"] == two["decision"] == "copy"
    assert one["matches"][0]["asset"] == two["matches"][0]["asset"]


def test_hash_lists_give_hash_only_assets(
    cli: Process, index: Path, photos: Path, tmp_path: Path
) -> None:
    from originlens.core.image import Image
    from originlens.match.descriptors.pdq import Pdq

    packed = Pdq().describe(Image.open(photos / "astronaut.png"))
    hashes = tmp_path / "shared.csv"
    hashes.write_text(f"hash,id\n{bytes(packed).hex()},exchange-7\n")
    other = tmp_path / "other"
    ran = cli("index", "import", "--pdq", hashes, "--index", other, "--jsonl")
    assert ran.code == 0, ran.err
    line = cli("index", "list", "--index", other, "--jsonl").lines[0]
    assert line["status"] == "hash-only"
    found = cli("search", photos / "astronaut.png", "--index", other, "--jsonl").lines[0]
    assert found["matches"][0]["asset"] == line["asset"]
    assert found["matches"][0]["pdq_distance"] <= 2
    assert found["matches"][0]["pdq_quality"] is not None or "pdq_quality" in found["matches"][0]


def test_an_index_in_the_walk_is_left_out(cli: Process, photos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    shutil.copytree(photos, folder)
    inside = folder / "index"
    for expected in ("added", "unchanged"):
        ran = cli("index", "add", folder, "--index", inside, "--workers", "1", "--jsonl")
        assert {line["status"] for line in ran.lines} == {expected}
        assert len(ran.lines) == 6


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_an_interrupted_add_keeps_what_it_reported(process: Process, tmp_path: Path) -> None:
    import numpy as np
    from PIL import Image

    folder, index = tmp_path / "many", tmp_path / "index"
    folder.mkdir()
    rng = np.random.default_rng(7)
    for number in range(150):
        pixels = rng.integers(0, 255, (200, 300, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:03}.png", compress_level=1)
    with subprocess.Popen(
        [sys.executable, "-m", "originlens", "index", "add", folder, "--index", index, "--jsonl"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A test run in the background may have inherited an ignored SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as running:
        assert running.stdout is not None
        reported = [json.loads(running.stdout.readline())]
        # A terminal sends the signal to the whole group: the workers get it too.
        os.killpg(running.pid, signal.SIGINT)
        out, err = running.communicate(timeout=60)
    reported += [json.loads(line) for line in out.splitlines()]
    assert running.returncode == 130, err
    assert "Traceback" not in err
    listed = process("index", "list", "--index", index, "--jsonl").lines
    kept = {line["path"] for line in listed}
    assert {line["path"] for line in reported} <= kept
    assert process("index", "check", "--index", index).code == 0
    again = process("index", "add", folder, "--index", index, "--jsonl")
    assert again.code == 0
    assert len(again.lines) == 150


def test_two_writers_do_not_meet(process: Process, own: Path, photos: Path) -> None:
    from originlens.match.index import Index

    with Index(own, mode="w"):
        started = time.perf_counter()
        ran = process("index", "add", photos, "--index", own)
        assert ran.code == 1
        assert len(ran.err.splitlines()) == 1, ran.err
        assert "writ" in ran.err
        assert time.perf_counter() - started < 60


def test_what_cannot_be_imported_is_an_error_and_makes_no_index(
    cli: Process, tmp_path: Path, valid: Valid
) -> None:
    index, broken = tmp_path / "index", tmp_path / "broken.jsonl"
    ran = cli("index", "import", tmp_path / "missing.jsonl", "--index", index, "--jsonl")
    assert ran.code == 1
    valid("index-add/1", ran.lines)
    assert ran.lines[0]["error"]["type"] == "ReadError"
    assert not index.exists()
    broken.write_text("hello\n")
    assert cli("index", "import", broken, "--index", index, "--jsonl").code == 1
    ran = cli("index", "import", "--pdq", broken, "--index", index, "--jsonl")
    assert ran.code in (0, 1)
    assert cli("index", "list", "--index", index).out == ""


def test_a_check_while_somebody_writes_does_not_wait(process: Process, own: Path) -> None:
    from originlens.match.index import Index

    with Index(own, mode="w"):
        ran = process("index", "check", "--index", own, "--jsonl")
    assert ran.code == 0, ran.err
    assert ran.lines[0]["ok"] is True
    assert "without repairing" in ran.err


def test_an_index_whose_making_was_cut_short_is_checked_and_empty(cli, photos, tmp_path):
    """A kill at the very start leaves a catalog without contents: consistent, and usable."""
    folder = tmp_path / "index"
    folder.mkdir()
    (folder / "catalog.sqlite").touch()
    done = cli("index", "check", "--index", folder, "--jsonl")
    assert done.code == 0
    assert done.lines[0]["ok"]
    assert cli("index", "info", "--index", folder, "--jsonl").lines[0]["assets"] == 0
    assert cli("index", "add", photos, "--index", folder).code == 0
