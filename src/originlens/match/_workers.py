"""Worker processes that describe files, none of which can take the ingest down with it.

Each uses one thread of ONNX Runtime, OpenCV and BLAS: the processes are the parallelism. One that
dies (a crash in native code, the kernel's memory killer) or exceeds the time limit costs only the
file that it was reading: the files of its batch are read again one by one, and the one that does it
again is reported.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import originlens
from originlens.core.errors import DecodeTimeout, InternalError, WorkerDied
from originlens.match._describing import Described, Settings, Task
from originlens.match._worker import receive, send

#: Files that go to a worker at once: enough to make one call of the network worth it.
BATCH = 8
#: Batches per worker: one being described, one waiting, so that no worker is ever idle.
_AHEAD = 2
#: Seconds that a batch and, read again, one file of it may take: 20 together.
_BATCH_SECONDS = 6.0
_FILE_SECONDS = 14.0
_START_SECONDS = 120.0
#: The caller gets a turn at least so often, to commit what it holds.
_TICK_SECONDS = 0.1
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class _Worker:
    """One process and what it has been given."""

    def __init__(
        self,
        settings: Settings,
        inbox: queue.SimpleQueue[tuple[_Worker, Any]],
        seconds: tuple[float, float],
    ) -> None:
        self._seconds = seconds
        self.batches: deque[list[Task]] = deque()
        self.ready = False
        self._begun = time.monotonic()
        self._process = subprocess.Popen(
            [sys.executable, "-c", "from originlens.match._worker import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            **_own_group(),
        )
        assert self._process.stdin is not None
        self._input = self._process.stdin
        threading.Thread(target=self._listen, args=(inbox,), daemon=True).start()
        self._send(settings)

    def _listen(self, inbox: queue.SimpleQueue[tuple[_Worker, Any]]) -> None:
        assert self._process.stdout is not None
        try:
            while True:
                inbox.put((self, receive(self._process.stdout)))
        except Exception as error:  # noqa: BLE001  whatever ends the stream ends the worker
            inbox.put((self, error))

    def give(self, batch: list[Task]) -> None:
        """Hand it a batch; it may already be busy with another."""
        if not self.batches:
            self._begun = time.monotonic()
        self.batches.append(batch)
        self._send(batch)

    def _send(self, message: Any) -> None:
        with suppress(OSError):  # it is dead: the listening thread says so
            send(self._input, message)

    def answered(self) -> None:
        """It is ready, or has finished the first of its batches."""
        if self.ready:
            self.batches.popleft()
        self.ready = True
        self._begun = time.monotonic()

    @property
    def overdue(self) -> bool:
        """Whether it exceeds its time limit."""
        if not self.ready:
            limit = _START_SECONDS
        elif not self.batches:
            return False
        else:
            limit = self._seconds[0 if len(self.batches[0]) > 1 else 1]
        return time.monotonic() - self._begun > limit

    def stop(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):  # unsent bytes of a dead worker
                    stream.close()


def _own_group() -> dict[str, Any]:
    """Ctrl-C goes to the whole group of the terminal; only the parent shall answer it."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def _environment() -> dict[str, str]:
    root = os.fspath(Path(originlens.__file__).parents[1])
    path = os.pathsep.join(p for p in (root, os.environ.get("PYTHONPATH", "")) if p)
    return {**os.environ, **dict.fromkeys(_ONE_THREAD, "1"), "PYTHONPATH": path}


class Workers:
    """A pool of ``count`` worker processes; a context manager, which ends them on leaving.

    ``seconds`` are the limits for a batch and, where that was exceeded, for each of its files.
    """

    def __init__(
        self,
        count: int,
        settings: Settings,
        *,
        seconds: tuple[float, float] = (_BATCH_SECONDS, _FILE_SECONDS),
    ) -> None:
        self._count, self._settings, self._seconds = count, settings, seconds
        self._inbox: queue.SimpleQueue[tuple[_Worker, Any]] = queue.SimpleQueue()
        self._workers: list[_Worker] = []
        self._again: deque[list[Task]] = deque()
        self._suspects: set[Task] = set()
        self._failed_starts = 0

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *exc: object) -> None:
        for worker in self._workers:
            worker.stop()
        self._workers.clear()

    def describe(self, tasks: Iterable[Task | None]) -> Iterator[list[Described]]:
        """Batches as they are finished; an empty one where the caller should have a turn.

        ``None`` among the tasks gives the caller a turn, too.

        Raises:
            InternalError: no worker can be started.
        """
        source = _batches(tasks)
        more = True
        while True:
            while self._has_room() and (self._again or more):
                batch = self._again.popleft() if self._again else next(source, None)
                if batch is None:
                    more = False
                elif not batch:
                    yield []
                else:
                    self._least_busy().give(batch)
            if not any(w.batches for w in self._workers):
                return
            yield self._next()

    def _has_room(self) -> bool:
        return len(self._workers) < self._count or any(
            len(w.batches) < _AHEAD for w in self._workers
        )

    def _least_busy(self) -> _Worker:
        """An idle worker, else a new one, else the one with the least to do."""
        if all(w.batches for w in self._workers) and len(self._workers) < self._count:
            self._workers.append(_Worker(self._settings, self._inbox, self._seconds))
        return min(self._workers, key=lambda w: len(w.batches))

    def _next(self) -> list[Described]:
        """Wait a moment for an answer; deal with the dead and the overdue."""
        late = next((w for w in self._workers if w.overdue), None)
        if late is not None:
            return self._lose(late, late=True)
        try:
            worker, message = self._inbox.get(timeout=_TICK_SECONDS)
        except queue.Empty:
            return []
        if worker not in self._workers:
            return []  # a last word of one that was stopped
        if isinstance(message, Exception):
            return self._lose(worker, late=False)
        worker.answered()
        self._failed_starts = 0
        return message or []

    def _lose(self, worker: _Worker, *, late: bool) -> list[Described]:
        """Stop a worker; its current batch is read again file by file, the waiting one as it is."""
        worker.stop()
        self._workers.remove(worker)
        lost = worker.batches.popleft() if worker.batches else []
        self._again.extend(worker.batches)
        if not worker.ready:
            self._failed_starts += 1
            if self._failed_starts > 2:
                raise InternalError(
                    "worker processes cannot be started; try --workers 1, which uses none"
                )
            if lost:
                self._again.append(lost)
            return []
        if len(lost) == 1 and (late or lost[0] in self._suspects):
            return [_given_up(lost[0], sum(self._seconds) if late else None)]
        self._suspects.update(lost)
        self._again.extend([task] for task in lost)
        return []


def _batches(tasks: Iterable[Task | None]) -> Iterator[list[Task]]:
    """Full batches, a smaller one at the end, and an empty one for each ``None``."""
    batch: list[Task] = []
    for task in tasks:
        if task is None:
            yield []
            continue
        batch.append(task)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _given_up(task: Task, seconds: float | None) -> Described:
    if seconds is not None:
        message = f"{task.path}: could not be read within {seconds:.0f} s"
        return Described(task, DecodeTimeout(message))
    return Described(
        task,
        WorkerDied(
            f"{task.path}: the process that read it died twice (out of memory, or a crash in "
            "native code); leave this file out"
        ),
    )
