"""``originlens index``: add originals, and look after what is there."""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from originlens.core.errors import IndexLocked, IndexUnfinished, InputError, ReadError
from originlens.surfaces.cli import words
from originlens.surfaces.cli.inputs import pairs
from originlens.surfaces.cli.streams import console, json_line, printable, progress, say, say_error

if TYPE_CHECKING:
    from originlens.match.index import Index
    from originlens.match.ingest import AddEvent


def add(
    paths: Sequence[str],
    index: str,
    *,
    meta: Sequence[str],
    id_from: str | None,
    proxies: bool,
    regions: bool,
    workers: int | None,
    jsonl: bool,
) -> int:
    """Add pictures; returns the exit code.

    Raises:
        UsageError: a ``--meta`` that is no KEY=VALUE.
        StoreError: the index cannot be written.
    """
    values = pairs(meta, "--meta")
    from originlens.match.index import Index

    counts: Counter[str] = Counter()
    started = time.perf_counter()
    with Index(index, mode="w") as originals:
        with progress("adding", wanted=_has_bar(jsonl)) as ticker:
            events = originals.add(
                paths,
                meta=values,
                id_from=id_from,
                proxies=proxies,
                regions=regions,
                workers=workers,
                progress=ticker.at if ticker.shown else None,
                calibrate=False,
            )
            for event in events:
                counts["failed" if event.error is not None else str(event.status)] += 1
                _tell(event, jsonl=jsonl)
        _sum_up(counts, time.perf_counter() - started, jsonl=jsonl)
        if others := originals.not_pictures:
            say(f"{others} {'file is' if others == 1 else 'files are'} no picture and left out")
        _calibrate(originals, jsonl=jsonl)
    return 1 if counts["failed"] else 0


def _calibrate(originals: Index, *, jsonl: bool) -> None:
    """Measure what chance reaches in this index, if it changed much, and say what that was for."""
    started = time.perf_counter()
    with progress("measuring look-alikes", wanted=_has_bar(jsonl)) as ticker:
        measured = originals.calibrate(progress=ticker.at if ticker.shown else None)
    if measured:
        seconds = time.perf_counter() - started
        say(
            f"measured how alike {measured} of the pictures look, in {seconds:.1f} s: "
            "--max-false-positive-rate rests on it"
        )


def _has_bar(jsonl: bool) -> bool:
    return not (jsonl and sys.stdout.isatty())


def _sum_up(counts: Counter[str], seconds: float, *, jsonl: bool) -> None:
    done = counts.total()
    if not done:
        say("no picture found")
        return
    parts = [f"{counts[k]} {k}" for k in ("added", "updated", "unchanged", "failed") if counts[k]]
    text = f"{', '.join(parts)} in {seconds:.1f} s ({done / max(seconds, 1e-9):.1f} files/s)"
    if jsonl:
        say(text)
    else:
        console().print(text, soft_wrap=True)


def info(index: str, *, jsonl: bool) -> int:
    """Say what the index holds; returns the exit code."""
    with _existing(index) as originals:
        found = originals.info()
    if jsonl:
        json_line(found)
        return 0
    rows = [(key.replace("_", " "), _short(value)) for key, value in found.items()]
    _show(row for row in rows if row[0] != "schema")
    return 0


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k} {_short(v)}" for k, v in value.items()) or "none"
    if isinstance(value, list):
        return str(len(value))
    return str(value)


def list_paths(index: str, *, jsonl: bool) -> int:
    """List every ingested path; returns the exit code."""
    with _existing(index) as originals:
        if jsonl:
            for line in originals.list():
                json_line(line.to_dict())
            return 0
        _list(originals)
    return 0


def _list(originals: Index) -> None:
    # Plain columns rather than a table: a table would have to hold every row to size its columns.
    out = console()
    for line in originals.list():
        credit = words.credit(line.meta)
        cells = [line.asset, line.path or "(hash only)", *([credit] if credit else [])]
        if line.status != "ok":
            cells.append(f"[{line.status}]")
        out.print(printable("  ".join(cells)), soft_wrap=True, markup=False)


