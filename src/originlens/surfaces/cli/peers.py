"""``originlens bench peers``: competitors in environments of their own, and making these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from originlens.core.errors import MissingPeer
from originlens.surfaces.cli.streams import console, json_line, printable, say, say_error

if TYPE_CHECKING:
    from originlens.bench.environments import Environment

SCHEMA = "bench-peer/1"


def run(names: Sequence[str], *, install: bool, jsonl: bool) -> int:
    """List the peers, or install them first; returns the exit code.

    Raises:
        UsageError: no peer of a name; the message lists them.
    """
    from originlens.bench.environments import environment, environments

    chosen = [environment(name) for name in names] or list(environments())
    failed = 0
    for peer in chosen:
        if install:
            try:
                peer.install(progress=say)
            except MissingPeer as error:
                failed += 1
                if jsonl:
                    json_line({"schema": SCHEMA, "name": peer.name, "error": error.to_dict()})
                else:
                    say_error(peer.name, error.to_dict())
                continue
            finally:
                peer.close()
        if jsonl:
            json_line({"schema": SCHEMA, **_facts(peer)})
        else:
            _print(peer)
    return 1 if failed else 0


def _facts(peer: Environment) -> dict[str, Any]:
    recipe = peer.recipe
    return {
        "name": peer.name,
        "title": recipe.title,
        "licence": recipe.licence,
        "home": recipe.home,
        "requirements": list(recipe.installs),
        "note": recipe.note,
        "installed": peer.installed,
        "why": peer.why_missing,
        "folder": str(peer.folder),
        "versions": peer.versions,
    }


def _print(peer: Environment) -> None:
    from rich.table import Table
    from rich.text import Text

    recipe = peer.recipe
    remedy = f"{peer.why_missing}: originlens bench peers {peer.name} --install"
    rows = [
        ("what", recipe.title),
        ("licence", recipe.licence),
        ("home", recipe.home),
        ("pinned", ", ".join(recipe.installs)),
        ("note", recipe.note),
        ("installed", f"yes, in {peer.folder}" if peer.installed else f"no: {remedy}"),
    ]
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for name, value in rows:
        if value:
            table.add_row(Text(name, style="dim"), Text(printable(value)))
    out = console()
    out.print(Text(peer.name, style="bold"))
    out.print(table)
