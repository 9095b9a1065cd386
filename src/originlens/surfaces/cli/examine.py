"""``originlens examine``: the whole report of each picture."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from originlens.core.errors import OriginLensError, UsageError
from originlens.core.evidence import QUESTIONS, REPORT_SCHEMA, Report
from originlens.core.image import Image
from originlens.surfaces.cli import maps as map_files
from originlens.surfaces.cli.app import DEFAULT_INDEX
from originlens.surfaces.cli.inputs import Inputs, Item, attempt
from originlens.surfaces.cli.streams import console, json_line, printable, progress, say, say_error


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
    from originlens.engine import examine

    if index is None and os.path.isdir(DEFAULT_INDEX):
        index = DEFAULT_INDEX
    inputs = Inputs(images, leave_out=[index] if index else [])
    failed = 0
    with ExitStack() as stack:
        originals = None
        if index is not None:
            from originlens.match.index import Index

            originals = stack.enter_context(Index(index))

        def answer(item: Item) -> Report:
            if isinstance(item.picture, OriginLensError):
                raise item.picture
            report = examine(
                item.picture,
                index=originals,
                only=questions,
                maps=folder,
                time_budget=max(time_budget - item.ms / 1000, 1e-3),
                name=item.path,
            )
            return replace(report, ms=item.ms)

        page = None
        if html is not None:
            from originlens.surfaces.html import ReportPage, originals_of

            page = stack.enter_context(
                ReportPage(
                    html,
                    kind="examine",
                    expected=inputs.count(),
                    originals=originals_of(originals),
                )
            )
        ticker = stack.enter_context(progress("examining", wanted=jsonl))
        if ticker.shown:
            ticker.total(inputs.count())
        for done, item in enumerate(inputs, start=1):
            report = attempt(lambda item=item: answer(item))  # type: ignore[misc]
            if isinstance(report, OriginLensError):
                failed += 1
                _print_error(item.path, report, jsonl=jsonl)
                if page is not None:
                    page.add_error(item.path, report)
            else:
                if jsonl:
                    json_line(report.to_dict())
                else:
                    _print(report)
                if page is not None:
                    page.add(report, item.picture if isinstance(item.picture, Image) else None)
            ticker.to(done + inputs.not_pictures)
    inputs.report_others()
    if html is not None:
        say(f"report: {html}")
    return 1 if failed else 0


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


def _print_error(path: str, error: OriginLensError, *, jsonl: bool) -> None:
    if jsonl:
        json_line({"schema": REPORT_SCHEMA, "image": {"path": path}, "error": error.to_dict()})
    else:
        say_error(path, error.to_dict())


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
