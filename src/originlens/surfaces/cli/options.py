"""Options that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

IndexDir = Annotated[
    str,
    typer.Option(
        "--index", metavar="DIR", envvar="ORIGINLENS_INDEX", help="Folder that holds the index."
    ),
]
Jsonl = Annotated[bool, typer.Option("--jsonl", help="One JSON object per line on stdout.")]
Html = Annotated[
    str | None, typer.Option("--html", metavar="FILE", help="Write a self-contained HTML report.")
]
Rate = Annotated[
    float,
    typer.Option(
        "--max-false-positive-rate",
        metavar="P",
        help="Share of unrelated queries that may be matched, over the whole index.",
    ),
]
DiffDir = Annotated[
    str | None,
    typer.Option("--diff-dir", metavar="DIR", help="Write a change map per verified match."),
]
DEFAULT_INDEX = "./.originlens"
