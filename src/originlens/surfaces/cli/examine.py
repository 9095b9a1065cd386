"""``originlens examine``: the whole report of each picture."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from originlens.core.deadline import settle
from originlens.core.errors import OriginLensError, UsageError
from originlens.core.evidence import QUESTIONS, REPORT_SCHEMA, Report
from originlens.core.image import Image
from originlens.surfaces.cli import maps as map_files
from originlens.surfaces.cli.inputs import Inputs, Item
from originlens.surfaces.cli.options import DEFAULT_INDEX
from originlens.surfaces.cli.page import Page
from originlens.surfaces.cli.streams import console, json_line, printable, say, say_error


def run(
    images: Sequence[str],
    index: str | None,
    *,
    only: str | None,
    maps: str | None,
    time_budget: float,
    html: str | None,
    jsonl: bool,
) -> int:
    """Examine every picture; returns the exit code.

    Raises:
        UsageError: an unknown question, or a budget that is not positive.
        IndexMissing: the index that was named does not exist.
    """
    questions = _questions(only)
    if not (math.isfinite(time_budget) and time_budget > 0):
        raise UsageError(f"--time-budget {time_budget}: give seconds above 0")
    folder = map_files.folder(maps)
    from originlens.engine import examine, warm_up

    if index is None and os.path.isdir(DEFAULT_INDEX):
        index = DEFAULT_INDEX
    inputs = Inputs(images, leave_out=[index] if index else [])
    with ExitStack() as stack:
        originals = None
        if index is not None:
            from originlens.match.index import Index

            originals = stack.enter_context(Index(index))
            stack.callback(settle)  # nothing may use the index any more when it is closed
        # So that no picture's time and budget contain the start-up.
        warm_up(originals if questions is None or "origin" in questions else None)
        page = Page(html, "examine", inputs, originals, stack)

        def answer(item: Item, picture: Image) -> Report:
            report = examine(
                picture,
                index=originals,
                only=questions,
                maps=folder,
                time_budget=max(time_budget - item.ms / 1000, 1e-3),
                name=item.path,
            )
            return replace(report, ms=item.ms)

        written = 0

        def deliver(item: Item, report: Report | OriginLensError) -> None:
            nonlocal written
            written += _maps_of(report)
            _tell(item.path, report, jsonl=jsonl)
            page.add(item, report)

        code = inputs.each(answer, deliver, doing="examining", bar=not sys.stdout.isatty())
    page.announce()
    if folder is not None and not written:
        say("--maps: no map was written; no picture was examinable by a method that makes one")
    return _ended(code)


def _ended(code: int) -> int:
    """The exit code; leaves at once where a native call of abandoned work does not return."""
    if not settle(0):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def _questions(only: str | None) -> list[str] | None:
    if only is None:
        return None
    asked = [word.strip() for word in only.split(",") if word.strip()]
    unknown = [word for word in asked if word not in QUESTIONS]
    if unknown or not asked:
        raise UsageError(
            f"--only {only!r}: use some of {', '.join(QUESTIONS)}, separated by commas"
        )
    return asked


def _maps_of(report: Report | OriginLensError) -> int:
    """How many maps were written for a picture."""
    if isinstance(report, OriginLensError):
        return 0
    return sum(bool(verdict.details.get("map")) for verdict in report.verdicts.values())


def _tell(path: str, report: Report | OriginLensError, *, jsonl: bool) -> None:
    if isinstance(report, OriginLensError):
        error = report.to_dict()
        if jsonl:
            json_line({"schema": REPORT_SCHEMA, "image": {"path": path}, "error": error})
        else:
            say_error(path, error)
    elif jsonl:
        json_line(report.to_dict())
    else:
        _print(report)


def _print(report: Report) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    out = console()
    image = report.image
    head = Text(printable(str(image["path"])), style="bold")
    head.append(f"  {image['format']}, {image['width']} x {image['height']}", style="dim")
    out.print(head, soft_wrap=True)
    table = Table(box=SIMPLE_HEAD, show_edge=False)
    table.add_column("question", no_wrap=True)
    table.add_column("answer", no_wrap=True)
    table.add_column("strength")
    table.add_column("because", overflow="fold", ratio=3)
    for question, verdict in report.verdicts.items():
        reasons = [e.explanation or e.why for e in verdict.because]
        table.add_row(
            question.replace("_", " "),
            Text(verdict.label, style="dim" if verdict.label == "not-examinable" else "bold"),
            verdict.strength,
            Text(printable("; ".join(r.rstrip(".") for r in reasons if r))),
        )
    out.print(table)
    for skipped in report.skipped:
        text = printable(f"  not examined: {skipped.method}: {skipped.why}")
        out.print(Text(text, style="dim"), soft_wrap=True)
