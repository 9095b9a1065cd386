"""Lists that come with a data set: records joined to files, and names of splits."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from originlens.core.errors import ReadError, UsageError

#: ``{name}``, ``{name|map}`` or ``{join.column}`` in a template.
FIELD = re.compile(r"\{([\w.]+)(?:\|(\w+))?\}")


@dataclass(frozen=True, slots=True)
class Join:
    """How records of a list are found and matched to files.

    A record is what ``line`` matches where it is given, else the cells between separators.
    """

    name: str
    file: re.Pattern[str]
    columns: tuple[str, ...]
    separator: str
    line: re.Pattern[str] | None
    key: str
    match: str


@dataclass(frozen=True, slots=True)
class Split:
    """How a list says which files are of a split."""

    split: str
    file: re.Pattern[str]
    match: tuple[str, ...]


class Records:
    """The records of a join that a folder holds, by their key."""

    def __init__(self, join: Join, folder: Path, files: Sequence[str]) -> None:
        self.join, self.name = join, join.name
        self.files = [path for path in files if join.file.fullmatch(path)]
        self._records: dict[str, dict[str, str]] = {}
        self._used: set[str] = set()
        for path in self.files:
            for record in _records(folder / path, join):
                # Of two records for a file the first stands: a file is one row.
                self._records.setdefault(_key(join.key, record), record)

    def of(self, key: str) -> dict[str, str]:
        """The cells of a key's record as ``name.column``; none if there is no record."""
        record = self._records.get(key)
        if record is None:
            return {}
        self._used.add(key)
        return {f"{self.name}.{column}": cell for column, cell in record.items()}

    @property
    def unmatched(self) -> int:
        """Records that no file asked for."""
        return len(self._records) - len(self._used)


class Names:
    """The names that a folder's lists of one split hold."""

    def __init__(self, split: Split, folder: Path, files: Sequence[str]) -> None:
        self.split, self.match, self.name = split.split, split.match, f"split {split.split}"
        self.files = [path for path in files if split.file.fullmatch(path)]
        self._names = {name for path in self.files for name in _entries(folder / path)}
        self._used: set[str] = set()

    def holds(self, name: str) -> bool:
        """Whether the split lists that name."""
        if name not in self._names:
            return False
        self._used.add(name)
        return True

    @property
    def unmatched(self) -> int:
        """Names that no file has."""
        return len(self._names) - len(self._used)


def text_of(path: Path) -> str:
    """The text of a UTF-8 file; other bytes as lone surrogates.

    Raises:
        ReadError: the file cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig", errors="surrogateescape")
    except OSError as error:
        raise ReadError(f"{path}: cannot be read: {error.strerror or error}") from error


def _key(template: str, record: Mapping[str, str]) -> str:
    return FIELD.sub(lambda found: record.get(found[1], ""), template)


def _records(path: Path, join: Join) -> Iterator[dict[str, str]]:
    if join.line is not None:
        for line in text_of(path).split("\n"):
            found = join.line.fullmatch(line.strip())
            if found:
                yield {name: cell or "" for name, cell in found.groupdict().items()}
        return
    table = _table(path, join.separator)
    header = list(join.columns) or [name.strip() for name in next(table, [])]
    for number, cells in enumerate(table, 1):
        if not cells or cells[: len(header)] == header:
            continue
        if len(cells) < len(header):
            raise UsageError(
                f"{path}: record {number} has {len(cells)} cells, expected {', '.join(header)}: "
                "is it the list of this data set?"
            )
        yield dict(zip(header, cells, strict=False))


def _table(path: Path, separator: str) -> Iterator[list[str]]:
    """Cells of each record: of a JSON list of lists, or of the lines of a text."""
    if path.suffix.lower() == ".json":
        for cells in _json(path):
            if isinstance(cells, list):
                yield [str(cell) for cell in cells]
    else:
        yield from csv.reader(text_of(path).splitlines(), delimiter=separator)


def _json(path: Path) -> list[object]:
    try:
        value = json.loads(text_of(path))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: not JSON ({error}): get an intact copy") from error
    return value if isinstance(value, list) else [value]


def _entries(path: Path) -> Iterator[str]:
    if path.suffix.lower() != ".json":
        yield from (_last(line) for line in text_of(path).split("\n") if line.strip())
        return
    pending = _json(path)
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            yield _last(value)
        elif isinstance(value, dict):
            pending += value.values()
        elif isinstance(value, list):
            pending += value


def _last(text: str) -> str:
    return PurePosixPath(text.strip()).stem
