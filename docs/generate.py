"""Writes the pages of docs/ that repeat the code: command line, methods, errors, schemas.

``python docs/generate.py`` writes them anew; ``--check`` writes nothing and exits with 1 if one is
out of date (a test runs this).
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
NOTE = "<!-- Made by `make docs` from the code; do not edit. -->\n"


def pages() -> dict[Path, str]:
    """Every generated page with its text."""
    found = {
        DOCS / "cli.md": command_line(),
        DOCS / "methods.md": methods(),
        DOCS / "errors.md": errors(),
    }
    return found | schemas()


def command_line() -> str:
    """The reference of every command with its arguments, options and defaults."""
    from originlens.surfaces.cli.app import app, command

    parts = [
        NOTE,
        "# Command line\n",
        f"{app.info.help}\n",
        "Exit codes: 0 all fine (no match is fine), 1 some input failed, 2 usage (a missing index "
        "included), 130 interrupted. Data goes to stdout, everything said about the run to stderr. "
        "The JSON lines follow [schemas/](schemas/); errors: [errors.md](errors.md).\n",
    ]
    for path, node in _commands("originlens", command()):
        parts.append(_command_section(path, node))
    return "\n".join(parts)


def _commands(path: str, node: Any) -> Iterator[tuple[str, Any]]:
    for name in node.list_commands(None):
        child = node.commands[name]
        if hasattr(child, "commands"):
            yield from _commands(f"{path} {name}", child)
        else:
            yield f"{path} {name}", child


def _command_section(path: str, node: Any) -> str:
    arguments = [p for p in node.params if p.param_type_name == "argument"]
    options = [p for p in node.params if p.param_type_name == "option" and p.name != "help"]
    usage = " ".join([path, *(_argument(a) for a in arguments), "[OPTIONS]"])
    rows = [f"## {path}\n", f"{inspect.cleandoc(node.help or '')}\n", f"    {usage}\n"]
    table = [(f"`{_argument(a)}`", a.help or "", "") for a in arguments]
    table += [(_option(o), o.help or "", _default(o)) for o in options]
    if table:
        rows.append("| argument or option | meaning | default |\n|---|---|---|")
        rows += [
            f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in table
        ]
    return "\n".join(rows) + "\n"


def _argument(parameter: Any) -> str:
    name = parameter.metavar or parameter.name.upper()
    shown = f"{name}..." if parameter.nargs == -1 else name
    return shown if parameter.required else f"[{shown}]"


def _option(parameter: Any) -> str:
    flags = " / ".join(f"`{flag}`" for flag in [*parameter.opts, *parameter.secondary_opts])
    return flags if parameter.is_flag else f"{flags} `{parameter.metavar}`"


def _default(parameter: Any) -> str:
    value = getattr(parameter.default, "value", parameter.default)
    shown = "" if value is None or value is False or value == [] else f"`{value}`"
    if value is True:
        shown = f"`{parameter.opts[0]}`"
    if parameter.envvar:
        shown = f"`${parameter.envvar}`, else {shown}" if shown else f"`${parameter.envvar}`"
    return shown


def methods() -> str:
    """The table of every registered method, by kind."""
    from originlens.core.registry import KINDS
    from originlens.core.registry import methods as registered

    parts = [
        NOTE,
        "# Methods\n",
        "Every method is one file with a card; `originlens methods NAME` shows a whole card. Times "
        "are the card's, measured on one core unless it says otherwise.\n",
    ]
    for kind in KINDS:
        found = registered(kind)
        if not found:
            continue
        parts.append(f"## {kind}\n")
        titles = ["name", "what it does", "paper", "cost", "status", "fails when"]
        if kind == "metric":
            titles[2:2] = ["better", "bounds"]
        parts.append(f"| {' | '.join(titles)} |\n{'|---' * len(titles)}|")
        parts += [f"| {' | '.join(_cell(c) for c in _method_cells(m))} |" for m in found]
        parts.append("")
    return "\n".join(parts)


def _method_cells(method: Any) -> list[str]:
    """One row of the table of methods; metrics tell their direction and bounds too."""
    card = method.card
    cells = [f"`{card.name}`", card.task, card.paper, str(card.cost), card.status, card.fails_when]
    if card.kind == "metric":
        low, high = method.cls.bounds
        better = "higher" if method.cls.higher_is_better else "lower"
        cells[2:2] = [better, f"{low:g} to {high:g}".replace("inf", "infinity")]
    return cells


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def errors() -> str:
    """The error tree: the values of ``error.type`` in JSON output, and what each means."""
    from originlens.core import errors as tree

    tree_text = (tree.__doc__ or "").split("\n\n", 1)[1]
    found = [
        value
        for value in vars(tree).values()
        if isinstance(value, type) and issubclass(value, tree.OriginLensError)
    ]
    rows = [f"| `{e.__name__}` | {_cell(inspect.getdoc(e) or '')} |" for e in found]
    return "\n".join(
        [
            NOTE,
            "# Errors\n",
            "`error.type` in JSON output is one of these names; each message names the input and "
            "says what to do next.\n",
            "```text",
            inspect.cleandoc(tree_text),
            "```\n",
            "| type | meaning |\n|---|---|",
            *rows,
            "",
        ]
    )


def schemas() -> dict[Path, str]:
    """The published JSON schemas."""
    from originlens.core.schemas import file_name, render
    from originlens.core.schemas import schemas as published

    return {
        DOCS / "schemas" / file_name(name): render(document)
        for name, document in published().items()
    }


def main() -> int:
    """Write or check every page; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say what is out of date")
    check = parser.parse_args().check
    stale = [
        (path, text)
        for path, text in pages().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path, text in stale:
        print(f"{'out of date' if check else 'written'}: docs/{path.relative_to(DOCS).as_posix()}")
        if not check:
            path.write_text(text, encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
