"""Competitors with packages that do not go with ours: each in an environment of its own.

An environment is a TOML file here (what is installed, pinned; licence; what it is) and a script of
the same name that runs under the environment's Python. :func:`environments` lists them,
:meth:`Environment.install` makes one (``originlens bench peers --install``), and a peer's method
asks it with :meth:`Environment.call`. How to add one: docs/how-to/peers.md.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from originlens.bench.environments._child import Child, ChildDied
from originlens.bench.environments._install import MARKER, Progress, install
from originlens.bench.environments._recipe import Recipe
from originlens.core.errors import MissingPeer, PeerFailed, UsageError
from originlens.core.image import Pixels

#: Seconds: a question, and a start (libraries such as torch take long from a cold disk).
_CALL, _START = 60.0, 120.0


class Environment:
    """A peer's environment. Threads may share one; each process starts a child of its own.

    Args:
        recipe: what it is made of.
        folder: where it is installed; ``$ORIGINLENS_PEERS/NAME`` by default, without that variable
            ``peers/NAME`` of the virtual environment that runs this, outside of one of the user's
            cache folder.
    """

    def __init__(self, recipe: Recipe, folder: Path | None = None) -> None:
        self.recipe = recipe
        self._folder = folder
        self._child: Child | None = None
        self._lock = threading.Lock()

    @classmethod
    def read(cls, path: str | os.PathLike[str], folder: Path | None = None) -> Environment:
        """The environment of a TOML file.

        Raises:
            UsageError: the file describes none.
        """
        return cls(Recipe.read(Path(path)), folder)

    @property
    def name(self) -> str:
        """The name that ``originlens bench peers`` uses."""
        return self.recipe.name

    @property
    def folder(self) -> Path:
        """Where it is, or would be, installed."""
        return self._folder or _home() / self.name

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return self.folder / "bin" / "python"

    @property
    def installed(self) -> bool:
        """Whether it is installed as its recipe says."""
        return not self.why_missing

    @property
    def why_missing(self) -> str:
        """Why it cannot be used; empty where it can."""
        marker = self._marker
        if not marker or not os.access(self.python, os.X_OK):
            return "its environment is not installed"
        if marker.get("recipe") != self.recipe.digest:
            return "its environment was installed from other requirements"
        return ""

    @property
    def versions(self) -> dict[str, str]:
        """Version by name of every package in it; empty where it is not installed."""
        return dict(self._marker.get("versions", {}))

    @property
    def _marker(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.folder / MARKER).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found

    def install(self, progress: Progress = lambda _: None) -> None:
        """Make it, unless it is installed as its recipe says, and see that it starts.

        Args:
            progress: called with a line per step.

        Raises:
            MissingPeer: it cannot be made or does not start; names the step and the reason.
        """
        with self._lock:
            self._close()
            if not self.installed:
                install(self.recipe, self.folder, progress)
            try:
                self._started()
            except MissingPeer:
                (self.folder / MARKER).unlink(missing_ok=True)
                raise

    def call(
        self,
        op: str,
        header: Mapping[str, Any] | None = None,
        array: Pixels | None = None,
        *,
        timeout: float = _CALL,
    ) -> tuple[dict[str, Any], Pixels | None]:
        """Ask the peer's script, in a child that is started by the first question.

        Args:
            op: one of the script's ``OPERATIONS``.
            header: what it is told, JSON.
            array: uint8 of any shape, sent as raw bytes with its ``shape`` in the header.
            timeout: seconds after which the child is ended.

        Returns:
            The reply's header, and its data in the shape that its ``shape`` says (None: no shape).

        Raises:
            MissingPeer: the environment is not installed or does not start.
            PeerFailed: the peer raised an error, died or ran past its time. Of the latter two, the
                next question starts a new child.
        """
        asked: dict[str, Any] = {**(header or {}), "op": op}
        data = memoryview(b"")
        if array is not None:
            asked["shape"] = list(array.shape)
            data = np.ascontiguousarray(array, np.uint8).ravel().data
        with self._lock:
            child = self._started()
            try:
                reply, raw = child.ask(asked, data, timeout=timeout)
            except ChildDied as error:
                self._close()
                raise PeerFailed(f"{self.name}: {op}: {error}") from error
        if "error" in reply:
            raise PeerFailed(f"{self.name}: {op}: {reply['error']}")
        shape = reply.pop("shape", None)
        return reply, None if shape is None else np.frombuffer(raw, np.uint8).reshape(shape)

    def close(self) -> None:
        """End the child, if there is one."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.close()

    def _started(self) -> Child:
        if self._child is not None and not self._child.is_own:
            self._close()
        if self._child is None:
            if why := self.why_missing:
                raise MissingPeer(self.name, why)
            recipe = self.recipe
            try:
                self._child = Child(
                    str(self.python), recipe.script, recipe.check, recipe.stand_ins, timeout=_START
                )
            except ChildDied as error:
                raise MissingPeer(self.name, str(error)) from error
        return self._child


def _home() -> Path:
    """The folder of all environments."""
    if chosen := os.environ.get("ORIGINLENS_PEERS"):
        return Path(chosen)
    if sys.prefix != sys.base_prefix and os.access(sys.prefix, os.W_OK):
        return Path(sys.prefix) / "peers"
    cache_home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(cache_home) / "originlens" / "peers"


@cache
def environments() -> tuple[Environment, ...]:
    """Every environment that comes with the package, by name.

    The same objects at every call: the methods of a peer share its child.
    """
    files = sorted(Path(__file__).parent.glob("*.toml"))
    return tuple(Environment.read(file) for file in files)


def environment(name: str) -> Environment:
    """The environment of that name.

    Raises:
        UsageError: there is none; the message lists those that there are.
    """
    for each in environments():
        if each.name == name:
            return each
    known = ", ".join(each.name for each in environments())
    raise UsageError(f"no peer {name!r}: use one of {known}")
