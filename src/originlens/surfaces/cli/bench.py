"""``originlens bench``: run a suite on pictures, compare two runs, list what there is."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from originlens.core.errors import MissingExtra, OriginLensError, UsageError
from originlens.core.files import walk
from originlens.core.image import Image
from originlens.core.processors import available_cpus
from originlens.surfaces.cli.streams import console, json_line, printable, progress, say, say_error

if TYPE_CHECKING:
    from originlens.bench.outcome import Row, Table

_SMALLEST = 64  # pixels of the short side: edits of less are no test


def list_suites(*, jsonl: bool) -> int:
    """List the suites and the systems they can compare; returns the exit code."""
    from rich.table import Table as Grid
    from rich.text import Text

    from originlens.core.registry import KINDS, make, methods

    suites = methods("suite")
    compared = {make("suite", suite.card.name).system_kind for suite in suites}
    systems = [m for kind in KINDS if kind in compared for m in methods(kind)]
    cards = [m.card for m in (*suites, *systems)]
    if jsonl:
        for card in cards:
            json_line({"schema": "bench-list/1", **card.to_dict()})
        return 0
    grid = Grid(box=None, padding=(0, 2, 0, 0))
    for column in ("kind", "name", "what it is", "size or cost"):
        grid.add_column(column)
    for card in cards:
        grid.add_row(card.kind, Text(card.name, style="bold"), card.task, str(card.cost))
    console().print(grid)
    return 0


def run(
    suite: str,
    data: Sequence[str],
    *,
    out: str | None,
    systems: str | None,
    seed: int,
    each: int | None,
    jobs: int | None,
    jsonl: bool,
) -> int:
    """Run a suite; returns the exit code.

    Raises:
        UsageError: no such suite or system, or too few pictures.
        MissingExtra: no data were given and the sample photographs are not installed.
    """
    from originlens.bench.outcome import Setting
    from originlens.core.registry import make

    made = make("suite", suite)
    chosen = tuple(filter(None, (systems or "").split(",")))
    _check_systems(made.system_kind, chosen)
    chosen_data = data or [_samples()]
    if getattr(made, "any_file", False):
        pictures, failed = _files(chosen_data), 0
    else:
        pictures, failed = _pictures(chosen_data)
    folder = Path(out or f"bench-{suite}")
    with progress(suite) as ticker:
        setting = Setting(
            pictures=tuple(pictures),
            folder=str(folder / "work"),
            systems=chosen,
            seed=seed,
            each=each,
            jobs=jobs or available_cpus(),
            progress=lambda _, done, total: ticker.at(done, total),
        )
        outcome = made.run(setting)
    page = outcome.write(folder)
    if jsonl:
        json_line(outcome.to_dict())
    else:
        _print(outcome.tables[0])
    for name, why in outcome.missing.items():
        say(f"{name} was not measured: {why}")
    say(f"report: {page}")
    return 1 if failed else 0


def compare(first: str, second: str, *, jsonl: bool) -> int:
    """Compare two runs on the questions that both were asked; returns the exit code.

    Raises:
        UsageError: a system that was not run, or no common question.
        ReadError: a folder without results.
    """
    from originlens.bench.comparison import paired
    from originlens.bench.results import Value

    table = paired(_rows(first), _rows(second))
    if jsonl:
        for row in table.rows:
            cells = dict(zip(table.columns, row, strict=True))
            plain = {k: v.to_dict() if isinstance(v, Value) else v for k, v in cells.items()}
            json_line({"schema": "bench-compare/1", **plain})
    else:
        _print(table)
    return 0


def _check_systems(kind: str, names: Sequence[str]) -> None:
    """Refuse unknown systems before any picture is opened; what is no kind the suite checks."""
    from originlens.bench.copies import system
    from originlens.core.registry import KINDS, method

    for name in names:
        if kind == "matcher":
            system(name)
        elif kind in KINDS:
            method(kind, name)


def _rows(name: str) -> list[Row]:
    """Rows of ``FOLDER`` or ``FOLDER:SYSTEM``; the product's own by default."""
    from originlens.bench.outcome import read_rows

    folder, colon, system = name.rpartition(":")
    if not colon or os.path.isdir(name):
        folder, system = name, ""
    rows = read_rows(folder)
    known = list(dict.fromkeys(str(row["system"]) for row in rows))
    wanted = system or ("originlens" if "originlens" in known else known[0])
    if wanted not in known:
        raise UsageError(f"{name}: no system {wanted!r} there: use one of {', '.join(known)}")
    return [row for row in rows if row["system"] == wanted]


def _samples() -> str:
    """The folder of photographs inside scikit-image."""
    spec = importlib.util.find_spec("skimage")
    if spec is None or spec.origin is None:
        raise MissingExtra("scikit-image (its sample photographs stand in for --data)", "demo")
    return str(Path(spec.origin).parent / "data")


def _files(data: Sequence[str]) -> list[str]:
    """Every file, whatever it is."""
    return [file.path for file in walk(data) if file.error is None and file.readable]


def _pictures(data: Sequence[str]) -> tuple[list[str], int]:
    """Every picture large enough, and how many named files are none; what is left out is said."""
    found, left_out, failed = [], 0, 0
    for file in walk(data):
        if file.error is not None or not file.readable:
            continue
        try:
            image = Image.open(file.path)
            large = min(image.width, image.height) >= _SMALLEST
        except OriginLensError as error:
            if file.explicit:
                say_error(file.path, error.to_dict())
                failed += 1
                continue
            large = False
        if large:
            found.append(file.path)
        else:
            left_out += 1
    if left_out:
        say(f"{left_out} files are no pictures, or below {_SMALLEST} pixels, and left out")
    return found, failed


def _print(table: Table) -> None:
    from rich.table import Table as Grid

    from originlens.bench.report import words

    grid = Grid(title=table.title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in table.columns:
        grid.add_column(column)
    for row in table.rows:
        grid.add_row(*(_narrow(printable(words(cell)), cell) for cell in row))
    out: Any = console()
    out.print(grid)
    if table.note:
        out.print(table.note, style="dim")


def _narrow(text: str, cell: object) -> str:
    """A value's interval on a line of its own, so that a table fits a terminal."""
    return text.replace(" [", "\n[") if hasattr(cell, "low") else text
