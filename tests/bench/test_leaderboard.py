"""The leaderboard: who stands beside whom, and what a newer run replaces."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from originlens.bench.leaderboard import Leaderboard, entries
from originlens.bench.outcome import Outcome, Table
from originlens.bench.results import Value
from originlens.core.errors import ReadError


def run(folder: Path, values: dict[str, float], *, seed: int = 0) -> Path:
    """A finished run of a suite in which each system reached a value."""
    rows = tuple((name, Value("uap", v, v - 0.1, v + 0.1, 9), 7) for name, v in values.items())
    asked = tuple(
        {"system": name, "sha256": "ab", "edit": "crop", "seed": seed, "found": True}
        for name in values
    )
    table = Table("Systems", ("system", "uAP", "errors"), rows)
    Outcome("copy-quick", {"seed": seed, "questions": 1}, (table,), rows=asked).write(folder)
    return folder


def test_systems_that_were_asked_the_same_are_ranked_together(tmp_path):
    board = Leaderboard(tmp_path / "board.json")
    board.add(entries(run(tmp_path / "a", {"pdq": 0.4, "phash": 0.3}), note="first"))
    board.add(entries(run(tmp_path / "b", {"mine": 0.9})))
    board.add(entries(run(tmp_path / "c", {"other": 0.8}, seed=1)))
    page = board.write().read_text("utf-8")
    same, different = page.split("## ")[1:]
    if "other" in same:
        same, different = different, same
    names = [line.split(" | ")[0].strip("| ") for line in same.splitlines() if line[:1] == "|"]
    assert names == ["system", "---", "mine", "pdq", "phash"]
    assert "0.400 [0.300, 0.500]" in same
    assert "first" in same
    assert "other" in different
    assert "mine" not in different


def test_a_newer_run_replaces_the_older_and_the_rest_is_kept(tmp_path):
    path = tmp_path / "board.json"
    board = Leaderboard(path)
    board.add(entries(run(tmp_path / "a", {"pdq": 0.4, "phash": 0.3})))
    board.write()
    again = Leaderboard(path)
    again.add(entries(run(tmp_path / "b", {"pdq": 0.5}), note="newer"))
    again.write()
    found = {e.system: e for e in Leaderboard(path).entries}
    assert found["pdq"].cells["uAP"]["value"] == 0.5
    assert found["pdq"].note == "newer"
    assert found["phash"].cells["uAP"]["value"] == 0.3
    assert not list(tmp_path.glob("*.part"))


def test_what_was_not_measured_ranks_last(tmp_path):
    board = Leaderboard(tmp_path / "board.json")
    board.add(entries(run(tmp_path / "a", {"none": math.nan, "bad": 0.1})))
    page = board.write().read_text("utf-8")
    assert page.index("| bad") < page.index("| none")


def test_where_low_is_good_the_lowest_comes_first(tmp_path):
    rows = (("slow", Value("ms", 9.0, 8.0, 10.0, 3)), ("fast", Value("ms", 1.0, 0.5, 2.0, 3)))
    table = Table("Systems", ("system", "ms"), rows, best="lowest")
    asked = ({"system": "slow", "sha256": "ab"}, {"system": "fast", "sha256": "ab"})
    Outcome("speed", {}, (table,), rows=asked).write(tmp_path / "run")
    board = Leaderboard(tmp_path / "board.json")
    board.add(entries(tmp_path / "run"))
    page = board.write().read_text("utf-8")
    assert page.index("| fast") < page.index("| slow")


def test_a_table_says_by_which_column_it_is_ranked(tmp_path):
    rows = (
        ("dull", Value("psnr", 50.0, 49.0, 51.0, 3), Value("exact", 0.1, 0.0, 0.2, 3)),
        ("robust", Value("psnr", 40.0, 39.0, 41.0, 3), Value("exact", 0.9, 0.8, 1.0, 3)),
    )
    table = Table("Systems", ("system", "PSNR", "exact"), rows, rank_by="exact")
    asked = ({"system": "dull", "sha256": "ab"}, {"system": "robust", "sha256": "ab"})
    Outcome("watermark", {}, (table,), rows=asked).write(tmp_path / "run")
    board = Leaderboard(tmp_path / "board.json")
    board.add(entries(tmp_path / "run"))
    page = board.write().read_text("utf-8")
    assert page.index("| robust") < page.index("| dull")


@pytest.mark.parametrize("text", ["", "{}", '{"suite": "x", "facts": {}, "tables": []}'])
def test_a_folder_without_results_is_refused(tmp_path, text):
    (tmp_path / "outcome.json").write_text(text)
    with pytest.raises(ReadError, match=r"outcome\.json"):
        entries(tmp_path)


def test_another_file_is_not_overwritten(tmp_path):
    path = tmp_path / "board.json"
    path.write_text(json.dumps({"schema": "search/1"}))
    with pytest.raises(ReadError, match="no leaderboard"):
        Leaderboard(path)
