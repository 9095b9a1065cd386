"""Lists of PDQ hashes as people exchange them, one a line: separated by commas, semicolons or
tabs, or JSON objects.

With a header, and in JSON, values are known by name (hash or pdq; id, asset or name; quality; every
other one is metadata). Without one the cell of 64 hex digits is the hash, a number from 0 to 100
the quality, and the first other cell the id.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from originlens.core.errors import InputError, ReadError

_HASH = re.compile(r"[0-9a-fA-F]{64}")
_NAMES = {
    "hash": ("hash", "pdq", "pdq_hash", "pdqhash", "signal", "value"),
    "id": ("id", "asset", "name", "key"),
    "quality": ("quality", "pdq_quality"),
}

_KNOWN = {name for names in _NAMES.values() for name in names}


@dataclass(frozen=True, slots=True)
class HashLine:
    """One entry: 32 bytes, most significant bit first; or why the line is none."""

    pdq: bytes = b""
    asset: str | None = None
    quality: int | None = None
    meta: dict[str, str] = field(default_factory=dict)
    error: InputError | None = None


def read(path: str) -> Iterator[HashLine]:
    """Every entry of the file in order; a line that holds no hash is an entry with an error.

    Raises:
        ReadError: the file cannot be read.
    """
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            sample = next((line for line in file if line.strip() and line[0] != "#"), "")
            file.seek(0)
            if sample.lstrip().startswith("{"):
                yield from _objects(path, file)
            else:
                delimiter = next((d for d in "\t;," if d in sample), ",")
                yield from _entries(path, csv.reader(file, delimiter=delimiter))
    except OSError as error:
        raise ReadError(f"{path}: cannot be read: {error.strerror}") from error
    except csv.Error as error:
        raise ReadError(f"{path}: is no list of hashes: {error}") from error


def _objects(path: str, lines: Iterable[str]) -> Iterator[HashLine]:
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            values = {str(k).lower(): str(v) for k, v in json.loads(line).items() if v is not None}
        except (ValueError, AttributeError):
            yield _without_hash(path, number)
            continue
        cells = list(values.values())
        at = next((i for i, cell in enumerate(cells) if _HASH.fullmatch(cell)), None)
        yield _without_hash(path, number) if at is None else _named(list(values), cells, at)


def _without_hash(path: str, number: int) -> HashLine:
    return HashLine(error=InputError(f"{path}:{number}: has no PDQ hash (64 hex digits)"))


def _entries(path: str, rows: Iterator[list[str]]) -> Iterator[HashLine]:
    header: list[str] | None = None
    first = True
    for number, cells in enumerate(rows, start=1):
        cells = [cell.strip() for cell in cells]
        if not any(cells) or cells[0].startswith("#"):
            continue
        hashes = [i for i, cell in enumerate(cells) if _HASH.fullmatch(cell)]
        if first and not hashes and any(cell.lower() in _KNOWN for cell in cells):
            header = [cell.lower() for cell in cells]
        elif not hashes:
            yield _without_hash(path, number)
        else:
            yield _named(header, cells, hashes[0]) if header else _guessed(cells, hashes[0])
        first = False


def _named(header: list[str], cells: list[str], at: int) -> HashLine:
    values = dict(zip(header, cells, strict=False))

    def take(kind: str) -> str:
        return next((values.pop(name) for name in _NAMES[kind] if name in values), "")

    digits = take("hash")
    digits = digits if _HASH.fullmatch(digits) else cells[at]
    asset, quality = take("id"), take("quality")
    meta = {key: value for key, value in values.items() if key and value and value != digits}
    return HashLine(bytes.fromhex(digits), asset or None, _quality(quality), meta)


def _guessed(cells: list[str], at: int) -> HashLine:
    rest = [cell for i, cell in enumerate(cells) if i != at and cell]
    quality = next((cell for cell in rest if _quality(cell) is not None), "")
    asset = next((cell for cell in rest if cell != quality), None)
    return HashLine(bytes.fromhex(cells[at]), asset, _quality(quality))


def _quality(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and int(text) <= 100 else None
