"""What a suite gives: tables of values with intervals, charts, and a row per question.

Written as a folder: ``outcome.json`` (all of it but the rows), ``rows.parquet`` (``rows.csv`` where
pyarrow is absent), ``report.md`` and ``report.html``.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from originlens.bench.protocols.manifest import Manifest
from originlens.bench.results import Value
from originlens.core.errors import ReadError

SCHEMA = "bench/1"
Cell = str | int | float | Value | None
Row = dict[str, Any]
Takes = Literal["pictures", "files", "manifest"]


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table; ``note`` says how its numbers are made.

    For those who rank rows: ``best`` tells which values of the column ``rank_by`` are good; without
    a name it is the first measured one.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    best: Literal["highest", "lowest"] = "highest"
    rank_by: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """One system's points: ``x`` are numbers or names of bars; ``low`` and ``high`` bound ``y``.

    In a matrix it is a row: ``x`` names the columns, ``y`` in [0, 1] are shares of the row.
    """

    name: str
    x: tuple[float | str, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of numbers."""

    title: str
    kind: Literal["bars", "lines", "matrix"]
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    log_x: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one run of a suite.

    ``facts`` tell what was run on what (suite, systems with their versions, seed, counts,
    machine); ``missing`` names systems that could not be asked, and why.
    """

    suite: str
    facts: Mapping[str, Any]
    tables: tuple[Table, ...]
    charts: tuple[Chart, ...] = ()
    missing: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data of everything but the rows."""
        return {
            "schema": SCHEMA,
            "suite": self.suite,
            "facts": dict(self.facts),
            "missing": dict(self.missing),
            "tables": [
                {
                    "title": t.title,
                    "note": t.note,
                    "best": t.best,
                    "rank_by": t.rank_by,
                    "columns": list(t.columns),
                    "rows": [[_plain(cell) for cell in row] for row in t.rows],
                }
                for t in self.tables
            ],
            "charts": [
                {
                    "title": c.title,
                    "kind": c.kind,
                    "x": c.x_label,
                    "y": c.y_label,
                    "series": [
                        {"name": s.name, "x": list(s.x), "y": list(s.y)}
                        | ({"low": list(s.low), "high": list(s.high)} if s.low else {})
                        for s in c.series
                    ],
                }
                for c in self.charts
            ],
        }

    def write(self, folder: str | os.PathLike[str]) -> Path:
        """Write the folder; returns the path of the HTML page."""
        from originlens.bench.report import html, markdown

        place = Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        _write_rows(place, self.rows)
        text = json.dumps(self.to_dict(), indent=1, allow_nan=False)
        (place / "outcome.json").write_text(text + "\n", encoding="utf-8")
        (place / "report.md").write_text(markdown(self), encoding="utf-8")
        page = place / "report.html"
        page.write_text(html(self), encoding="utf-8")
        return page


def _plain(cell: Cell) -> Any:
    return cell.to_dict() if isinstance(cell, Value) else cell


def _write_rows(place: Path, rows: Sequence[Row]) -> None:
    if not rows:
        return
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        with (place / "rows.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows)), place / "rows.parquet")


def read_rows(folder: str | os.PathLike[str]) -> list[Row]:
    """The rows that :meth:`Outcome.write` wrote.

    Raises:
        ReadError: the folder holds none or broken ones, or they need pyarrow and that is absent.
    """
    place = Path(folder)
    if (place / "rows.parquet").is_file():
        return _read_parquet(place / "rows.parquet")
    table = place / "rows.csv"
    if table.is_file():
        try:
            with table.open(newline="", encoding="utf-8") as file:
                return [_typed(row) for row in csv.DictReader(file)]
        except (OSError, ValueError, csv.Error) as error:
            raise _broken(table, error) from error
    raise ReadError(f"{place}: no rows of a benchmark here: give a folder that bench run wrote")


def _read_parquet(path: Path) -> list[Row]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        need = "pip install 'originlens[bench]'"
        raise ReadError(f"{path}: reading it needs pyarrow: {need}") from error
    try:
        found: list[Row] = pyarrow.parquet.read_table(path).to_pylist()
    except (OSError, ValueError, pyarrow.ArrowException) as error:
        raise _broken(path, error) from error
    return found


def _broken(path: Path, error: Exception) -> ReadError:
    reason = " ".join(str(error).split())[:200]
    return ReadError(
        f"{path}: cannot be read ({reason}): do the run again, which keeps its answers"
    )


#: Columns of rows that hold numbers with a fraction.
_NUMBERS = (
    "score", "best_score", "ms", "strength",
    "accuracy", "p_value", "psnr", "ssim", "nmi", "degradation", "ms_embed",
)  # fmt: skip


def _typed(row: Mapping[str, str]) -> Row:
    """A CSV row with its numbers, flags and gaps back."""
    words: dict[str, Any] = {"True": True, "False": False, "": None}
    typed: Row = {}
    for name, text in row.items():
        value = words.get(text, text)
        if isinstance(value, str) and name in ("rank", "seed"):
            value = int(value)
        elif isinstance(value, str) and name in _NUMBERS:
            value = float(value)
        typed[name] = value
    return typed


@dataclass(frozen=True, slots=True)
class Setting:
    """What a suite is run on and with.

    Args:
        pictures: files of the user's, or of a sample.
        manifest: labelled pictures, for suites that need labels, sources and splits.
        grid: which cells of training and test the manifest is cut into; "": the suite's choice.
        folder: keeps what systems prepare and every answer, so that a run can go on.
        systems: registered names of what is compared; empty: those the suite proposes.
        seed: of every draw.
        each: questions per edit at most; None: as many as the suite proposes.
        jobs: processes.
        progress: called with (what is done, answered, of how many).
    """

    pictures: tuple[str, ...]
    folder: str
    systems: tuple[str, ...] = ()
    seed: int = 0
    each: int | None = None
    jobs: int = 1
    progress: Callable[[str, int, int], None] | None = None
    manifest: Manifest | None = None
    grid: str = ""


class Suite(Protocol):
    """A method of kind "suite": a benchmark that one command runs."""

    #: Kinds of the methods that it compares; "method": any.
    system_kinds: tuple[str, ...]
    #: What it is run on: ``pictures``, ``files`` of any kind, or a ``manifest`` with labels. One
    #: that takes pictures can be given a manifest, and has its pictures then.
    takes: Takes

    def run(self, setting: Setting) -> Outcome:
        """Run it, or what is left of it.

        Raises:
            UsageError: too few pictures, or an unknown system.
        """
        ...
