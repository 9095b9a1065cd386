"""Running a suite and comparing runs from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from originlens.bench.outcome import read_rows


@pytest.fixture(scope="module")
def results(process, valid, tmp_path_factory) -> Path:
    """A small run of two hashes on the photographs inside scikit-image."""
    folder = tmp_path_factory.mktemp("bench") / "out"
    done = process(
        "bench", "run", "copy-quick", "--systems", "pdq,phash", "--each", "2", "--jobs", "1",
        "--out", folder, "--jsonl",
    )  # fmt: skip
    assert done.code == 0, done.err
    (outcome,) = done.lines
    valid("bench/1", done.lines)
    assert outcome == json.loads((folder / "outcome.json").read_text())
    return folder


def test_the_table_has_every_system_with_intervals(results):
    systems, halves, by_edit = json.loads((results / "outcome.json").read_text())["tables"]
    assert [row[0] for row in halves["rows"]] == ["pdq", "phash"]
    assert [row[0] for row in systems["rows"]] == ["pdq", "phash"]
    for row in systems["rows"]:
        for cell in row[1:7]:
            assert 0 <= cell["low"] <= cell["value"] <= cell["high"] <= 1
    edits = {row[0]: row for row in by_edit["rows"]}
    assert len(edits) == 16
    # What a hash is known for, and what it is known to miss.
    assert edits["jpeg-q10"][5]["value"] == 1
    assert edits["rotate-15"][5]["value"] == 0


def test_report_and_rows_are_written(results):
    page = (results / "report.html").read_text()
    assert page.count("<svg") == 4  # bars, ROC, and the relations of each system
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "pdq" in (results / "report.md").read_text()
    rows = read_rows(results)
    assert {row["system"] for row in rows} == {"pdq", "phash"}
    assert all(row["error"] is None for row in rows)


def test_a_second_run_asks_nothing_and_says_the_same(results, process):
    answers = results / "work" / "answers.jsonl"
    before, known = (results / "outcome.json").read_text(), answers.read_bytes()
    done = process(
        "bench", "run", "copy-quick", "--systems", "pdq,phash", "--each", "2", "--jobs", "1",
        "--out", results,
    )  # fmt: skip
    assert done.code == 0
    assert answers.read_bytes() == known
    assert (results / "outcome.json").read_text() == before
    assert "uAP" in done.out


def test_two_systems_are_compared_on_the_same_questions(results, process, valid):
    done = process("bench", "compare", f"{results}:pdq", f"{results}:phash", "--jsonl")
    assert done.code == 0
    valid("bench-compare/1", done.lines)
    lines = {line["measure"]: line for line in done.lines}
    mirror = lines["mirror"]
    assert (mirror["first"]["value"], mirror["second"]["value"]) == (1, 0)
    assert mirror["difference"]["value"] == -1
    own = process("bench", "compare", f"{results}:pdq", f"{results}:pdq", "--jsonl").lines
    assert {(line["difference"]["value"], line["p"]) for line in own} == {(0, 1), (0, None)}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("run", "nothing-such"), "nothing-such"),
        (("run", "copy-quick", "--systems", "pdq,nobody"), "nobody"),
        (("run", "copy-quick", "--data", "one.png"), "too few"),
        (("compare", "nowhere", "nowhere"), "nowhere"),
    ],
)
def test_misuse_says_why(process, tmp_path, words, named):
    from originlens.testing import textured_image

    (tmp_path / "one.png").write_bytes(textured_image(1).data)
    done = process("bench", *words, cwd=tmp_path)
    assert done.code in (1, 2)
    assert named in done.err


def test_suites_and_systems_are_listed(process, valid):
    done = process("bench", "list", "--jsonl")
    valid("bench-list/1", done.lines)
    names = {(line["kind"], line["name"]) for line in done.lines}
    (labelled,) = [line for line in done.lines if line.get("takes") == "manifest"]
    assert (labelled["name"], labelled["compares"]) == ("synthesis", ["detector", "baseline"])
    assert "needs a manifest" in process("bench", "list").out
    assert {("suite", "copy-quick"), ("matcher", "originlens"), ("matcher", "phash")} <= names
