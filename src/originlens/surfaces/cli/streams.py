"""The standard streams: data on stdout, everything said to people about the run on stderr."""

from __future__ import annotations

import csv
import io
import json
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

#: Width of tables when the output is no terminal, so that a file keeps whole rows.
FILE_WIDTH = 140
_live: list[Progress] = []


class ReaderGone(BaseException):
    """Whoever read our standard output has closed it (``| head``).

    No ``OSError``: neither a batch nor Typer shall take it for an error of an input or of ours.
    """


def prepare() -> None:
    """Let both streams carry any file name, and print warnings as one line each on stderr.

    Names that are not UTF-8 are held with lone surrogates (PEP 383) and leave as the bytes they
    came from; a stream that is not UTF-8 shows what it cannot encode as ``\\N{...}`` escapes.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            encoding = (stream.encoding or "").lower().replace("-", "")
            stream.reconfigure(
                errors="surrogateescape" if encoding == "utf8" else "backslashreplace"
            )

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        say(f"warning: {message}")

    warnings.showwarning = show


def printable(text: str) -> str:
    """``text`` with control characters escaped: a file name must not steer the terminal."""
    return "".join(
        c if c.isprintable() or "\udc80" <= c <= "\udcff" else c.encode("unicode_escape").decode()
        for c in text
    )


def say(text: str) -> None:
    """One line on stderr (above a progress bar, if one is shown)."""
    lines = "\n".join(printable(line) for line in text.splitlines())
    if _live:
        from rich.text import Text

        _live[-1].console.print(Text(lines), soft_wrap=True)
    else:
        print(lines, file=sys.stderr, flush=True)


def say_error(name: str, error: Mapping[str, str]) -> None:
    """One line on stderr about an input that failed; names the input once."""
    message = error["message"]
    say(f"error: {message if message.startswith(name) else f'{name}: {message}'}")


def json_line(record: Mapping[str, Any]) -> None:
    """One JSON object on stdout, flushed.

    ASCII with escapes, so that lone surrogates of odd file names are carried without loss, and
    NaN is refused rather than printed (it is no JSON).
    """
    put(json.dumps(record, ensure_ascii=True, allow_nan=False) + "\n")


def csv_line(cells: Sequence[object]) -> None:
    """One row of comma-separated values on stdout, flushed."""
    row = io.StringIO()
    csv.writer(row, lineterminator="\n").writerow(["" if c is None else c for c in cells])
    put(row.getvalue())


def put(text: str) -> None:
    """Text on stdout as it is, flushed."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError as error:
        raise ReaderGone from error


def console() -> Console:
    """A Rich console on stdout; wide if the output goes to a file or a pipe."""
    from rich.console import Console

    class Output(Console):
        def on_broken_pipe(self) -> None:
            raise ReaderGone

    return Output(width=None if sys.stdout.isatty() else FILE_WIDTH, highlight=False)


class Ticker:
    """Counts finished inputs; ``total`` may become known later."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._task = None if progress is None else progress.add_task("", total=None, rate="")

    @property
    def shown(self) -> bool:
        """Whether anybody sees it (so that counting a total is worth its time)."""
        return self._progress is not None

    def total(self, count: int) -> None:
        """Say how many inputs there are."""
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, total=count)

    def at(self, done: int, total: int) -> None:
        """Say how many inputs are done and how many there are."""
        self.total(total)
        self.to(done)

    def to(self, done: int) -> None:
        """Say how many inputs are done."""
        if self._progress is not None and self._task is not None:
            speed = self._progress.tasks[0].speed
            rate = f"{speed:.1f}/s" if speed else ""
            self._progress.update(self._task, completed=done, rate=rate)


@contextmanager
def progress(what: str, *, wanted: bool = True) -> Iterator[Ticker]:
    """A bar with count, rate and time left on stderr, where stderr is a terminal.

    ``wanted`` is False where data stream to stdout, which may be the same terminal.
    """
    if not (wanted and sys.stderr.isatty()):
        yield Ticker(None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeLeft(),
    )
    # Rich would send what is written to stdout to the bar's console, which is stderr.
    bar = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False)
    with bar:
        _live.append(bar)
        try:
            yield Ticker(bar)
        finally:
            _live.pop()
