"""``originlens methods``: what is built in, whose idea it is, what it costs and when it fails."""

from __future__ import annotations

import inspect
import json
from typing import Any

from originlens.core.errors import UsageError
from originlens.core.registry import Method
from originlens.core.registry import methods as registered
from originlens.surfaces.cli.streams import console, put

METHODS_SCHEMA = "methods/1"


def run(name: str | None, *, as_json: bool) -> int:
    """List all methods or those of one name; returns the exit code.

    Raises:
        UsageError: no method has that name.
    """
    found = [m for m in registered() if name in (None, m.card.name)]
    if not found:
        raise UsageError(f"no method {name!r}: `originlens methods` lists them")
    if as_json:
        document = {"schema": METHODS_SCHEMA, "methods": [as_dict(m) for m in found]}
        put(json.dumps(document, indent=2) + "\n")
    elif name is None:
        _list(found)
    else:
        for method in found:
            _show(method)
    return 0


def as_dict(method: Method) -> dict[str, Any]:
    """The card and the constructor's options as plain data."""
    options = {
        key: {
            "type": _annotation(parameter),
            "default": None if parameter.default is parameter.empty else parameter.default,
        }
        for key, parameter in method.options().items()
    }
    return {**method.card.to_dict(), "options": options}


def _annotation(parameter: inspect.Parameter) -> str:
    if parameter.annotation is parameter.empty:
        return ""
    if isinstance(parameter.annotation, str):
        return parameter.annotation
    return getattr(parameter.annotation, "__name__", str(parameter.annotation))


def _list(found: list[Method]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, show_edge=False)
    for title in ("kind", "name", "task", "paper", "status"):
        table.add_column(title, overflow="fold", no_wrap=title in ("kind", "name"))
    for method in found:
        card = method.card
        table.add_row(
            *(Text(t) for t in (card.kind, card.name, card.task, card.paper, card.status))
        )
    console().print(table)


def _show(method: Method) -> None:
    from rich.table import Table
    from rich.text import Text

    card = method.card
    rows = [
        ("kind", card.kind),
        ("task", card.task),
        ("claims", card.claims),
        ("paper", card.paper),
        ("code licence", card.code_licence),
        *(
            ("weights", f"{w.file}, {w.bytes} bytes, {w.licence}; trained on {w.training_data}")
            for w in card.weights
        ),
        ("needs", f"pip install 'originlens[{card.extra}]'" if card.extra else ""),
        ("reads", ", ".join(card.reads)),
        ("cost", str(card.cost)),
        ("status", card.status),
        ("scope", card.scope),
        ("fails when", card.fails_when),
        ("thresholds", ", ".join(f"{k} = {v:g}" for k, v in card.thresholds.items())),
        *(
            ("option", f"{key}: {o['type']} = {o['default']!r}")
            for key, o in as_dict(method)["options"].items()
        ),
    ]
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for label, value in rows:
        if value:
            table.add_row(Text(label, style="dim"), Text(value))
    out = console()
    out.print(Text(card.name, style="bold"))
    out.print(table)
