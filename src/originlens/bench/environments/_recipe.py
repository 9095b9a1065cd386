"""What an environment is made of, from its TOML file."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from originlens.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class Recipe:
    """A peer's environment, as its TOML file describes it.

    Args:
        name: kebab-case; also the name of the folder it is installed in.
        title: the peer in one line.
        what: what it is and does, in a few sentences.
        home: where it comes from.
        licence: the peer's own, SPDX where there is one.
        check: the module whose import shows that the peer is there.
        requirements: what pip installs, pinned.
        without_dependencies: what pip installs alone, pinned; what it needs is in ``requirements``.
        stand_ins: modules that are replaced by empty ones before ``check`` is imported.
        note: what differs from an ordinary install, and why.
        script: the file beside the TOML that runs in the environment (default: NAME.py).
    """

    name: str
    title: str
    what: str
    home: str
    licence: str
    check: str
    requirements: tuple[str, ...]
    without_dependencies: tuple[str, ...] = ()
    stand_ins: tuple[str, ...] = ()
    note: str = ""
    script: str = ""

    @classmethod
    def read(cls, path: Path) -> Recipe:
        """The recipe in a file; ``script`` becomes its full path.

        Raises:
            UsageError: no TOML, an unknown or missing key, a wrong type, an unpinned requirement.
        """
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"{path}: cannot be read as an environment: {error}") from error
        known = {field.name: "tuple" in str(field.type) for field in fields(cls)}
        if unknown := set(values) - set(known):
            raise UsageError(f"{path}: unknown {', '.join(sorted(unknown))}: use {sorted(known)}")
        for key, value in values.items():
            if not _fits(value, is_list=known[key]):
                raise UsageError(f"{path}: {key} is to be {'texts' if known[key] else 'a text'}")
        plain: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v.strip() for k, v in values.items()
        }
        try:
            made = cls(**plain)
        except TypeError as error:
            raise UsageError(f"{path}: {error}".replace("Recipe.__init__() ", "")) from error
        if loose := [r for r in made.installs if "==" not in r and " @ " not in r]:
            raise UsageError(f"{path}: {', '.join(loose)} must be pinned (==)")
        script = path.parent / (made.script or f"{made.name.replace('-', '_')}.py")
        return replace(made, script=str(script))

    @property
    def installs(self) -> tuple[str, ...]:
        """Every requirement, that of the peer itself last."""
        return (*self.requirements, *self.without_dependencies)

    @property
    def digest(self) -> str:
        """Of everything that an install depends on (hex)."""
        text = json.dumps([self.requirements, self.without_dependencies])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _fits(value: object, *, is_list: bool) -> bool:
    if not is_list:
        return isinstance(value, str)
    return isinstance(value, list) and all(isinstance(text, str) for text in value)
