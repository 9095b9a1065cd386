"""``originlens bench``: run a suite on pictures, compare two runs, list what there is."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from originlens.core.errors import MissingExtra, OriginLensError, ReadError, UsageError
from originlens.core.files import walk
from originlens.core.image import Image
from originlens.core.processors import available_cpus
from originlens.surfaces.cli.streams import console, json_line, printable, progress, say, say_error

if TYPE_CHECKING:
    from originlens.bench.outcome import Outcome, Row, Table
    from originlens.bench.protocols.manifest import Manifest

#: What a manifest's file ends in.
ENDINGS = (".csv", ".parquet", ".pq")
_SMALLEST = 64  # pixels of the short side: edits of less are no test


def list_suites(*, jsonl: bool) -> int:
    """List the suites and the systems they can compare; returns the exit code."""
    from rich.table import Table as Grid
    from rich.text import Text

    from originlens.core.registry import KINDS, make, methods

    suites = {m.card.name: make("suite", m.card.name) for m in methods("suite")}
    compared = {kind for made in suites.values() for kind in made.system_kinds}
    systems = [m.card for kind in KINDS if kind in compared for m in methods(kind)]
    cards = [*(made.card for made in suites.values()), *systems]
    if jsonl:
        for card in cards:
            made = suites.get(card.name) if card.kind == "suite" else None
            run_on = {"takes": made.takes, "compares": list(made.system_kinds)} if made else {}
            json_line({"schema": "bench-list/1", **card.to_dict(), **run_on})
        return 0
    grid = Grid(box=None, padding=(0, 2, 0, 0))
    for column in ("kind", "name", "what it is", "size or cost"):
        grid.add_column(column)
    for card in cards:
        labelled = card.kind == "suite" and suites[card.name].takes == "manifest"
        task = f"{card.task}; needs a manifest" if labelled else card.task
        grid.add_row(card.kind, Text(card.name, style="bold"), task, str(card.cost))
    console().print(grid)
    return 0


def run(
    suite: str,
    data: Sequence[str],
    *,
    layout: str | None,
    grid: str | None,
    out: str | None,
    systems: str | None,
    seed: int,
    each: int | None,
    jobs: int | None,
    jsonl: bool,
) -> int:
    """Run a suite; returns the exit code.

    Raises:
        UsageError: no such suite, system, layout or grid, a broken manifest, too few pictures, or
            results cannot be written where they are to go.
        ReadError: a manifest or a data set's folder cannot be read.
        MissingExtra: no data were given and the sample photographs are not installed.
    """
    from originlens import __version__
    from originlens.bench.outcome import Setting
    from originlens.core.registry import make

    made = make("suite", suite)
    chosen = tuple(filter(None, (systems or "").split(",")))
    _check_systems(made.system_kinds, chosen)
    if grid is not None:
        _check_grid(suite, made.takes, grid)
    folder = Path(out or f"bench-{suite}")
    _check_results(folder)
    pictures, manifest, failed = _inputs(suite, made.takes, data, layout)
    with progress(suite) as ticker:
        setting = Setting(
            pictures=tuple(pictures),
            folder=str(folder / "work"),
            systems=chosen,
            seed=seed,
            each=each,
            jobs=jobs or available_cpus(),
            progress=lambda _, done, total: ticker.at(done, total),
            manifest=manifest,
            grid=grid or "",
        )
        outcome = made.run(setting)
    told = {"data": ", ".join(data) or "the photographs in scikit-image", "release": __version__}
    if each is not None:
        told["questions per edit at most"] = str(each)
    if failed:
        told["named but not there or not readable"] = str(failed)
    outcome = replace(outcome, facts={**outcome.facts, **told})
    _say_replaced(folder, outcome)
    page = outcome.write(folder)
    if jsonl:
        json_line(outcome.to_dict())
    else:
        # Suites with tracks compare whole systems in a table for each.
        for table in outcome.tables:
            if table is outcome.tables[0] or table.title.startswith("Systems, "):
                _print(table)
    for name, why in outcome.missing.items():
        say(f"{name} was not measured: {why}")
    if "warning" in outcome.facts:
        say(f"warning: {outcome.facts['warning']}")
    say(f"report: {page}")
    return 1 if failed else 0


def _say_replaced(folder: Path, outcome: Outcome) -> None:
    """Say which earlier results are replaced, where what was run differs."""
    try:
        earlier = json.loads((folder / "outcome.json").read_text(encoding="utf-8"))["facts"]
        changed = [
            f"{name} {earlier.get(name, 'none')} before, {outcome.facts.get(name, 'none')} now"
            for name in ("suite", "systems", "seed", "grid", "data", "questions per edit at most")
            if earlier.get(name) != outcome.facts.get(name)
        ]
    except (OSError, ValueError, LookupError, AttributeError, TypeError):
        return
    if changed:
        say(f"{folder}: earlier results were replaced ({'; '.join(changed)})")


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


def leaderboard(file: str, runs: Sequence[str], *, note: str) -> int:
    """Add the runs that can be read to a leaderboard; returns the exit code.

    Raises:
        UsageError: the file's name does not end in ``.json``.
        ReadError: the file is no leaderboard, or cannot be written.
    """
    from originlens.bench.leaderboard import Leaderboard, entries

    if not file.endswith(".json"):
        raise UsageError(f"{file}: a leaderboard is a .json file; its .md is written beside it")
    board, failed = Leaderboard(file), 0
    for run in runs:
        try:
            board.add(entries(run, note=note))
        except ReadError as error:
            say_error(run, error.to_dict())
            failed += 1
    say(f"leaderboard: {board.write()}")
    return 1 if failed else 0


def _check_systems(kinds: Sequence[str], names: Sequence[str]) -> None:
    """Refuse unknown systems before any picture is opened; "method" the suite checks itself."""
    from originlens.bench import copies, detection
    from originlens.core.registry import method

    for name in names:
        if "matcher" in kinds:
            copies.system(name)
        elif "baseline" in kinds:
            detection.system(name, kinds)
        elif "method" not in kinds:
            for kind in kinds:
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


def _inputs(
    suite: str, takes: str, data: Sequence[str], layout: str | None
) -> tuple[list[str], Manifest | None, int]:
    """What a suite is run on: pictures, manifest, and how many files that were named cannot be."""
    manifest = _manifest(suite, takes, data, layout)
    if takes == "manifest" and manifest is not None:
        return [], *_present(manifest)
    named = [str(manifest.file(row)) for row in manifest] if manifest else data or [_samples()]
    pictures, failed = (_files(named), 0) if takes == "files" else _pictures(named)
    return pictures, manifest, failed


def _manifest(suite: str, takes: str, data: Sequence[str], layout: str | None) -> Manifest | None:
    """The manifest that --data names, or the one that a layout makes of a folder."""
    from originlens.bench.protocols import layouts
    from originlens.bench.protocols.manifest import Manifest

    if layout is not None:
        known = layouts.load(layout)
        if len(data) != 1:
            raise UsageError("--layout reads one folder: name it by --data, once")
        return known.apply(data[0]).manifest
    # To a suite of any files a table is one of them.
    if takes != "files" and any(path.lower().endswith(ENDINGS) for path in data):
        if len(data) != 1:
            raise UsageError("a manifest stands alone: give one --data, or only pictures")
        return Manifest.read(data[0])
    if takes == "manifest":
        raise UsageError(
            f"{suite} needs labels: give a manifest (--data FILE.csv or .parquet, see "
            "`originlens bench manifest`), or --layout NAME with the folder of that data set"
        )
    return None


def _present(manifest: Manifest) -> tuple[Manifest, int]:
    """The rows whose files are there, and how many are not; these are said."""
    missing = manifest.missing()
    for number, path in missing:
        message = f"{path}: row {number} of the manifest names it, and it is not there"
        say_error(path, ReadError(message).to_dict())
    gone = {number for number, _ in missing}
    kept = [i for i in range(len(manifest)) if i + 1 not in gone]
    return manifest.take(kept) if gone else manifest, len(gone)


def _check_grid(suite: str, takes: str, grid: str) -> None:
    from originlens.bench.protocols.grids import GRIDS

    if takes != "manifest":
        raise UsageError(f"{suite} takes pictures without labels: there is no --grid over them")
    if grid.partition(":")[0] not in GRIDS:
        raise UsageError(f"no grid {grid!r}: use one of {', '.join(GRIDS)}")


def _check_results(folder: Path) -> None:
    """Make the folder of a run's results, before any work.

    Raises:
        UsageError: it cannot be written to, or holds other things than results.
    """
    check_folder(str(folder))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept = {path.name for path in folder.iterdir()}
    except OSError as error:
        why = f"{folder}: no results can be written there ({error.strerror}): choose another folder"
        raise UsageError(why) from error
    if kept and not kept & {"work", "outcome.json"}:
        raise UsageError(f"{folder}: holds other files than results: choose another folder")


def check_folder(path: str) -> None:
    """Refuse a folder that nothing can be written to; one that is absent is not made yet.

    Raises:
        UsageError: it is a file, below one, or not ours to write to.
    """
    place = Path(path).absolute()
    while not os.path.lexists(place):
        place = place.parent
    if not (place.is_dir() and os.access(place, os.W_OK | os.X_OK)):
        raise UsageError(f"{path}: nothing can be written there: choose another folder")


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
        say(f"left out: {left_out} files (no pictures, broken, or below {_SMALLEST} pixels)")
    return found, failed


def _print(table: Table) -> None:
    from rich.table import Table as Grid

    from originlens.bench.report import marked

    grid = Grid(title=table.title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for number, column in enumerate(table.columns):
        # The first column holds what people type next: it is never cut.
        grid.add_column(column, no_wrap=number == 0, overflow="fold")
    texts, notes = marked(table)
    for cells, row in zip(texts, table.rows, strict=True):
        shown = (_narrow(printable(t), cell) for t, cell in zip(cells, row, strict=True))
        grid.add_row(*shown)
    out: Any = console()
    out.print(grid)
    for note in filter(None, (table.note, *notes)):
        out.print(note, style="dim")


def _narrow(text: str, cell: object) -> str:
    """A value's interval on a line of its own, so that a table fits a terminal."""
    return text.replace(" [", "\n[") if hasattr(cell, "low") else text
