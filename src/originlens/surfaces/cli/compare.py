"""``originlens compare``: is A made from B, how does it lie in it, and what was changed?"""

from __future__ import annotations

import time
from dataclasses import replace

from originlens.core.errors import OriginLensError
from originlens.core.evidence import SEARCH_SCHEMA, Match, SearchResult
from originlens.core.image import Image
from originlens.surfaces.cli import maps, words
from originlens.surfaces.cli.inputs import attempt
from originlens.surfaces.cli.page import check_report_file
from originlens.surfaces.cli.streams import console, json_line, printable, say, say_error


def run(a: str, b: str, *, html: str | None, diff_dir: str | None, jsonl: bool) -> int:
    """Compare two pictures; returns the exit code."""
    started = time.perf_counter()
    map_folder = maps.folder(diff_dir)
    if html is not None:
        check_report_file(html)
    query, original = attempt(lambda: Image.open(a)), attempt(lambda: Image.open(b))
    for path, picture in ((a, query), (b, original)):
        if isinstance(picture, OriginLensError):
            return _fail(path, picture, jsonl=jsonl)
    assert isinstance(query, Image) and isinstance(original, Image)

    def answer() -> SearchResult:
        from originlens.match.compare import compare

        match = compare(query, original)
        result = SearchResult(a, query.sha256, match.relation, (match,), 0.0)
        return maps.write(result, map_folder)

    result = attempt(answer)
    if isinstance(result, OriginLensError):
        return _fail(a, result, jsonl=jsonl)
    result = replace(result, ms=(time.perf_counter() - started) * 1000)
    if jsonl:
        json_line(result.to_dict())
    else:
        _print(a, b, result.matches[0])
    if html is not None:
        from originlens.surfaces.html import compare_report

        compare_report(result.matches[0], query, original, html)
        say(f"report: {html}")
    return 0


def _fail(path: str, error: OriginLensError, *, jsonl: bool) -> int:
    if jsonl:
        json_line({"schema": SEARCH_SCHEMA, "query": path, "error": error.to_dict()})
    else:
        say_error(path, error.to_dict())
    return 1


def _print(a: str, b: str, match: Match) -> None:
    from rich.table import Table
    from rich.text import Text

    rows = [
        ("relation", match.relation),
        ("probability", words.percent(match.probability)),
        ("direction", words.direction(match)),
        ("replication", words.level(match)),
        ("matching points", str(match.inliers)),
        ("share explained", f"{100 * match.coverage:.0f} % of {a}"),
        ("why", match.why),
        *(("edit", edit.explanation) for edit in match.edits),
        ("transform", _matrix(match)),
        ("change map", match.diff_map or ""),
    ]
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value in rows:
        if value:
            style = words.RELATION_STYLE.get(value, "") if name == "relation" else ""
            lines = "\n".join(printable(line) for line in value.splitlines())
            table.add_row(Text(name, style="dim"), Text(lines, style=style))
    out = console()
    out.print(Text(printable(f"{a}  compared with  {b}"), style="bold"), soft_wrap=True)
    out.print(table)


def _matrix(match: Match) -> str:
    if match.transform is None:
        return ""
    return "\n".join("  ".join(f"{value:12.6g}" for value in row) for row in match.transform)
