"""Does any file do harm? Each is decoded in full, in a process of its own.

Paper: none; the contract of :mod:`originlens.core.image`. Why it works as a test: a crash, a hang
or a flood of memory costs one process and is counted. Fails when: a file is harmless to the decoder
and harmful later; other suites decode through the same door.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from originlens.bench.outcome import Cell, Outcome, Setting, Table
from originlens.bench.results import Value
from originlens.bench.runner import Answer, Journal, answers, content_of, key_of
from originlens.core.errors import UsageError
from originlens.core.processors import available_cpus
from originlens.core.registry import Card, Cost, register
from originlens.core.stats import clopper_pearson

#: Seconds that a file may take, and megabytes; the contract of the command line.
SECONDS, MEGABYTES = 20.0, 1024.0
_DECODE = """
import json, resource, sys, time
from originlens.core.errors import OriginLensError
from originlens.core.image import Image
started = time.perf_counter()
try:
    image = Image.open(sys.argv[1])
    told = {"outcome": "decoded", "pixels": list(image.pixels.shape[:2])}
except OriginLensError as error:
    told = {"outcome": error.type, "message": str(error)}
told["ms"] = (time.perf_counter() - started) * 1e3
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
told["mb"] = peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)
print(json.dumps(told))
"""


@register(
    Card(
        name="robust-inputs",
        kind="suite",
        task="decoding of broken and hostile files",
        claims="counts crashes, hangs and floods of memory",
        paper="none; our own contract of decoding",
        code_licence="Apache-2.0",
        reads=("bytes",),
        cost=Cost(ms_per_mpx=0.0, mb=300.0, note="a process per file"),
        status="stable",
        scope="decoding; any files, pictures or not",
        fails_when="a file decodes harmlessly and is harmful to what comes later",
    )
)
class RobustInputs:
    """A process per file."""

    system_kinds: tuple[str, ...] = ()
    takes = "files"

    def run(self, setting: Setting) -> Outcome:
        """See :class:`originlens.bench.outcome.Suite`."""
        files = sorted(os.path.abspath(path) for path in setting.pictures)
        if len(files) < 2:
            raise UsageError("one file is no benchmark: give a folder of broken and odd files")
        contents = {path: _content(path) for path in files}
        questions = {key_of("decode", path, contents[path]): path for path in files}
        told = setting.progress or (lambda *_: None)
        with Journal(Path(setting.folder) / "decoded.jsonl") as journal:
            given = answers(
                Decode(),
                questions,
                journal,
                jobs=setting.jobs,
                progress=lambda done, total: told("decoding", done, total),
            )
        rows = [
            {"file": path, "sha256": contents[path], **answer}
            for path, answer in zip(questions.values(), given, strict=True)
        ]
        facts = {
            "suite": "robust-inputs",
            "files": len(rows),
            "machine": f"{platform.system()} {platform.machine()}, {available_cpus()} CPUs",
        }
        tables = (_harm(rows), _outcomes(rows))
        return Outcome("robust-inputs", facts, tables, (), {}, tuple(rows))


def _content(path: str) -> str | None:
    """SHA-256 of a file; None for one that cannot be read, which decoding then says."""
    try:
        return content_of(path)
    except OSError:
        return None


class Decode:
    """Decodes one file in a process of its own: a worker of the runner."""

    def answer(self, question: str) -> Answer:
        """``{"outcome", "ms", "mb", "message"}``; outcome is "decoded", an error's type, "crash" or
        "hang"."""
        command = [sys.executable, "-c", _DECODE, question]
        try:
            done = subprocess.run(command, capture_output=True, timeout=SECONDS + 10, check=False)
        except subprocess.TimeoutExpired:
            return {"outcome": "hang", "ms": None, "mb": None, "message": "killed"}
        if done.returncode != 0:
            last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            message = f"exit code {done.returncode}: {' '.join(last)}"
            return {"outcome": "crash", "ms": None, "mb": None, "message": message}
        told = json.loads(done.stdout)
        return {
            "outcome": told["outcome"],
            "ms": told["ms"],
            "mb": told["mb"],
            "message": told.get("message", ""),
        }


def _harm(rows: list[dict[str, Any]]) -> Table:
    counts: list[tuple[str, int]] = [
        ("crash", sum(r["outcome"] == "crash" for r in rows)),
        ("hang", sum(r["outcome"] == "hang" for r in rows)),
        (f"over {SECONDS:g} s", sum((r["ms"] or 0) > SECONDS * 1e3 for r in rows)),
        (f"over {MEGABYTES:g} MB", sum((r["mb"] or 0) > MEGABYTES for r in rows)),
    ]
    cells: list[tuple[Cell, ...]] = []
    for name, count in counts:
        low, high = clopper_pearson(count, len(rows))
        cells.append((name, count, Value(name, count / len(rows), low, high, len(rows))))
    note = "Share of the files with its exact 95 % interval; memory is that of the whole process."
    return Table("Harm", ("what", "files", "share"), tuple(cells), note, best="lowest")


def _outcomes(rows: list[dict[str, Any]]) -> Table:
    counts = Counter(str(r["outcome"]) for r in rows)
    cells: tuple[tuple[Cell, ...], ...] = tuple(counts.most_common())
    return Table("Outcomes", ("outcome", "files"), cells, "Errors by their type.")
