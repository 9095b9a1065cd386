"""``originlens search``: one answer per picture, as tables, JSON lines, CSV rows or a page."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Protocol

from originlens.core.errors import OriginLensError, UsageError
from originlens.core.evidence import SEARCH_SCHEMA, Match, SearchResult
from originlens.core.image import Image
from originlens.surfaces.cli import maps, words
from originlens.surfaces.cli.inputs import Inputs, Item, pairs, rate
from originlens.surfaces.cli.page import Page
from originlens.surfaces.cli.streams import (
    console,
    csv_line,
    json_line,
    printable,
    say_error,
)

CSV_COLUMNS = (
    "query", "sha256", "decision", "rank", "asset", "path", "relation", "direction",
    "probability", "score", "pdq_distance", "inliers", "coverage", "edits", "credit", "licence",
    "diff_map", "ms", "error", "level",
)  # fmt: skip


def run(
    queries: Sequence[str],
    index: str,
    *,
    top: int,
    max_false_positive_rate: float,
    where: Sequence[str],
    thorough: bool,
    examples: str | None,
    diff_dir: str | None,
    jsonl: bool,
    table: bool,
    html: str | None,
) -> int:
    """Search every picture; returns the exit code.

    Raises:
        UsageError: an option's value is wrong, two options exclude each other, or the examples
            cannot be used.
        IndexMissing: there is no index.
    """
    if jsonl and table:
        raise UsageError("--jsonl and --csv exclude each other: choose one")
    chosen_rate, filters = rate(max_false_positive_rate), pairs(where, "--where")
    from originlens.match.in_context import examples as example_pairs
    from originlens.match.index import Index

    inputs = Inputs(queries, leave_out=[index])
    answers: Answers = (
        JsonAnswers() if jsonl else CsvAnswers() if table else TableAnswers(bool(filters))
    )
    pattern = example_pairs.read(examples) if examples is not None else []
    with ExitStack() as stack:
        originals = stack.enter_context(Index(index))
        originals.searcher.warm_up()  # so that no input's time contains the start-up
        if pattern:
            originals.learn(pattern)
        map_folder = maps.folder(diff_dir)
        page = Page(html, "search", inputs, originals, stack)

        def answer(item: Item, picture: Image) -> SearchResult:
            result = originals.search(
                picture,
                top=top,
                max_false_positive_rate=chosen_rate,
                where=filters or None,
                thorough=thorough,
                diff=map_folder is not None or html is not None,
                examples=pattern,
            )
            result = maps.write(replace(result, query=item.path), map_folder)
            return replace(result, ms=item.ms)

        def deliver(item: Item, result: SearchResult | OriginLensError) -> None:
            if isinstance(result, OriginLensError):
                answers.error(item.path, result)
            else:
                answers.result(result)
            page.add(item, result)

        code = inputs.each(answer, deliver, doing="searching", bar=not sys.stdout.isatty())
    page.announce()
    return code


class Answers(Protocol):
    """A way to print answers as they come."""

    def result(self, result: SearchResult) -> None:
        """Print one answer."""
        ...

    def error(self, query: str, error: OriginLensError) -> None:
        """Print that a query failed."""
        ...


class JsonAnswers:
    """One ``search/1`` object per query."""

    def result(self, result: SearchResult) -> None:
        """Print one answer."""
        json_line(result.to_dict())

    def error(self, query: str, error: OriginLensError) -> None:
        """Print that a query failed."""
        json_line({"schema": SEARCH_SCHEMA, "query": query, "error": error.to_dict()})


class CsvAnswers:
    """A row per candidate; a query without candidates, or one that failed, has one row."""

    def __init__(self) -> None:
        csv_line(CSV_COLUMNS)

    def result(self, result: SearchResult) -> None:
        """Print one answer."""
        head = {"query": result.query, "sha256": result.sha256, "decision": result.decision}
        rows: list[dict[str, object]] = [
            {**head, "ms": round(result.ms, 1), "rank": rank, **self._cells(match)}
            for rank, match in enumerate(result.matches, start=1)
        ]
        for row in rows or [{**head, "ms": round(result.ms, 1)}]:
            csv_line([row.get(column) for column in CSV_COLUMNS])

    def error(self, query: str, error: OriginLensError) -> None:
        """Print that a query failed."""
        row = {"query": query, "error": f"{error.type}: {error}"}
        csv_line([row.get(column) for column in CSV_COLUMNS])
        say_error(query, error.to_dict())

    @staticmethod
    def _cells(match: Match) -> dict[str, object]:
        plain = match.to_dict()
        return {
            **{key: plain[key] for key in CSV_COLUMNS if key in plain},
            "edits": words.edits(match),
            "level": None if match.level is None else match.level.value,
            "credit": words.credit(match.meta),
            "licence": words.licence(match.meta),
        }


class TableAnswers:
    """A table per query for people; for a miss, the best candidate and what it lacked."""

    def __init__(self, filtered: bool) -> None:
        self._console = console()
        self._filtered = filtered

    def result(self, result: SearchResult) -> None:
        """Print one answer."""
        from rich.text import Text

        found = [m for m in result.matches if m.relation != "none"]
        head = Text(printable(result.query), style="bold")
        style = words.RELATION_STYLE[result.decision]
        head.append(f"  {result.decision if found else 'no match'}", style=style)
        self._console.print(head, soft_wrap=True)
        if found:
            self._table(found)
        elif result.matches:
            best = result.matches[0]
            self._say(
                f"  closest: {_name(best)} (probability {words.percent(best.probability)})"
                + (f": {best.why}" if best.why else "")
            )
        else:
            why = "no asset matches --where" if self._filtered else "the index is empty"
            self._say(f"  nothing to compare with: {why}")

    def error(self, query: str, error: OriginLensError) -> None:
        """Print that a query failed."""
        say_error(query, error.to_dict())

    def _say(self, text: str) -> None:
        from rich.text import Text

        self._console.print(Text(printable(text)), soft_wrap=True)

    def _table(self, found: Sequence[Match]) -> None:
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        table = Table(box=SIMPLE_HEAD, pad_edge=True, show_edge=False)
        for title, options in (
            ("relation", {"no_wrap": True}),
            ("original", {"overflow": "fold", "ratio": 2}),
            ("probability", {"justify": "right", "no_wrap": True}),
            ("level", {"justify": "right", "no_wrap": True}),
            ("what was changed", {"overflow": "fold", "ratio": 4}),
            ("credit", {"overflow": "fold", "ratio": 1}),
            ("licence", {"overflow": "fold", "ratio": 1}),
        ):
            table.add_column(title, **options)
        for match in found:
            changed = words.edits(match) or ("" if match.relation == "identical" else match.why)
            if match.diff_map:
                changed += f"\nchange map: {match.diff_map}"
            table.add_row(
                Text(match.relation, style=words.RELATION_STYLE[match.relation]),
                Text(printable(_name(match))),
                words.percent(match.probability),
                "" if match.level is None else f"{match.level.level} of 5",
                Text("\n".join(printable(line) for line in changed.splitlines())),
                Text(printable(words.credit(match.meta))),
                Text(printable(words.licence(match.meta))),
            )
        self._console.print(table)


def _name(match: Match) -> str:
    """The asset's file name and id; the id alone where the name says it or there is no file."""
    name = os.path.basename(match.path)
    if not name or os.path.splitext(name)[0] == match.asset:
        return name or match.asset
    return f"{name} ({match.asset})"
