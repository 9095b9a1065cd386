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
    code = 0
    listed = []
    for peer in chosen:
        error = _installed(peer) if install else None
        if error is None:
            listed.append(peer)
            if jsonl:
                json_line({"schema": SCHEMA, **_facts(peer)})
            continue
        code = 1
        if jsonl:
            json_line({"schema": SCHEMA, "name": peer.name, "error": error.to_dict()})
        else:
            say_error(peer.name, error.to_dict())
    if not jsonl and (names or install):
        for peer in listed:
            _show(peer)
    elif not jsonl:
        _list(listed)
    return code


def _installed(peer: Environment) -> MissingPeer | None:
    """Install a peer; why it could not be, or None."""
    try:
        peer.install(progress=say)
    except MissingPeer as error:
        return error
    finally:
        peer.close()
    return None


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


def _list(peers: Sequence[Environment]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0))
    for column in ("name", "version", "installed", "licence", "what it is"):
        table.add_column(column)
    for peer in peers:
        state = "yes" if peer.installed else f"no: {peer.why_missing}"
        version = next(iter(peer.recipe.installs[-1:]), "")
        cells = (version, state, peer.recipe.licence, peer.recipe.title)
        table.add_row(Text(peer.name, style="bold"), *(Text(printable(c)) for c in cells))
    console().print(table)
    if not all(peer.installed for peer in peers):
        say("install them: originlens bench peers [NAME...] --install")


def _show(peer: Environment) -> None:
    from rich.table import Table
    from rich.text import Text

    recipe = peer.recipe
    state = f"yes, in {peer.folder}" if peer.installed else f"no: {peer.why_missing}"
    rows = [
        ("what", recipe.title),
        ("", recipe.what),
        ("licence", recipe.licence),
        ("home", recipe.home),
        ("pinned", ", ".join(recipe.installs)),
        ("note", recipe.note),
        ("installed", state),
    ]
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2))
    for name, value in rows:
        if value:
            table.add_row(Text(name, style="dim"), Text(printable(value)))
    out = console()
    out.print(Text(peer.name, style="bold"))
    out.print(table)
