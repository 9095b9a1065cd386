"""Runs inside a peer's environment: answers questions on stdin with replies on stdout.

Started as ``python -I _serve.py SETTINGS``, SETTINGS a JSON object of ``script`` (the peer's own
file), ``check`` (a module to import first) and ``stand_ins`` (modules that are replaced by empty
ones). The script's ``OPERATIONS`` maps a question's ``op`` to a function that takes (header, data)
and returns (header, data). Nothing but the standard library is used here, and nothing of
originlens: this file runs under other packages' versions.

A message is 4 bytes (big-endian) of the header's length, the header as JSON in UTF-8, and as many
bytes of data as the header's ``bytes`` says.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import struct
import sys
from types import ModuleType
from typing import Any, BinaryIO

_LENGTH = struct.Struct(">I")


def read_message(stream: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """The next (header, data); EOFError where the stream ends."""
    size = _LENGTH.unpack(_exactly(stream, _LENGTH.size))[0]
    header = json.loads(_exactly(stream, size))
    return header, _exactly(stream, header.pop("bytes"))


def write_message(stream: BinaryIO, header: dict[str, Any], data: bytes | memoryview) -> None:
    """Send (header, data)."""
    text = json.dumps({**header, "bytes": len(data)}).encode()
    stream.write(_LENGTH.pack(len(text)) + text)
    stream.write(data)
    stream.flush()


def _exactly(stream: BinaryIO, size: int) -> bytes:
    found = stream.read(size)
    if len(found) < size:
        raise EOFError("the other end closed")
    return found


class StandIn(ModuleType):
    """An empty module whose names can be imported but not used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def refuse(*_: Any, **__: Any) -> Any:
            raise RuntimeError(f"{self.__name__}.{name} is left out of this environment")

        return refuse


def _one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:500]


def main() -> None:
    """Answer until the other end closes."""
    # The pipes are moved away before any library is imported: what it prints goes to stderr.
    asked, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    settings = json.loads(sys.argv[1])
    try:
        for name in settings["stand_ins"]:
            sys.modules[name] = StandIn(name)
        importlib.import_module(settings["check"])
        operations = runpy.run_path(settings["script"])["OPERATIONS"]
    except Exception as error:  # noqa: BLE001  told to the parent, which names the environment
        write_message(replies, {"error": _one_line(error)}, b"")
        return
    write_message(replies, {"ready": sorted(operations)}, b"")
    while True:
        try:
            header, data = read_message(asked)
        except EOFError:
            return
        try:
            header, data = operations[header.pop("op")](header, data)
        except Exception as error:  # noqa: BLE001  whatever the peer raises is the answer
            header, data = {"error": _one_line(error)}, b""
        write_message(replies, header, data)


if __name__ == "__main__":
    main()
