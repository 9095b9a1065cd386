"""``originlens search`` and ``compare``: what scripts, spreadsheets and people get."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

Process = Callable[..., Any]
Valid = Callable[..., None]


def test_lines_come_in_input_order_and_follow_the_schema(
    cli: Process, index: Path, photos: Path, edited: Path, tmp_path: Path, valid: Valid
) -> None:
    missing = tmp_path / "missing.png"
    (tmp_path / "text.jpg").write_text("no picture")
    ran = cli(
        "search", photos / "coins.png", missing, edited, tmp_path / "text.jpg",
        "--index", index, "--jsonl",
    )  # fmt: skip
    assert ran.code == 1
    valid("search/1", ran.lines)
    assert [Path(line["query"]).name for line in ran.lines] == [
        "coins.png", "missing.png", "a-copy.jpg", "b-other.png", "text.jpg",
    ]  # fmt: skip
    assert [line.get("decision") for line in ran.lines] == ["identical", None, "copy", "none", None]
    assert [line.get("error", {}).get("type") for line in ran.lines] == [
        None, "ReadError", None, None, "UnsupportedFormat",
    ]  # fmt: skip


def test_the_transform_maps_the_asset_into_the_query(
    cli: Process, index: Path, edited: Path, photos: Path
) -> None:
    line = cli("search", edited / "a-copy.jpg", "--index", index, "--jsonl").lines[0]
    best = line["matches"][0]
    assert Path(best["path"]).name == "astronaut.png"
    assert best["direction"] == "query-from-asset"
    matrix = np.array(best["transform"])
    assert matrix[2, 2] == 1
    # The query lacks a tenth of the asset at the left and the top.
    moved = matrix @ [100.0, 100.0, 1.0]
    assert np.allclose(moved[:2] / moved[2], [100 - 32, 100 - 32], atol=1.5)


def test_a_stricter_rate_moves_decisions_but_no_score(
    cli: Process, index: Path, edited: Path
) -> None:
    loose, strict = (
        cli("search", edited, "--index", index, "--jsonl", "--max-false-positive-rate", p).lines
        for p in ("1", "0.0001")
    )
    for one, two in zip(loose, strict, strict=True):
        assert [(m["asset"], m["score"]) for m in one["matches"]] == [
            (m["asset"], m["score"]) for m in two["matches"]
        ]


def test_top_and_where_choose_candidates(cli: Process, index: Path, edited: Path) -> None:
    query = edited / "a-copy.jpg"
    ran = cli("search", query, "--index", index, "--jsonl", "--top", "2")
    assert len(ran.lines[0]["matches"]) == 2
    ran = cli("search", query, "--index", index, "--jsonl", "--where", "credit=NASA & others")
    assert ran.lines[0]["decision"] == "copy"
    ran = cli("search", query, "--index", index, "--jsonl", "--where", "credit=nobody")
    assert ran.lines[0]["matches"] == []
    assert ran.lines[0]["decision"] == "none"


def test_change_maps_have_the_size_of_the_query(
    cli: Process, index: Path, edited: Path, tmp_path: Path
) -> None:
    from PIL import Image

    folder = tmp_path / "deep" / "maps"
    line = cli(
        "search", edited / "a-copy.jpg", "--index", index, "--jsonl", "--diff-dir", folder
    ).lines[0]
    best = line["matches"][0]
    assert os.path.isabs(best["diff_map"])
    assert line["sha256"] in Path(best["diff_map"]).name
    assert best["asset"] in Path(best["diff_map"]).name
    with Image.open(best["diff_map"]) as change, Image.open(edited / "a-copy.jpg") as query:
        assert change.mode == "L"
        assert change.size == query.size
    verified = [m for m in line["matches"] if m["transform"] is not None]
    assert all(m["diff_map"] for m in verified)
    assert len(list(folder.iterdir())) == len(verified)


def test_csv_has_a_row_per_candidate_and_one_per_failure(
    cli: Process, index: Path, edited: Path, tmp_path: Path
) -> None:
    ran = cli("search", edited, tmp_path / "missing.png", "--index", index, "--csv", "--top", "3")
    assert ran.code == 1
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    copies = [row for row in rows if row["query"].endswith("a-copy.jpg")]
    assert [row["rank"] for row in copies] == ["1", "2", "3"]
    assert copies[0]["relation"] == "copy"
    assert copies[0]["credit"] == "NASA & others"
    assert "crop" in copies[0]["edits"]
    assert rows[-1]["error"].startswith("ReadError")


def test_people_read_what_was_changed_and_why_not(cli: Process, index: Path, edited: Path) -> None:
    ran = cli("search", edited, "--index", index)
    assert ran.code == 0
    assert "copy" in ran.out
    assert "crop" in ran.out
    assert "NASA & others" in ran.out
    assert "astronaut.png" in ran.out, "the original is named, not only numbered"
    assert "no match" in ran.out
    assert "closest:" in ran.out


def test_a_filter_that_nothing_matches_is_named(cli: Process, index: Path, edited: Path) -> None:
    ran = cli("search", edited / "a-copy.jpg", "--index", index, "--where", "credit=nobody")
    assert ran.code == 0
    assert "nothing to compare with: no asset matches --where" in ran.out


def test_a_page_is_written(cli: Process, index: Path, edited: Path, tmp_path: Path) -> None:
    page = tmp_path / "out" / "hits.html"
    ran = cli("search", edited, "--index", index, "--html", page, "--jsonl")
    assert ran.code == 0, ran.err
    assert len(ran.lines) == 2
    text = page.read_text(encoding="utf-8")
    assert text.lower().startswith("<!doctype html>")
    assert "a-copy.jpg" in text
    assert "hits.html" in ran.err


def test_a_folder_without_pictures_is_said(cli: Process, index: Path, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    ran = cli("search", tmp_path, "--index", index, "--jsonl")
    assert ran.code == 0
    assert ran.out == ""
    assert "no picture" in ran.err


@pytest.mark.skipif(sys.platform != "linux", reason="file names are Unicode elsewhere")
def test_names_that_are_no_utf8_travel_through(
    process: Process, index: Path, edited: Path, tmp_path: Path
) -> None:
    name = os.fsencode(tmp_path) + b"/caf\xe9.jpg"
    shutil.copy(os.fsencode(edited / "a-copy.jpg"), name)
    missing = os.fsencode(tmp_path) + b"/gone\xff.jpg"
    ran = process("search", name, missing, "--index", index, "--jsonl")
    assert ran.code == 1
    assert [os.fsencode(line["query"]) for line in ran.lines] == [name, missing]
    for form in ("--csv", "--top=3"):
        ran = process("search", name, missing, "--index", index, form)
        assert ran.code == 1
        assert os.fsencode(ran.out).count(b"caf\xe9.jpg") >= 1
    own = tmp_path / "own"
    ran = process("index", "add", name, "--index", own, "--jsonl")
    assert ran.code == 0, ran.err
    listed = process("index", "list", "--index", own, "--jsonl").lines
    assert [os.fsencode(line["path"]) for line in listed] == [name]


def test_control_characters_in_names_do_not_reach_the_terminal(
    process: Process, index: Path, edited: Path, tmp_path: Path
) -> None:
    odd = tmp_path / "red\x1b[31m\n[bold]x.jpg"
    shutil.copy(edited / "a-copy.jpg", odd)
    ran = process("search", odd, tmp_path / "no\x1b[2Jsuch", "--index", index)
    assert "\x1b" not in ran.out + ran.err
    assert "[bold]x.jpg" in ran.out


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
def test_a_closed_pipe_ends_quietly(index: Path, photos: Path) -> None:
    words = [sys.executable, "-m", "originlens", "search", *[photos] * 5, "--index", index]
    for form, options in (("lines", ["--jsonl"]), ("rows", ["--csv"]), ("tables", [])):
        with subprocess.Popen(
            [*words, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as running:
            assert running.stdout is not None and running.stderr is not None
            assert running.stdout.readline()
            running.stdout.close()
            err = running.stderr.read().decode()
            assert running.wait(timeout=60) == 141, (form, err)
            assert err == ""


def test_compare_tells_relation_edits_and_map(
    cli: Process, photos: Path, edited: Path, tmp_path: Path, valid: Valid
) -> None:
    pair = (edited / "a-copy.jpg", photos / "astronaut.png")
    page = tmp_path / "pair.html"
    ran = cli("compare", *pair, "--jsonl", "--diff-dir", tmp_path / "maps", "--html", page)
    assert ran.code == 0, ran.err
    valid("search/1", ran.lines)
    match = ran.lines[0]["matches"][0]
    assert match["relation"] == "copy"
    assert Path(match["diff_map"]).is_file()
    assert page.is_file()
    text = cli("compare", *pair).out
    assert "copy" in text
    assert "crop" in text
    other = cli("compare", photos / "coins.png", photos / "coffee.png", "--jsonl")
    assert other.lines[0]["decision"] == "none"
    assert cli("compare", pair[0], pair[0], "--jsonl").lines[0]["decision"] == "identical"


def test_compare_names_the_picture_that_cannot_be_read(
    cli: Process, photos: Path, tmp_path: Path
) -> None:
    ran = cli("compare", photos / "coins.png", tmp_path / "missing.png")
    assert ran.code == 1
    assert "missing.png" in ran.err
    assert ran.out == ""


@pytest.mark.parametrize("command", ["search", "examine"])
def test_a_report_that_cannot_be_written_is_said_before_any_work(
    cli: Process, index: Path, edited: Path, tmp_path: Path, command: str
) -> None:
    (tmp_path / "file").write_text("x")
    for place in (tmp_path, tmp_path / "file" / "page.html"):
        ran = main_quietly(cli, command, edited, "--index", index, "--html", place)
        assert ran.code == 2
        assert ran.out == ""
        assert "--html" in ran.err


def main_quietly(cli: Process, *words: object) -> Any:
    """Runs a command whose error is the point: no traceback for debugging."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ORIGINLENS_DEBUG")
        return cli(*words)


@pytest.mark.skipif(os.name == "nt", reason="POSIX terminals")
def test_a_terminal_sees_progress_and_the_data_stay_clean(index: Path, photos: Path) -> None:
    import pty
    import threading

    ours, theirs = pty.openpty()
    shown: list[bytes] = []

    def look() -> None:
        # A terminal whose output nobody takes would block the process; its end is an error (EIO).
        with contextlib.suppress(OSError):
            while piece := os.read(ours, 65536):
                shown.append(piece)

    watcher = threading.Thread(target=look)
    watcher.start()
    with subprocess.Popen(
        [sys.executable, "-m", "originlens", "search", photos, "--index", index, "--jsonl"],
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as running:
        os.close(theirs)
        out, _ = running.communicate(timeout=120)
    watcher.join(timeout=10)
    os.close(ours)
    assert running.returncode == 0
    assert [json.loads(line)["decision"] for line in out.splitlines()] == ["identical"] * 6
    assert b"searching" in b"".join(shown)
    assert b"6/6" in b"".join(shown)
