"""Answers are kept, and nothing is asked twice."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from originlens.bench.runner import Journal, answers, key_of
from originlens.core.errors import MissingExtra, MissingPeer


class Square:
    """Answers with the square, and how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def answer(self, question: int) -> dict[str, int]:
        self.asked += 1
        return {"square": question**2, "process": os.getpid()}


def questions(count: int) -> dict[str, int]:
    return {key_of("square", number): number for number in range(count)}


@pytest.mark.parametrize("jobs", [1, 2])
def test_answers_come_in_the_order_of_the_questions(tmp_path: Path, jobs: int) -> None:
    with Journal(tmp_path / "answers.jsonl") as journal:
        found = answers(Square(), questions(40), journal, jobs=jobs)
    assert [a["square"] for a in found] == [n**2 for n in range(40)]
    processes = {a["process"] for a in found}
    assert (os.getpid() in processes) == (jobs == 1)


def test_what_is_known_is_not_asked_again(tmp_path: Path) -> None:
    steps = []
    with Journal(tmp_path / "answers.jsonl") as journal:
        answers(Square(), questions(5), journal)
    with Journal(tmp_path / "answers.jsonl") as journal:
        worker = Square()
        found = answers(
            worker, questions(8), journal, progress=lambda done, total: steps.append((done, total))
        )
    assert worker.asked == 3
    assert [a["square"] for a in found] == [n**2 for n in range(8)]
    assert steps == [(5, 8), (6, 8), (7, 8), (8, 8)]


def test_a_line_cut_short_is_dropped_and_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    with Journal(path) as journal:
        answers(Square(), questions(3), journal)
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    with Journal(path) as journal:
        worker = Square()
        answers(worker, questions(3), journal)
        assert worker.asked == 1
    assert len([json.loads(line) for line in path.read_text().splitlines()]) == 3


@pytest.mark.parametrize(
    "junk",
    [
        b"\xff\xfe\x00\x9d\x00",
        b"no JSON",
        b"[" * 100_000,
        b'{"key": 3}',
        b'{"key": "k", "answer": []}',
        b"[]",
        b"",
    ],
)
def test_a_line_in_the_middle_that_cannot_be_read_is_asked_again(
    tmp_path: Path, junk: bytes
) -> None:
    path = tmp_path / "answers.jsonl"
    with Journal(path) as journal:
        answers(Square(), questions(4), journal)
    lines = path.read_bytes().splitlines()
    lines[1] = junk
    path.write_bytes(b"\n".join(lines) + b"\n")
    for asked in (1, 0):
        with Journal(path) as journal:
            worker = Square()
            found = answers(worker, questions(4), journal)
        assert worker.asked == asked
        assert [a["square"] for a in found] == [0, 1, 4, 9]


@pytest.mark.parametrize(
    "error", [MissingExtra("pyarrow", "bench"), MissingPeer("pdqhash", "is not installed")]
)
def test_what_is_not_installed_is_told_from_another_process_too(error: MissingExtra) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), str(error))
    assert vars(again) == vars(error)


class Broken:
    def answer(self, question: int) -> dict[str, int]:
        if question == 30:
            raise ZeroDivisionError("thirty")
        return {"number": question}


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_fault_ends_the_run_and_keeps_what_was_answered(tmp_path: Path, jobs: int) -> None:
    with (
        Journal(tmp_path / "answers.jsonl") as journal,
        pytest.raises(ZeroDivisionError, match="thirty"),
    ):
        answers(Broken(), questions(60), journal, jobs=jobs)
    with Journal(tmp_path / "answers.jsonl") as journal:
        kept = [n for n in range(60) if key_of("square", n) in journal]
    assert set(range(20)) <= set(kept)
    assert 30 not in kept


KILLED = """
import sys, time
from originlens.bench.runner import Journal, answers, key_of

class Slow:
    def answer(self, question):
        time.sleep(0.01)
        return {"number": question}

def told(done, total):
    print(done, flush=True)

with Journal(sys.argv[1]) as journal:
    answers(Slow(), {key_of(n): n for n in range(1000)}, journal, progress=told)
"""


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_kill_loses_no_answer_that_was_told(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, path], stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        run.stdout.readline()
        time.sleep(0.5)
        run.send_signal(signal.SIGKILL)
        told = int(run.stdout.read().split()[-1])
    with Journal(path) as journal:
        assert all(key_of(n) in journal for n in range(told))
        assert told > 5


FORSAKEN = """
import os, sys, time
from originlens.bench.runner import Journal, answers, key_of

class Slow:
    def answer(self, question):
        time.sleep(0.05)
        return {"process": os.getpid()}

if __name__ == "__main__":
    with Journal(sys.argv[1]) as journal:
        answers(Slow(), {key_of(n): n for n in range(4000)}, journal, jobs=2)
"""


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_processes_end_with_the_one_that_asks(tmp_path: Path) -> None:
    script, path = tmp_path / "forsaken.py", tmp_path / "answers.jsonl"
    script.write_text(FORSAKEN)
    with subprocess.Popen([sys.executable, script, path]) as run:
        deadline = time.monotonic() + 60
        workers: set[int] = set()
        while len(workers) < 2 and time.monotonic() < deadline:
            time.sleep(0.2)
            lines = path.read_text().splitlines()[:-1] if path.exists() else []
            workers = {json.loads(line)["answer"]["process"] for line in lines}
        run.send_signal(signal.SIGKILL)
    assert len(workers) == 2
    deadline = time.monotonic() + 10
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline, "a process outlived the one that asked"
        time.sleep(0.1)


def test_keys_tell_their_parts_apart() -> None:
    assert key_of("a", "b") != key_of("ab")
    assert key_of("a", 1) == key_of("a", "1")
    assert len({key_of(*p) for p in (("a",), ("a", ""), ("", "a"), ())}) == 4


def test_the_version_of_a_plugin_follows_its_code(tmp_path, monkeypatch):
    from originlens.bench import runner
    from originlens.core.registry import Method, method

    card = method("attack", "jpeg").card
    versions = []
    for text in ("1", "2", "2"):
        (tmp_path / "some_plugin.py").write_text(f"class Own:\n    number = {text}\n")
        monkeypatch.syspath_prepend(tmp_path)
        runner._code_of.cache_clear()
        cls = type("Own", (), {"__module__": "some_plugin"})
        versions.append(runner.version_of(Method(card, cls)))
    assert versions[0] != versions[1] == versions[2]
    assert all(version.startswith("some_plugin ") for version in versions)
    assert runner.version_of(method("attack", "jpeg")) == runner.version_of(method("metric", "auc"))
