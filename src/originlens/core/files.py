"""Which files a list of paths stands for: the rules of every command that takes pictures.

A path that is no folder stands for itself, also if it does not exist (reading it then says so). A
folder is walked recursively, sorted by the bytes of the path; hidden folders and those the caller
names (the index) are left out, a link to a folder is followed once and never into a loop. Files
are not opened here: what is a picture is known from the content, by whoever reads it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from originlens.core.errors import ReadError


@dataclass(frozen=True, slots=True)
class Found:
    """A path to look at; ``explicit`` if it was named, not met in a walk.

    ``readable`` is False for what a walk met and cannot be a picture (a dangling link, a socket, a
    device); ``error`` is set for a folder that cannot be listed.
    """

    path: str
    explicit: bool
    readable: bool = True
    error: ReadError | None = None


def walk(
    paths: Iterable[str | os.PathLike[str]],
    *,
    leave_out: Collection[str | os.PathLike[str]] = (),
) -> Iterator[Found]:
    """Every file that ``paths`` stand for, in the order given, folders sorted by path bytes.

    Paths stay as they were given (relative ones stay relative); names that are not UTF-8 are held
    with lone surrogates (PEP 383). Nothing is kept but the folders on the way down.

    Args:
        paths: files and folders.
        leave_out: folders that a walk does not enter, such as the index's own.
    """
    closed = {identity for p in leave_out if (identity := _identity(os.fspath(p))) is not None}
    for given in paths:
        path = os.fspath(given)
        if os.path.isdir(path):
            yield from _walk_folder(path, os.path.realpath(path), set(closed))
        else:
            yield Found(path, explicit=True)


def _walk_folder(folder: str, root: str, seen: set[tuple[int, int]]) -> Iterator[Found]:
    # A stack of listings rather than recursion: a tree may be deeper than the interpreter's stack.
    stack: list[Iterator[os.DirEntry[str]]] = []
    pending: str | None = folder
    while pending is not None or stack:
        if pending is not None:
            try:
                stack.append(iter(_listing(pending, seen)))
            except OSError as error:
                yield _closed(pending, error)
            pending = None
            continue
        entry = next(stack[-1], None)
        if entry is None:
            stack.pop()
        elif not _is_folder(entry):
            yield Found(entry.path, explicit=False, readable=_is_file(entry))
        elif not entry.name.startswith(".") and not _leads_back(entry, root):
            pending = entry.path


def _listing(folder: str, seen: set[tuple[int, int]]) -> list[os.DirEntry[str]]:
    """The folder's entries in order; nothing if it was listed before."""
    identity = _identity(folder)
    if identity in seen:
        return []
    if identity is not None:
        seen.add(identity)
    with os.scandir(folder) as listing:
        return sorted(listing, key=_sort_key)


def _closed(folder: str, error: OSError) -> Found:
    reason = error.strerror or type(error).__name__
    message = f"{folder}: cannot be listed: {reason}"
    return Found(folder, explicit=False, readable=False, error=ReadError(message))


def _sort_key(entry: os.DirEntry[str]) -> bytes:
    # A folder sorts as its name and a slash, so that whole paths come out in order of their bytes.
    return os.fsencode(entry.name) + (b"/" if _is_folder(entry) else b"")


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _leads_back(entry: os.DirEntry[str], root: str) -> bool:
    """Whether a link points into the tree being walked (it is met there anyway) or above it."""
    if not entry.is_symlink():
        return False
    target = os.path.realpath(entry.path)
    return _contains(root, target) or _contains(target, root)


def _contains(folder: str, path: str) -> bool:
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _identity(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino
