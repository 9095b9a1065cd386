"""``originlens bench layouts|manifest|audit|equalise|grid``: how an evaluation is set up."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from originlens.core.errors import InputError, OriginLensError, UsageError
from originlens.core.processors import available_cpus
from originlens.surfaces.cli.bench import ENDINGS
from originlens.surfaces.cli.streams import console, json_line, printable, progress, say_error

if TYPE_CHECKING:
    from originlens.bench.protocols.equalise import Recipe
    from originlens.bench.protocols.grids import Cell
    from originlens.bench.protocols.layouts import Applied
    from originlens.bench.protocols.manifest import Manifest, Row
    from originlens.bench.protocols.shortcut import ShortcutAudit

#: Names that are shown of a list; ``--jsonl`` has all of them.
_SHOWN = 5


def layouts(*, jsonl: bool) -> int:
    """List the known layouts; returns the exit code."""
    from originlens.bench.protocols.layouts import load, names

    for name in names():
        declared = load(name).declared
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
        _block(f"{name}: {declared.title}", told)
    return 0


def manifest(root: str, out: str, layout: str, *, jsonl: bool) -> int:
    """Write the manifest of a folder of a known layout; returns the exit code.

    Raises:
        UsageError: no such layout, no file that fits it, or ``out`` is no place for a manifest.
        ReadError: the folder or a list in it cannot be read.
        MissingExtra: Parquet without pyarrow.
    """
    from originlens.bench.protocols.layouts import load

    if not out.lower().endswith(ENDINGS):
        raise UsageError(f"{out}: its ending must be one of {', '.join(ENDINGS)}")
    known = load(layout)
    applied = known.apply(root)
    _folder(os.path.dirname(out) or ".")
    applied.manifest.write(out)
    missing = applied.manifest.missing()
    if jsonl:
        for number, path in missing:
            _error_line("bench-manifest/1", path, _absent(number, path))
        json_line({"schema": "bench-manifest/1", "manifest": out, **_counts(known.name, applied)})
    else:
        for number, path in missing:
            say_error(path, _absent(number, path).to_dict())
        _print_manifest(out, known.name, applied)
    return 1 if missing else 0


def _absent(number: int, path: str) -> InputError:
    return InputError(f"{path}: row {number} names it, and it is not there: put it back or drop it")


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
    told.append(("masks", f"{counts['masks']} rows have one"))
    if applied.ignored:
        told.append(("ignored", f"{len(applied.ignored)} files: {_some(applied.ignored)}"))
    told += [
        ("unmatched", f"{count} entries of the list {name} name no file")
        for name, count in applied.unmatched.items()
    ]
    _block(f"{out}: {counts['rows']} rows, layout {layout}", told)


def _some(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def audit(path: str, *, seed: int, strict: bool, jsonl: bool) -> int:
    """Measure what files alone tell of the class; returns the exit code.

    Raises:
        UsageError: the manifest is broken, a row has no label, or a class is too small.
        ReadError: the manifest cannot be read.
        MissingExtra: scikit-learn is not installed.
    """
    import numpy as np

    from originlens.bench.protocols.manifest import Manifest
    from originlens.bench.protocols.shortcut import audit as measured

    rows = Manifest.read(path)
    with _about(path):
        found = measured(rows, np.random.default_rng(seed))
    _report_failed("bench-audit/1", found.failed, jsonl=jsonl)
    if jsonl:
        json_line(
            {
                "schema": "bench-audit/1",
                "manifest": path,
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
            }
        )
    else:
        _print_audit(path, found)
    return 1 if found.failed or (strict and found.leaks) else 0


def _print_audit(path: str, found: ShortcutAudit) -> None:
    head = (
        f"AUC {found.auc:.3f} [{found.low:.3f}, {found.high:.3f}], p = {found.p_value:.3g}, "
        f"from metadata and size alone ({found.rows} pictures, {found.units} units)"
    )
    _say_out(f"{path}: {head}")
    columns = ("feature alone", "AUC", "negative class", "positive class")
    cells = [(f.name, f"{f.auc:.3f}", f.negative, f.positive) for f in found.features[:8]]
    _grid(columns, cells)
    _say_out(
        found.warning or "no leak: files tell the classes no better than chance would, or hardly"
    )


def equalise(
    path: str, folder: str, recipe: Recipe, *, seed: int, jobs: int | None, jsonl: bool
) -> int:
    """Write a copy in which files tell nothing of the class; returns the exit code.

    Raises:
        UsageError: the manifest is broken, or the folder is another's or no place to write.
        ReadError: the manifest cannot be read.
    """
    from originlens.bench.protocols.equalise import equalise as copied
    from originlens.bench.protocols.manifest import Manifest

    rows = Manifest.read(path)
    target = _folder(folder)
    with progress("equalising") as ticker:
        made = copied(
            rows, target, recipe, seed=seed, jobs=jobs or available_cpus(), progress=ticker.at
        )
    _report_failed("bench-equalise/1", made.failed, jsonl=jsonl)
    written = os.path.join(folder, "manifest.csv")
    if jsonl:
        json_line(
            {
                "schema": "bench-equalise/1",
                "manifest": written,
                "rows": len(made.manifest),
                "left_out": len(made.failed),
                "recipe": asdict(recipe),
                "seed": seed,
            }
        )
    else:
        _say_out(f"{written}: {len(made.manifest)} pictures, {_classes(made.manifest)}")
        if made.failed:
            _say_out(f"{len(made.failed)} left out, see {os.path.join(folder, 'failed.csv')}")
    return 1 if made.failed else 0


def recipe(side: int, shrink: str, codec: str, quality: str, subsampling: str) -> Recipe:
    """What the options say that every picture becomes.

    Raises:
        UsageError: a value outside its range.
    """
    from originlens.bench.protocols.equalise import Recipe

    low, high = _range("--shrink", shrink)
    worst, best = _range("--quality", quality)
    if not (worst.is_integer() and best.is_integer()):
        raise UsageError(f"--quality {quality}: use whole numbers, such as 75..95")
    return Recipe(side, (low, high), codec, (int(worst), int(best)), subsampling)  # type: ignore[arg-type]


def _range(option: str, text: str) -> tuple[float, float]:
    low, _, high = text.partition("..")
    try:
        return float(low), float(high or low)
    except ValueError:
        raise UsageError(f"{option} {text}: use A..B, such as 1.25..2") from None


def _classes(made: Manifest) -> str:
    counts = Counter(made.column("label"))
    return ", ".join(f"{label or '(no label)'} {count}" for label, count in sorted(counts.items()))


def grid(path: str, name: str, *, seed: int, jsonl: bool) -> int:
    """List the cells of a grid without running anything; returns the exit code.

    Raises:
        UsageError: no such grid, the manifest is broken or lacks what the grid needs.
        ReadError: the manifest cannot be read.
    """
    from originlens.bench.protocols.grids import cells
    from originlens.bench.protocols.manifest import Manifest

    rows = Manifest.read(path)
    with _about(path):
        found = cells(name, rows, seed=seed)
        counted = [(cell, *_sides(rows, cell)) for cell in found]
    if jsonl:
        for cell, train, test in counted:
            json_line(
                {
                    "schema": "bench-grid/1",
                    "manifest": path,
                    "grid": name,
                    "cell": cell.name,
                    "train": train,
                    "test": test,
                    "attack": cell.attack,
                    "problem": cell.problem,
                }
            )
        return 0
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
    sound = sum(not cell.problem for cell in found)
    _say_out(f"{len(found)} cells, {sound} of them sound; a unit is never on both sides")
    return 0


def _sides(rows: Manifest, cell: Cell) -> tuple[dict[str, int] | None, dict[str, int]]:
    """Negative and positive rows to train on (None: nothing is fitted) and to test on."""
    truth = rows.truth()

    def counted(numbers: Any) -> dict[str, int]:
        positive = int(truth[numbers].sum())
        return {"negative": len(numbers) - positive, "positive": positive}

    return None if cell.train is None else counted(cell.train), counted(cell.test)


@contextmanager
def _about(path: str) -> Iterator[None]:
    """Errors about a manifest's content name its file."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error


def _folder(path: str) -> str:
    """The folder, made if absent.

    Raises:
        UsageError: it cannot be made, or nothing can be written to it.
    """
    from originlens.core.maps import folder

    made = folder(path)
    if made is None or not os.access(made, os.W_OK | os.X_OK):
        raise UsageError(f"{path}: nothing can be written there: choose another folder")
    return made


def _report_failed(
    schema: str, failed: Sequence[tuple[Row, OriginLensError]], *, jsonl: bool
) -> None:
    for row, error in failed:
        if jsonl:
            _error_line(schema, row.path, error)
        else:
            say_error(row.path, error.to_dict())


def _error_line(schema: str, path: str, error: OriginLensError) -> None:
    json_line({"schema": schema, "path": path, "error": error.to_dict()})


def _say_out(text: str) -> None:
    console().print(printable(text), soft_wrap=True, markup=False)


def _block(head: str, told: Sequence[tuple[str, str]]) -> None:
    """A heading with named lines below it."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for name, value in told:
        if value:
            table.add_row(Text(name, style="dim"), Text(printable(value)))
    out = console()
    out.print(Text(printable(head), style="bold"))
    out.print(table)


def _grid(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(Text(printable(str(cell))) for cell in row))
    console().print(table)
