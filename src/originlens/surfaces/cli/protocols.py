"""``originlens bench layouts|manifest|audit|equalise|grid``: how an evaluation is set up."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from originlens.core import maps
from originlens.core.errors import InputError, OriginLensError, ReadError, UsageError
from originlens.core.processors import available_cpus
from originlens.surfaces.cli.bench import ENDINGS, check_folder
from originlens.surfaces.cli.streams import console, json_line, printable, progress, say_error

if TYPE_CHECKING:
    from originlens.bench.protocols.equalise import Recipe
    from originlens.bench.protocols.grids import Cell
    from originlens.bench.protocols.layouts import Applied
    from originlens.bench.protocols.manifest import Manifest, Row
    from originlens.bench.protocols.shortcut import ShortcutAudit

_NO_LEAK = "no leak was found: metadata and size alone do not tell the classes here"
Counts = dict[str, int]
#: Names that are shown of a list; ``--jsonl`` has all of them.
_SHOWN = 5


def layouts(wanted: Sequence[str], *, jsonl: bool) -> int:
    """List the known layouts, or show those named with their tree; returns the exit code.

    Raises:
        UsageError: no such layout, or a mistake in a file of the user's.
        ReadError: that file cannot be read.
    """
    from originlens.bench.protocols.layouts import load, names

    for known in [load(name) for name in wanted or names()]:
        name, declared = known.name, known.declared
        if jsonl:
            json_line(
                {
                    "schema": "bench-layout/1",
                    "name": name,
                    "title": declared.title,
                    "paper": declared.paper,
                    "licence": declared.licence,
                    "pages": list(declared.pages),
                    "unverified": list(declared.unverified),
                    "tree": declared.tree,
                }
            )
            continue
        told = [("paper", declared.paper), ("licence", declared.licence)]
        told += [("page", page) for page in declared.pages]
        told += [("not verified", point) for point in declared.unverified]
        if wanted:
            told.append(("tree", declared.tree.strip()))
        _block(f"{name}: {declared.title}", told)
    return 0


def manifest(root: str, out: str, layout: str, *, jsonl: bool) -> int:
    """Write the manifest of a folder of a known layout; returns the exit code.

    Raises:
        UsageError: no such layout, no file that fits it, or ``out`` is no place for a manifest.
        MissingExtra: Parquet without pyarrow.
    """
    from originlens.bench.protocols.layouts import load

    if not out.lower().endswith(ENDINGS):
        raise UsageError(f"{out}: its ending must be one of {', '.join(ENDINGS)}")
    known = load(layout)
    tell = _Tell("bench-manifest/1", jsonl)
    with tell.inputs(root):
        applied = known.apply(root)
        maps.folder(os.path.dirname(out) or ".")
        applied.manifest.write(out)
        for number, path in applied.manifest.missing():
            tell.failed(path, ReadError(f"{path}: row {number} names it, and it is not there"))
        if jsonl:
            tell.line({"manifest": out, **_counts(known.name, applied)})
        else:
            _print_manifest(out, known.name, applied)
    return tell.code


def _counts(layout: str, applied: Applied) -> dict[str, Any]:
    made = applied.manifest
    return {
        "layout": layout,
        "rows": len(made),
        "labels": dict(Counter(made.column("label"))),
        "generators": dict(Counter(made.column("generator"))),
        "splits": dict(Counter(made.column("split"))),
        "groups": len(set(made.units())),
        "masks": sum(bool(row.mask) for row in made),
        "ignored": list(applied.ignored),
        "unmatched": dict(applied.unmatched),
    }


def _print_manifest(out: str, layout: str, applied: Applied) -> None:
    counts = _counts(layout, applied)
    told = [
        (name, ", ".join(f"{value or '(none)'} {n}" for value, n in counts[f"{name}s"].items()))
        for name in ("label", "generator", "split")
    ]
    told.append(("units", f"{counts['groups']} (groups, and rows without one)"))
    told.append(("masks", _counted(counts["masks"], "row", "rows")))
    if applied.ignored:
        files = _counted(len(applied.ignored), "file", "files")
        told.append(("ignored", f"{files}: {_some(applied.ignored)}"))
    told += [
        ("unmatched", f"{_counted(count, 'entry', 'entries')} of the list {name} without a file")
        for name, count in applied.unmatched.items()
    ]
    _block(f"{out}: {_counted(counts['rows'], 'row', 'rows')}, layout {layout}", told)


def _counted(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def audit(path: str, *, seed: int, strict: bool, jsonl: bool) -> int:
    """Measure what files alone tell of the class; returns the exit code.

    Raises:
        UsageError: the manifest is broken, a row has no label, or a class is absent or too small.
        MissingExtra: scikit-learn is not installed.
    """
    import numpy as np

    from originlens.bench.protocols.manifest import Manifest
    from originlens.bench.protocols.shortcut import audit as measured

    tell = _Tell("bench-audit/1", jsonl)
    with tell.inputs(path):
        rows = Manifest.read(path)
        with _about(path):
            found = measured(rows, np.random.default_rng(seed))
        for row, error in found.failed:
            tell.failed(row.path, error)
        if jsonl:
            tell.line({"manifest": path, **_audited(found)})
        else:
            _print_audit(path, found)
        if strict and found.leaks:
            return 1
    return tell.code


def _audited(found: ShortcutAudit) -> dict[str, Any]:
    return {
        "leaks": found.leaks,
        "warning": found.warning,
        "auc": found.auc,
        "low": found.low,
        "high": found.high,
        "p_value": found.p_value,
        "rows": found.rows,
        "units": found.units,
        "features": [asdict(feature) for feature in found.features],
        "failed": len(found.failed),
        "duplicates": [
            {
                "paths": [row.path for row in pair],
                "labels": [row.label for row in pair],
                "groups": [row.group for row in pair],
            }
            for pair in found.duplicates
        ],
    }


def _print_audit(path: str, found: ShortcutAudit) -> None:
    head = (
        f"AUC {found.auc:.3f} [{found.low:.3f}, {found.high:.3f}], p = {found.p_value:.3g}, "
        f"from metadata and size alone ({found.rows} pictures, {found.units} units)"
    )
    _say_out(f"{path}: {head}")
    columns = ("feature alone", "AUC", "negative class", "positive class")
    cells = [(f.name, f"{f.auc:.3f}", f.negative, f.positive) for f in found.features[:8]]
    _grid(columns, cells)
    for first, second in found.duplicates[:_SHOWN]:
        _say_out(f"equal bytes: {_placed(first)} and {_placed(second)}")
    if more := len(found.duplicates[_SHOWN:]):
        _say_out(f"and {more} more of equal bytes")
    if found.warning:
        _say_out(found.warning)
    if not found.leaks:
        _say_out(_NO_LEAK)


def _placed(row: Row) -> str:
    return f"{row.path} ({row.label}, {f'group {row.group}' if row.group else 'no group'})"


def equalise(
    path: str, folder: str, recipe: Recipe, *, seed: int, jobs: int | None, jsonl: bool
) -> int:
    """Write a copy in which files tell nothing of the class; returns the exit code.

    Raises:
        UsageError: the manifest is broken, or the folder is another's or no place to write.
    """
    from originlens.bench.protocols.equalise import equalise as copied
    from originlens.bench.protocols.manifest import Manifest

    tell = _Tell("bench-equalise/1", jsonl)
    with tell.inputs(path):
        rows = Manifest.read(path)
        check_folder(folder)
        with progress("equalising") as ticker:
            processes = jobs or available_cpus()
            made = copied(rows, folder, recipe, seed=seed, jobs=processes, progress=ticker.at)
        for row, error in made.failed:
            tell.failed(row.path, error)
        written = os.path.join(folder, "manifest.csv")
        if jsonl:
            left = len(made.failed)
            facts = {"manifest": written, "rows": len(made.manifest), "left_out": left}
            tell.line({**facts, "recipe": asdict(recipe), "seed": seed})
        else:
            _say_out(f"{written}: {len(made.manifest)} pictures ({_classes(made.manifest)})")
            if made.failed:
                _say_out(f"{len(made.failed)} left out, see {os.path.join(folder, 'failed.csv')}")
    return tell.code


def recipe(side: int, shrink: str, codec: str, quality: str, subsampling: str) -> Recipe:
    """What the options say that every picture becomes.

    Raises:
        UsageError: a value outside its range.
    """
    from originlens.bench.protocols.equalise import Recipe

    low, high = _range("--shrink", shrink)
    worst, best = _range("--quality", quality)
    if not (worst.is_integer() and best.is_integer()):
        raise UsageError(f"--quality {quality}: use whole numbers")
    return Recipe(side, (low, high), codec, (int(worst), int(best)), subsampling)  # type: ignore[arg-type]


def _range(option: str, text: str) -> tuple[float, float]:
    low, _, high = text.partition("..")
    try:
        return float(low), float(high or low)
    except ValueError:
        raise UsageError(f"{option} {text}: use two numbers A..B, or one") from None


def _classes(made: Manifest) -> str:
    counts = Counter(made.column("label"))
    told = (f"{label or '(no label)'} {count}" for label, count in sorted(counts.items()))
    return ", ".join(told) or "none"


def grid(path: str, name: str, *, seed: int, jsonl: bool) -> int:
    """List the cells of a grid without running anything; returns the exit code.

    Raises:
        UsageError: no such grid, the manifest is broken or lacks what the grid needs.
    """
    from originlens.bench.protocols.grids import cells
    from originlens.bench.protocols.manifest import Manifest

    tell = _Tell("bench-grid/1", jsonl)
    with tell.inputs(path):
        rows = Manifest.read(path)
        with _about(path):
            counted = [(cell, *_sides(rows, cell)) for cell in cells(name, rows, seed=seed)]
        if not jsonl:
            _print_grid(counted)
            return 0
        for cell, train, test in counted:
            told = {"cell": cell.name, "train": train, "test": test, "attack": cell.attack}
            tell.line({"manifest": path, "grid": name, **told, "problem": cell.problem})
    return tell.code


def _print_grid(counted: Sequence[tuple[Cell, Counts | None, Counts]]) -> None:
    columns = ("cell", "train: negative", "positive", "test: negative", "positive", "problem")
    _grid(
        columns,
        [
            (
                cell.name,
                *(("", "") if train is None else (train["negative"], train["positive"])),
                test["negative"],
                test["positive"],
                cell.problem,
            )
            for cell, train, test in counted
        ],
    )
    sound = sum(not cell.problem for cell, *_ in counted)
    _say_out(f"cells: {len(counted)}, sound: {sound}; no unit is on both sides of one")


def _sides(rows: Manifest, cell: Cell) -> tuple[Counts | None, Counts]:
    """Negative and positive rows to train on (None: the grid asks for none) and to test on."""
    truth = rows.truth()

    def counted(numbers: Any) -> Counts:
        positive = int(truth[numbers].sum())
        return {"negative": len(numbers) - positive, "positive": positive}

    return None if cell.train is None else counted(cell.train), counted(cell.test)


class _Tell:
    """Prints results and failed inputs of one command, and keeps its exit code."""

    def __init__(self, schema: str, jsonl: bool) -> None:
        self._schema, self._jsonl = schema, jsonl
        self.code = 0

    def line(self, facts: Mapping[str, Any]) -> None:
        """A result as a JSON line."""
        json_line({"schema": self._schema, **facts})

    def failed(self, path: str, error: OriginLensError) -> None:
        """An input that cannot be used."""
        self.code = 1
        if self._jsonl:
            self.line({"path": path, "error": error.to_dict()})
        else:
            say_error(path, error.to_dict())

    @contextmanager
    def inputs(self, path: str) -> Iterator[None]:
        """What is read as a whole: an error of it is its error line."""
        try:
            yield
        except InputError as error:
            self.failed(path, error)


@contextmanager
def _about(path: str) -> Iterator[None]:
    """Errors about a manifest's content name its file."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def _say_out(text: str) -> None:
    console().print(printable(text), soft_wrap=True, markup=False)


def _block(head: str, told: Sequence[tuple[str, str]]) -> None:
    """A heading with named lines below it."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for name, value in told:
        if value:
            table.add_row(Text(name, style="dim"), Text(_lines(value)))
    out = console()
    out.print(Text(printable(head), style="bold"))
    out.print(table)


def _lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.splitlines())


def _grid(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    console().print(table)