def remove(targets: Sequence[str], index: str, *, jsonl: bool) -> int:
    """Remove assets or paths; returns the exit code."""
    with _existing(index, mode="w") as originals:
        results = originals.remove(targets)
    for result in results:
        if jsonl:
            json_line(result.to_dict())
        elif result.error is not None:
            say_error(result.target, result.error.to_dict())
        else:
            gone = f"{len(result.paths)} paths and {len(result.assets)} assets removed"
            console().print(printable(f"{result.target}: {gone}"), soft_wrap=True, markup=False)
    return 1 if any(result.error is not None for result in results) else 0


def check(index: str, *, jsonl: bool) -> int:
    """Verify and repair; returns 0 if consistent or repaired, 1 if damage remains."""
    with _to_check(index) as originals:
        report = originals.check()
    if jsonl:
        json_line(report.to_dict())
    else:
        rows = [(key.replace("_", " "), str(value)) for key, value in report.counts.items()]
        rows += [("repaired", line) for line in report.repaired]
        rows += [("damage", line) for line in report.damage]
        _show([*rows, ("result", "consistent" if report.ok else "damaged")])
    return 0 if report.ok else 1


def _to_check(index: str) -> Index:
    """The index, for repairs if it can be written, else for reading."""
    from originlens.match.index import Index

    try:
        return _existing(index, mode="w")
    except IndexUnfinished:
        return Index(index, mode="w")  # opening it for writing is the repair
    except IndexLocked:
        say("another process is writing: checked without repairing")
        return _existing(index)


def compact(index: str, *, jsonl: bool) -> int:
    """Erase what was removed and merge segments; returns the exit code."""
    with _existing(index, mode="w") as originals:
        done = originals.compact()
    if jsonl:
        json_line(done)
    else:
        _show(
            (key.replace("_", " "), _short(value)) for key, value in done.items() if key != "schema"
        )
    return 0


def export(file: str, index: str, *, jsonl: bool) -> int:
    """Write the index to one file; returns the exit code."""
    with _existing(index) as originals:
        count = originals.export(file)
    if jsonl:
        json_line({"schema": "index-export-done/1", "file": os.path.abspath(file), "assets": count})
    else:
        console().print(
            printable(f"{count} assets written to {file}"), soft_wrap=True, markup=False
        )
    return 0


def import_file(file: str, index: str, *, pdq: bool, jsonl: bool) -> int:
    """Add the assets of an export or hash list; returns the exit code."""
    from originlens.match.index import Index
    from originlens.match.ingest import AddEvent

    counts: Counter[str] = Counter()
    started = time.perf_counter()
    try:
        _check_readable(file)
        with Index(index, mode="w") as originals:
            with progress("importing", wanted=_has_bar(jsonl)) as ticker:
                if pdq:
                    events = originals.import_pdq(file)
                else:
                    events = originals.import_(file, calibrate=False)
                for done, event in enumerate(events, start=1):
                    counts["failed" if event.error is not None else str(event.status)] += 1
                    _tell(event, jsonl=jsonl)
                    ticker.to(done)
            _sum_up(counts, time.perf_counter() - started, jsonl=jsonl)
            if not pdq:  # a hash alone has no look
                _calibrate(originals, jsonl=jsonl)
    except InputError as error:
        counts["failed"] += 1
        _tell(AddEvent(file, error=error), jsonl=jsonl)
        _sum_up(counts, time.perf_counter() - started, jsonl=jsonl)
    return 1 if counts["failed"] else 0


def _check_readable(file: str) -> None:
    """Find out whether there is something to import before an index is made for it."""
    try:
        with open(file, "rb"):
            pass
    except OSError as error:
        raise ReadError(f"{file}: cannot be read: {error.strerror}") from error


def _tell(event: AddEvent, *, jsonl: bool) -> None:
    if jsonl:
        json_line(event.to_dict())
    elif event.error is not None:
        say_error(event.path or "", event.error.to_dict())


def _existing(index: str, mode: Literal["r", "w"] = "r") -> Index:
    """The index, which must exist: looking after one never makes one.

    Raises:
        IndexMissing: there is none.
    """
    from originlens.match.index import Index

    if mode == "w":
        Index(index).close()
    return Index(index, mode=mode)


def _show(rows: Iterable[tuple[str, str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value in rows:
        table.add_row(Text(name, style="dim"), Text(printable(value)))
    console().print(table)
