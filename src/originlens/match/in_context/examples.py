"""Example pairs from disk: two folders with equal names, or a table."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence

from originlens.core.errors import InputError, UsageError
from originlens.core.image import Image
from originlens.match.in_context import MOST_EXAMPLES, Example

FOLDERS = ("originals", "replicas")
COLUMNS = ("original", "replica")


def read(path: str | os.PathLike[str]) -> list[Example]:
    """The (original, replica) pairs that a folder or a table holds, in order of name or row.

    Args:
        path: a folder with the subfolders ``originals`` and ``replicas``, whose files pair up by
            name without its ending (``originals/cat.jpg``, ``replicas/cat.png``), or a CSV file
            with the columns ``original`` and ``replica``, paths relative to it.

    Raises:
        UsageError: there are no pairs or more than 20, a file lacks its partner or is no picture;
            the message names it and says what to do.
    """
    place = os.fspath(path)
    pairs = _from_folders(place) if os.path.isdir(place) else _from_table(place)
    if not 1 <= len(pairs) <= MOST_EXAMPLES:
        raise UsageError(f"{place}: holds {len(pairs)} pairs: give 1 to {MOST_EXAMPLES}")
    return [(_opened(original), _opened(replica)) for original, replica in pairs]


def _opened(path: str) -> Image:
    try:
        image = Image.open(path)
        image.pixels  # noqa: B018  a broken one is told now, not in the middle of a search
    except InputError as error:
        raise UsageError(f"{error}; replace or remove this example pair") from error
    return image


def _from_folders(place: str) -> list[tuple[str, str]]:
    sides = []
    for name in FOLDERS:
        folder = os.path.join(place, name)
        if not os.path.isdir(folder):
            raise UsageError(
                f"{folder}: is no folder: put the originals into {FOLDERS[0]}/ and what was made "
                f"of them, under the same names, into {FOLDERS[1]}/, or give a CSV file"
            )
        sides.append(_by_name(folder))
    originals, replicas = sides
    for here, there, folder in ((originals, replicas, FOLDERS[1]), (replicas, originals, "")):
        for name in sorted(here.keys() - there.keys()):
            lacking = os.path.join(place, folder or FOLDERS[0])
            raise UsageError(f"{here[name]}: has no partner named {name!r} in {lacking}: add it")
    return [(originals[name], replicas[name]) for name in sorted(originals)]


def _by_name(folder: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in sorted(os.listdir(folder)):
        path = os.path.join(folder, entry)
        if entry.startswith(".") or not os.path.isfile(path):
            continue
        name = os.path.splitext(entry)[0]
        if name in found:
            raise UsageError(f"{path}: {found[name]} has the same name: rename this pair")
        found[name] = path
    return found


def _from_table(place: str) -> list[tuple[str, str]]:
    try:
        with open(place, newline="", encoding="utf-8-sig") as file:
            rows: Sequence[dict[str, str]] = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UsageError(
            f"{place}: {why}: give a folder with {FOLDERS[0]}/ and {FOLDERS[1]}/, or a CSV file"
        ) from error
    pairs = []
    for line, row in enumerate(rows, start=2):
        cells = [row.get(column) for column in COLUMNS]
        if not all(cells):
            raise UsageError(f"{place}: line {line}: fill the columns {' and '.join(COLUMNS)}")
        original, replica = (os.path.join(os.path.dirname(place), cell or "") for cell in cells)
        pairs.append((original, replica))
    return pairs
