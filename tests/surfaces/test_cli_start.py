"""Start-up, help and usage errors of the command line."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HEAVY = {"cv2", "faiss", "onnxruntime", "scipy", "torch", "jinja2"}
HELP_SECONDS = 0.3
Process = Callable[..., Any]


def _imported(*words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "originlens", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize(
    ("words", "also"), [(("--help",), {"numpy", "PIL", "rich"}), (("methods",), set[str]())]
)
def test_help_and_methods_load_nothing_heavy(words: tuple[str, ...], also: set[str]) -> None:
    assert not _imported(*words) & (HEAVY | also)


def test_help_starts_at_once() -> None:
    """Processor time: a busy machine must not decide; waiting is not what start-up costs."""
    used = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "originlens", "--help"], capture_output=True, check=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(used) < HELP_SECONDS


def test_version_and_help_go_to_stdout(process: Process) -> None:
    ran = process("--version")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("originlens ")
    ran = process("index", "add", "--help")
    assert ran.code == 0
    assert "--id-from" in ran.out


@pytest.mark.parametrize(
    "words",
    [
        ["nosuch"],
        ["dedup", "folder"],
        ["watermark", "detect", "x.png"],
        ["serve"],
        ["search"],
        ["search", "x.png", "--nosuch"],
        ["search", "x.png", "--top", "0"],
        ["search", "x.png", "--max-false-positive-rate", "0"],
        ["search", "x.png", "--max-false-positive-rate", "1.5"],
        ["search", "x.png", "--max-false-positive-rate", "nan"],
        ["search", "x.png", "--where", "novalue"],
        ["search", "x.png", "--jsonl", "--csv"],
        ["index", "add", "x.png", "--engine", "ray"],
        ["index", "add", "x.png", "--meta", "=v"],
        ["examine", "x.png", "--only", "mood"],
        ["examine", "x.png", "--time-budget", "-1"],
        ["examine", "x.png", "--pdf", "x.pdf"],
        ["methods", "nosuch"],
    ],
)
def test_a_usage_error_is_one_line_and_exit_code_2(
    process: Process, words: list[str], tmp_path: Path
) -> None:
    ran = process(*words, cwd=tmp_path)
    assert ran.code == 2
    assert ran.out == ""
    assert len(ran.err.splitlines()) == 1, ran.err
    assert ran.err.startswith("originlens")
    assert not os.listdir(tmp_path), "a usage error must leave nothing behind"


def test_a_command_without_arguments_shows_its_help(process: Process) -> None:
    for words in ([], ["index"]):
        ran = process(*words)
        assert ran.code == 2
        assert "Commands:" in ran.err


@pytest.mark.parametrize("command", [["search", "x.png"], ["index", "list"], ["index", "check"]])
def test_a_missing_index_is_a_usage_error_and_is_not_made(
    process: Process, command: list[str], tmp_path: Path
) -> None:
    ran = process(*command, "--index", "nowhere", cwd=tmp_path)
    assert ran.code == 2
    assert "nowhere" in ran.err
    assert ran.out == ""
    assert not (tmp_path / "nowhere").exists()
    ran = process(*command, cwd=tmp_path)
    assert ran.code == 2
    assert ".originlens" in ran.err


def test_the_index_is_found_through_the_environment(
    process: Process, index: Path, tmp_path: Path
) -> None:
    ran = process("index", "info", "--jsonl", cwd=tmp_path, ORIGINLENS_INDEX=os.fspath(index))
    assert ran.code == 0, ran.err
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "cost"),
    [
        ("jpeg", "ms per megapixel, 30 MB"),
        ("gem-v0", "ms per picture, 60 MB"),
        ("flat", "ms per query, 1 MB (memory per 1 000 vectors; at 100 000 x 256)"),
        ("auc", "ms per call, 10 MB (100,000 samples)"),
        ("copy-quick", "600 MB (16 edits"),
    ],
)
def test_a_cost_says_what_it_is_per(cli: Callable[..., Any], name: str, cost: str) -> None:
    (line,) = [x for x in cli("methods", name).out.splitlines() if x.startswith("cost ")]
    assert cost in line
    assert ("ms per" in line) == ("ms per" in cost)
