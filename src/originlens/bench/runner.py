"""Many independent questions answered by several processes, each answer kept once it is there.

A run that is interrupted, or killed, goes on where it was: answers are lines of a journal under
keys that name everything they depend on (contents, edits, seeds, the code that answers), so that a
key that is there needs no second answer. The order of answers depends on nothing but the questions.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from functools import lru_cache
from itertools import islice
from multiprocessing import get_context, parent_process
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

from originlens.core.registry import Method

Answer = dict[str, Any]
Progress = Callable[[int, int], None]
#: Questions that wait in each process's queue: enough to keep it busy.
_AHEAD = 3


class Worker(Protocol):
    """What answers questions; sent to every process once, and there opened by the first question.

    It must be picklable until it is opened.
    """

    def answer(self, question: Any) -> Answer:
        """Plain data (JSON) that is the same for the same question, times apart."""
        ...


class Journal:
    """Answers by key in one file of JSON lines.

    A line that a kill cut short is dropped when the file is opened again; one that cannot be read
    is passed over, so that its question is asked again.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._answers: dict[str, Answer] = {}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = self._read()
        self._file = self.path.open("r+b" if self.path.exists() else "w+b")
        self._file.truncate(whole)
        self._file.seek(0, os.SEEK_END)

    def _read(self) -> int:
        """Take in the finished lines; returns where they end."""
        whole = 0
        if self.path.exists():
            with self.path.open("rb") as lines:
                for line in lines:
                    if not line.endswith(b"\n"):
                        break
                    whole += len(line)
                    self._take(line)
        return whole

    def _take(self, line: bytes) -> None:
        try:
            stored = json.loads(line)
        except (ValueError, RecursionError):  # junk; brackets without end exhaust the parser
            return
        match stored:
            case {"key": str(key), "answer": dict(answer)}:
                self._answers[key] = answer

    def __contains__(self, key: str) -> bool:
        return key in self._answers

    def __getitem__(self, key: str) -> Answer:
        return self._answers[key]

    def add(self, key: str, answer: Answer) -> None:
        """Keep an answer; it is on its way to the disk when this returns."""
        line = json.dumps({"key": key, "answer": answer}, allow_nan=False, sort_keys=True)
        self._file.write(line.encode() + b"\n")
        self._file.flush()
        self._answers[key] = json.loads(line)["answer"]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def answers(
    worker: Worker,
    questions: Mapping[str, Any],
    journal: Journal,
    *,
    jobs: int = 1,
    progress: Progress | None = None,
) -> list[Answer]:
    """The answers in the order of the questions, from the journal where it has them.

    Args:
        worker: answers what the journal lacks.
        questions: picklable questions by their keys.
        journal: takes every answer as it comes.
        jobs: processes; 1 works in this one.
        progress: called with (answered, of how many).
    """
    missing = [key for key in questions if key not in journal]
    done = len(questions) - len(missing)
    if progress is not None:
        progress(done, len(questions))
    for key, answer in as_they_come(worker, [(key, questions[key]) for key in missing], jobs):
        journal.add(key, answer)
        done += 1
        if progress is not None:
            progress(done, len(questions))
    return [journal[key] for key in questions]


def as_they_come(
    worker: Worker, asked: Sequence[tuple[str, Any]], jobs: int
) -> Iterator[tuple[str, Answer]]:
    """(Key, answer) of every (key, question) in the order in which they are finished."""
    if jobs == 1 or len(asked) < 2:
        for key, question in asked:
            yield key, worker.answer(question)
        return
    # Spawned: libraries that run threads of their own do not survive a fork.
    with ProcessPoolExecutor(jobs, get_context("spawn"), _adopt, (worker,)) as pool:
        waiting: dict[Future[Answer], str] = {}
        rest = iter(asked)
        try:
            while True:
                for key, question in islice(rest, _AHEAD * jobs - len(waiting)):
                    waiting[pool.submit(_answer, question)] = key
                if not waiting:
                    return
                for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                    yield waiting.pop(future), future.result()
        finally:
            for future in waiting:
                future.cancel()


_worker: Worker | None = None


def _adopt(worker: Worker) -> None:
    """Make a process that worker's, with one thread for each library: processes are the CPUs."""
    global _worker
    import cv2

    cv2.setNumThreads(1)
    _worker = worker
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    """End with the process that asks: one that was killed can tell nobody."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _answer(question: Any) -> Answer:
    assert _worker is not None
    return _worker.answer(question)


def key_of(*parts: object) -> str:
    """A key (hex) that differs wherever the texts of its parts do."""
    text = json.dumps([str(part) for part in parts])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


@lru_cache(maxsize=4096)
def content_of(path: str) -> str:
    """SHA-256 of a file's bytes (hex)."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache
def _code_of(package: str) -> str:
    """A hash of the code and weights of a package or a single module."""
    # A script has no specification, and nothing that could be found again.
    spec = None if package == "__main__" else importlib.util.find_spec(package)
    digest = hashlib.sha256()
    for root in (spec and spec.submodule_search_locations) or ():
        for path in sorted(Path(root).rglob("*")):
            if path.suffix in (".py", ".json", ".onnx", ".npz", ".toml") and path.is_file():
                digest.update(path.relative_to(root).as_posix().encode())
                digest.update(path.read_bytes())
    if spec and spec.origin and not spec.submodule_search_locations:
        digest.update(Path(spec.origin).read_bytes())
    return digest.hexdigest()[:16]


@lru_cache
def _releases(package: str) -> str:
    """Names and versions of the distributions that a package comes from."""
    found = importlib.metadata.packages_distributions().get(package, [])
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in sorted(set(found)))


def version_of(method: Method) -> str:
    """What an answer of a method depends on: the code of its package, ours or a plugin's.

    A plugin's names its distribution too. Packages that a plugin imports are not looked at.
    """
    package = method.cls.__module__.partition(".")[0]
    if package == "originlens":
        return _code_of(package)
    return " ".join(filter(None, (_releases(package) or package, _code_of(package))))
