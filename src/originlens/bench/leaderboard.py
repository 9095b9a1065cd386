"""A leaderboard: the first tables of many runs side by side, in a file that can be versioned.

Systems stand in one ranking only where they were asked the same questions: same suite, contents,
edits and seeds, told from the rows of the runs. A newer run of a system replaces its older one.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from originlens.bench.outcome import Row, Table, read_rows
from originlens.bench.report import table_markdown
from originlens.bench.results import Value
from originlens.bench.runner import key_of
from originlens.core.errors import ReadError

SCHEMA = "bench-leaderboard/1"
#: Columns of rows that tell what was asked, as far as a suite's rows have them.
_ASKED = ("sha256", "edit", "strength", "seed", "negative", "cell", "attack")


@dataclass(frozen=True, slots=True)
class Entry:
    """One system's line of one run.

    ``questions`` (hex) names what was asked; ``cells`` are the first table's, by column, values
    with intervals as mappings, and ``about`` its note; ``best`` says which values of ``rank_by``
    (empty: the first measured column) are good; ``facts`` are the run's; ``date`` is the day it was
    written (UTC); ``release`` is this package's; ``note`` is the user's own.
    """

    suite: str
    questions: str
    system: str
    date: str
    release: str
    note: str
    about: str
    best: str
    rank_by: str
    facts: Mapping[str, Any]
    cells: Mapping[str, Any]


def entries(folder: str | os.PathLike[str], *, note: str = "") -> list[Entry]:
    """The lines of a folder that ``bench run`` wrote.

    Raises:
        ReadError: it holds no results, or broken ones.
    """
    path = Path(folder) / "outcome.json"
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        table = stored["tables"][0]
        suite, facts = str(stored["suite"]), dict(stored["facts"])
        columns, rows = list(table["columns"]), list(table["rows"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ReadError(f"{path}: no results of a benchmark: give what bench run wrote") from error
    date = datetime.fromtimestamp(path.stat().st_mtime, UTC).date().isoformat()
    questions = _questions(suite, read_rows(folder))
    return [
        Entry(
            suite,
            questions,
            str(cells[0]),
            date,
            version("originlens"),
            note,
            str(table["note"]),
            str(table["best"]),
            str(table["rank_by"]),
            facts,
            dict(zip(columns[1:], cells[1:], strict=True)),
        )
        for cells in rows
    ]


def _questions(suite: str, rows: Sequence[Row]) -> str:
    asked = {tuple(str(row.get(name, "")) for name in _ASKED) for row in rows}
    return key_of(suite, *sorted(asked))[:12]


class Leaderboard:
    """Entries of a JSON file; :meth:`write` also writes its tables as Markdown beside it."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Open a leaderboard, or start one where there is no file.

        Raises:
            ReadError: the file is no leaderboard.
        """
        self.path = Path(path)
        self.entries: list[Entry] = []
        if self.path.exists():
            try:
                stored = json.loads(self.path.read_text(encoding="utf-8"))
                if stored["schema"] != SCHEMA:
                    raise ValueError(stored["schema"])
                self.entries = [Entry(**entry) for entry in stored["entries"]]
            except (OSError, ValueError, LookupError, TypeError) as error:
                raise ReadError(f"{self.path}: no leaderboard: name another file") from error

    def add(self, found: Sequence[Entry]) -> None:
        """Take in entries; each replaces the one of its suite, questions and system."""
        kept = {(e.suite, e.questions, e.system): e for e in (*self.entries, *found)}
        self.entries = [kept[key] for key in sorted(kept)]

    def write(self) -> Path:
        """Write the JSON file, and the Markdown page beside it, whose path is returned.

        Raises:
            ReadError: the folder cannot be written to.
        """
        document = {"schema": SCHEMA, "entries": [asdict(entry) for entry in self.entries]}
        page = self.path.with_suffix(".md")
        texts = ((self.path, json.dumps(document, indent=1)), (page, self.markdown()))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            for path, text in texts:
                part = path.with_name(path.name + ".part")
                part.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
                os.replace(part, path)
        except OSError as error:
            raise ReadError(f"{self.path}: cannot be written: {error.strerror}") from error
        return page

    def markdown(self) -> str:
        """A table per suite and set of questions, the best of the first measure first."""
        parts = ["# Leaderboard\n"]
        groups = sorted({(e.suite, e.questions) for e in self.entries})
        for suite, questions in groups:
            found = [e for e in self.entries if (e.suite, e.questions) == (suite, questions)]
            parts.append(table_markdown(_table(suite, questions, found)))
        return "\n".join(parts)


def _table(suite: str, questions: str, found: Sequence[Entry]) -> Table:
    columns = list(dict.fromkeys(name for entry in found for name in entry.cells))
    measures = [n for n in columns if any(isinstance(e.cells.get(n), dict) for e in found)]
    by = found[0].rank_by or next(iter(measures), "")
    ranked = sorted(found, key=lambda e: _rank(e, by))
    rows = tuple(
        (e.system, *(_cell(e.cells.get(name)) for name in columns), e.date, e.release, e.note)
        for e in ranked
    )
    told = (
        "grid",
        "references",
        "questions",
        "strangers",
        "pictures",
        "seed",
        "machine",
        "warning",
    )
    facts = {name: value for e in found for name, value in e.facts.items() if name in told}
    run = ", ".join(f"{name}: {value}" for name, value in facts.items())
    note = "\n\n".join(filter(None, (run, found[0].about)))
    title = f"{suite} (questions {questions})"
    return Table(title, ("system", *columns, "date", "release", "note"), rows, note)


def _rank(entry: Entry, measure: str) -> float:
    """What the best come first by; what was not measured comes last."""
    cell = entry.cells.get(measure)
    found = cell.get("value") if isinstance(cell, dict) else None
    if found is None:
        return math.inf
    return float(found) if entry.best == "lowest" else -float(found)


def _cell(cell: Any) -> Any:
    """A stored cell as a table has it; numbers that JSON cannot hold were stored as null."""
    if not isinstance(cell, dict):
        return cell
    numbers = {n: math.nan if cell[n] is None else cell[n] for n in ("value", "low", "high")}
    return Value(**(cell | numbers))
