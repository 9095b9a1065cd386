"""``originlens examine`` and ``methods``."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from originlens.core.evidence import QUESTIONS
from originlens.core.registry import methods

Process = Callable[..., Any]
Valid = Callable[..., None]


def test_every_question_is_answered_or_said_not_to_be(
    cli: Process, index: Path, edited: Path, valid: Valid
) -> None:
    ran = cli("examine", edited, "--index", index, "--jsonl")
    assert ran.code == 0, ran.err
    valid("report/1", ran.lines)
    assert [Path(line["image"]["path"]).name for line in ran.lines] == ["a-copy.jpg", "b-other.png"]
    verdicts = ran.lines[0]["verdicts"]
    assert tuple(verdicts) == QUESTIONS
    assert verdicts["origin"]["label"] == "copy"
    assert verdicts["synthesis"]["label"] == "not-examinable"
    assert ran.lines[0]["skipped"]


def test_only_some_questions(cli: Process, photos: Path) -> None:
    line = cli("examine", photos / "coins.png", "--only", "metadata,origin", "--jsonl").lines[0]
    assert sorted(line["verdicts"]) == ["metadata", "origin"]


def test_without_an_index_the_origin_is_not_examinable(
    process: Process, photos: Path, tmp_path: Path
) -> None:
    ran = process("examine", photos / "coins.png", "--jsonl", cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert ran.lines[0]["verdicts"]["origin"]["label"] == "not-examinable"
    assert not os.listdir(tmp_path)
    ran = process("examine", photos / "coins.png", "--index", "nowhere", cwd=tmp_path)
    assert ran.code == 2


def test_failures_are_lines_and_pages_are_written(
    cli: Process, index: Path, edited: Path, tmp_path: Path, valid: Valid
) -> None:
    page = tmp_path / "report.html"
    missing = tmp_path / "missing.png"
    ran = cli("examine", missing, edited, "--index", index, "--html", page, "--jsonl")
    assert ran.code == 1
    valid("report/1", ran.lines)
    assert ran.lines[0]["error"]["type"] == "ReadError"
    assert ran.lines[0]["image"] == {"path": os.fspath(missing)}
    assert "a-copy.jpg" in page.read_text(encoding="utf-8")


def test_people_read_a_table(cli: Process, index: Path, edited: Path) -> None:
    ran = cli("examine", edited / "a-copy.jpg", "--index", index)
    assert ran.code == 0
    assert "origin" in ran.out
    assert "not-examinable" in ran.out


def test_methods_lists_every_card(cli: Process) -> None:
    document = json.loads(cli("methods", "--json").out)
    assert document["schema"] == "methods/1"
    assert [m["name"] for m in document["methods"]] == [m.card.name for m in methods()]
    text = cli("methods").out
    assert "pdq" in text
    card = cli("methods", "pdq").out
    assert "fails when" in card


def test_maps_that_no_method_makes_are_said_to_be_missing(
    cli: Process, photos: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "maps"
    ran = cli("examine", photos / "coins.png", "--only", "metadata", "--maps", folder)
    assert ran.code == 0
    assert "no map was written" in ran.err
    assert list(folder.iterdir()) == []
