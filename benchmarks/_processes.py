"""Command-line runs under measurement: CPU seconds and memory of a whole process tree."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


def originlens() -> list[str]:
    """The installed command of this interpreter's environment."""
    script = Path(sysconfig.get_path("scripts")) / "originlens"
    return [str(script)] if script.is_file() else [sys.executable, "-m", "originlens"]


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished command: output, exit code, wall and CPU seconds, peak memory of its tree (MB)."""

    code: int
    out: str
    err: str
    wall: float
    cpu: float
    peak_mb: float


def measured(
    command: Sequence[str], *, cpus: set[int] | None = None, timeout: float = 3600
) -> Finished:
    """Run a command; memory is the highest sum of resident sizes over its tree, every 50 ms."""
    started = time.perf_counter()
    before = os.times()
    with tempfile.TemporaryFile("w+b") as out, tempfile.TemporaryFile("w+b") as err:
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=err,
            preexec_fn=(lambda: os.sched_setaffinity(0, cpus)) if cpus else None,
            start_new_session=True,
        )
        peak = [0.0]
        watcher = threading.Thread(target=_watch, args=(process, peak), daemon=True)
        watcher.start()
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            code = process.wait()
        watcher.join()
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode("utf-8", "surrogateescape"))
    after = os.times()
    cpu = after.children_user + after.children_system
    cpu -= before.children_user + before.children_system
    return Finished(code, texts[0], texts[1], time.perf_counter() - started, cpu, peak[0])


def _watch(process: subprocess.Popen[bytes], peak: list[float]) -> None:
    while process.poll() is None:
        peak[0] = max(peak[0], sum(_resident(pid) for pid in tree(process.pid)))
        time.sleep(0.05)


def _resident(pid: int) -> float:
    """Resident memory in MB, pages shared with other processes counted by their share."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return float(rollup.split("Pss:")[1].split()[0]) / 1024
    except (OSError, IndexError):
        return 0.0


def tree(pid: int) -> list[int]:
    """The process and all its descendants, as far as they still live."""
    found, pending = [], [pid]
    while pending:
        one = pending.pop()
        found.append(one)
        try:
            for task in Path(f"/proc/{one}/task").iterdir():
                pending += [int(child) for child in (task / "children").read_text().split()]
        except OSError:
            continue
    return found


def cpu_seconds(pid: int) -> float:
    """User and system seconds of a process tree so far, waited-for children included."""
    total = 0
    for one in tree(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += sum(int(value) for value in fields[11:15])
    return total / _TICK
