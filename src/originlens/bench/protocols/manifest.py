"""The manifest: one table of pictures with what is known about each, the input of every evaluation.

Columns (all text; an empty cell says "not known" or "does not apply"):

``path``
    The picture's file, relative to the manifest's folder, with ``/`` between parts.
``label``
    The class: free text, or 0 / 1. Those in :data:`NEGATIVE_LABELS` are the negative class of a
    detection task (a real, untouched, good picture); every other label is positive.
``mask``
    A grey PNG of the picture's size, relative like ``path``: 255 where it was manipulated, 0
    elsewhere. Empty for untouched pictures and where no mask exists.
``source``
    Where the real picture comes from: data set, camera, site. For a generated or manipulated
    picture the real set it was made from, or imitates, if that is known.
``generator``
    What made or manipulated the picture; empty for real ones.
``group``
    What must stay together: the identity, scene, video or original that several rows share. A group
    is never split between train and test and counts as one independent unit. Empty: the row stands
    for itself.
``split``
    The data set's own split: ``train``, ``val`` or ``test``.

Further columns are kept as ``extra``. CSV is UTF-8 with a header; file names that are not UTF-8
travel by surrogateescape (PEP 383). Parquet (extra ``bench``) holds the same columns as strings.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core.errors import MissingExtra, ReadError, UsageError
from originlens.core.image import Image

#: The columns every manifest has, in the order in which they are written.
COLUMNS = ("path", "label", "mask", "source", "generator", "group", "split")
SPLITS = ("train", "val", "test")
#: Labels (lower-case) of the negative class in a detection task.
NEGATIVE_LABELS = frozenset({"0", "real", "authentic", "pristine", "good"})
#: Labels that an error names.
_SHOWN = 5
_PARQUET = (".parquet", ".pq")
#: Longest cell that the csv module reads.
_LONGEST_CELL = csv.field_size_limit()


@dataclass(frozen=True, slots=True)
class Row:
    """One picture; see the module for what each column means."""

    path: str
    label: str = ""
    mask: str = ""
    source: str = ""
    generator: str = ""
    group: str = ""
    split: str = ""
    extra: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def unit(self) -> str:
        """The independent unit it belongs to: its group, or the row itself."""
        # A file cannot be called like a group: no path holds NUL.
        return self.group or f"\0{self.path}"

    @property
    def is_negative(self) -> bool:
        """Whether its label is of the negative class (real, untouched, good)."""
        return self.label.lower() in NEGATIVE_LABELS

    def value(self, column: str) -> str:
        """The cell of a column, known or extra; empty where the row has none."""
        return str(getattr(self, column)) if column in COLUMNS else self.extra.get(column, "")


@dataclass(frozen=True, slots=True)
class Manifest:
    """Rows and the folder that their paths are relative to.

    Raises:
        UsageError: no path, a path twice, an unknown split; the message names the row, counted
            from 1 without the header.
    """

    rows: tuple[Row, ...]
    root: Path

    def __post_init__(self) -> None:
        _check(self.rows, str(self.root))

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    @property
    def columns(self) -> tuple[str, ...]:
        """The known columns, then the extra ones in order of their first row."""
        extra = dict.fromkeys(name for row in self.rows for name in row.extra)
        return (*COLUMNS, *extra)

    def column(self, name: str) -> tuple[str, ...]:
        """The cells of a column, one per row.

        Raises:
            UsageError: no such column; the message lists them.
        """
        if name not in self.columns:
            raise UsageError(f"no column {name!r}: there are {', '.join(self.columns)}")
        return tuple(row.value(name) for row in self.rows)

    def values(self, name: str) -> tuple[str, ...]:
        """The different non-empty cells of a column, sorted."""
        return tuple(sorted(set(self.column(name)) - {""}))

    def truth(self) -> npt.NDArray[np.bool_]:
        """(N,) bool, True where the label is positive.

        Raises:
            UsageError: a row has no label.
        """
        for number, row in enumerate(self.rows, 1):
            if not row.label:
                raise UsageError(f"row {number} ({row.path}) has no label: fill the label column")
        return np.array([not row.is_negative for row in self.rows], dtype=bool)

    def require_both_classes(self) -> None:
        """Refuse rows of one class: nothing tells classes apart there.

        Raises:
            UsageError: a row has no label, or all labels are of one class; the message names those
                found and which are negative.
        """
        truth = self.truth()
        if len(set(truth.tolist())) == 2:
            return
        if not self.rows:
            raise UsageError("there are no rows, and both classes are needed")
        found = Counter(row.label for row in self.rows)
        told = ", ".join(f"{label} {count}" for label, count in found.most_common(_SHOWN))
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise UsageError(
            f"all labels are {'positive' if truth[0] else 'negative'} ({told}{more}), and both "
            f"classes are needed: {', '.join(sorted(NEGATIVE_LABELS))} are negative, every other "
            "label is positive"
        )

    def units(self) -> tuple[str, ...]:
        """The independent unit of each row: what a bootstrap resamples and a fold keeps whole."""
        return tuple(row.unit for row in self.rows)

    def where(self, **wanted: str | Iterable[str]) -> Manifest:
        """The rows whose columns hold one of the wanted values.

        Raises:
            UsageError: no such column.
        """
        allowed = {
            name: {value} if isinstance(value, str) else set(value)
            for name, value in wanted.items()
        }
        cells = {name: self.column(name) for name in allowed}
        keep = [all(cells[n][i] in allowed[n] for n in allowed) for i in range(len(self))]
        return self.take(np.flatnonzero(keep))

    def filter(self, keep: Callable[[Row], bool]) -> Manifest:
        """The rows for which ``keep`` is true."""
        return Manifest(tuple(row for row in self.rows if keep(row)), self.root)

    def take(self, indices: Sequence[int] | npt.NDArray[np.intp]) -> Manifest:
        """The rows at (K,) positions, in that order."""
        return Manifest(tuple(self.rows[int(i)] for i in indices), self.root)

    def file(self, row: Row) -> Path:
        """Where the picture of a row lies."""
        return self.root / row.path

    def mask(self, row: Row) -> npt.NDArray[np.bool_] | None:
        """(H, W) bool, True where manipulated (mask above 127); None where the row has no mask.

        Raises:
            InputError: the mask cannot be read.
        """
        if not row.mask:
            return None
        return np.asarray(Image.open(self.root / row.mask).pixels.max(axis=2) > 127)

    def missing(self) -> tuple[tuple[int, str], ...]:
        """(row number from 1, path) of every picture or mask that is not there."""
        return tuple(
            (number, path)
            for number, row in enumerate(self.rows, 1)
            for path in (row.path, row.mask)
            if path and not (self.root / path).is_file()
        )

    def leaks(self) -> tuple[str, ...]:
        """Groups whose rows are in more than one split, sorted."""
        splits: dict[str, set[str]] = {}
        for row in self.rows:
            if row.group and row.split:
                splits.setdefault(row.group, set()).add(row.split)
        return tuple(sorted(group for group, found in splits.items() if len(found) > 1))

    def rebased(self, root: Path) -> Manifest:
        """The same pictures with paths relative to another folder."""
        root = Path(root)
        if root.resolve() == self.root.resolve():
            return Manifest(self.rows, root)

        def moved(path: str) -> str:
            if not path:
                return ""
            return Path(os.path.relpath((self.root / path).resolve(), root.resolve())).as_posix()

        rows = (replace(row, path=moved(row.path), mask=moved(row.mask)) for row in self.rows)
        return Manifest(tuple(rows), root)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write as Parquet (``.parquet``, ``.pq``) or CSV; paths become relative to its folder.

        Raises:
            MissingExtra: Parquet without pyarrow.
            ReadError: the file cannot be written.
        """
        target = Path(path)
        moved = self.rebased(target.parent)
        columns = self.columns
        table = [[row.value(name) for name in columns] for row in moved.rows]
        partial = target.with_name(f".{target.name}.partial")
        try:
            if target.suffix.lower() in _PARQUET:
                _write_parquet(partial, columns, table)
            else:
                with open(
                    partial, "w", encoding="utf-8", errors="surrogateescape", newline=""
                ) as file:
                    writer = csv.writer(file, lineterminator="\n")
                    writer.writerow(columns)
                    writer.writerows(table)
            os.replace(partial, target)
        except OSError as error:
            raise ReadError(f"{target}: cannot be written: {error.strerror or error}") from error
        finally:
            partial.unlink(missing_ok=True)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Manifest:
        """Read a CSV or Parquet file; pictures that do not exist are no error (``missing``).

        Raises:
            ReadError: the file is missing or unreadable.
            UsageError: no ``path`` column, a column twice, a row of another length, or what the
                constructor refuses; the message names file and row.
            MissingExtra: Parquet without pyarrow.
        """
        source = Path(path)
        try:
            if source.suffix.lower() in _PARQUET:
                header, table = _read_parquet(source)
            else:
                header, table = _read_csv(source)
        except OSError as error:
            raise ReadError(f"{source}: cannot be read: {error.strerror or error}") from error
        rows = tuple(_rows(header, table, str(source)))
        _check(rows, str(source))
        return cls(rows, source.parent)


def combined(manifests: Mapping[str, Manifest], root: str | os.PathLike[str]) -> Manifest:
    """Several data sets as one manifest, with an extra column ``dataset`` that holds their names.

    Groups are set apart by that name, since data sets number their groups alike; paths become
    relative to ``root``. For grids from set to set (``grids.cross(sides, "dataset")``).

    Raises:
        UsageError: two of them hold the same file.
    """
    rows = (
        replace(
            row,
            group=f"{name}/{row.group}" if row.group else "",
            extra={**row.extra, "dataset": name},
        )
        for name, manifest in manifests.items()
        for row in manifest.rebased(Path(root)).rows
    )
    return Manifest(tuple(rows), Path(root))


def _check(rows: Sequence[Row], name: str) -> None:
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, 1):
        where = f"{name}: row {number}"
        if not row.path:
            raise UsageError(f"{where} has no path: fill the column or remove the row")
        if "\0" in row.path or "\0" in row.mask or "\0" in row.group:
            raise UsageError(f"{where} holds a NUL character: remove it")
        if row.split and row.split not in SPLITS:
            raise UsageError(
                f"{where} has the split {row.split!r}: use {', '.join(SPLITS)} or leave it empty"
            )
        if row.path in seen:
            raise UsageError(
                f"{where} repeats {row.path} of row {seen[row.path]}: remove one of them"
            )
        seen[row.path] = number


def _rows(header: Sequence[str], table: Iterable[Sequence[str]], name: str) -> Iterator[Row]:
    twice = [column for column, count in Counter(header).items() if count > 1]
    if twice:
        raise UsageError(f"{name}: column {twice[0]!r} appears twice: rename or remove one")
    if "path" not in header:
        raise UsageError(
            f"{name}: there is no column 'path' in {', '.join(header) or 'an empty header'}: "
            f"the first line names the columns, such as {','.join(COLUMNS)}"
        )
    for number, cells in enumerate(table, 1):
        if len(cells) != len(header):
            raise UsageError(
                f"{name}: row {number} has {len(cells)} cells, the header {len(header)}: "
                "put text that holds a comma in quotes"
            )
        cell = dict(zip(header, cells, strict=True))
        known: dict[str, Any] = {column: cell.pop(column, "").strip() for column in COLUMNS[1:]}
        yield Row(cell.pop("path"), **known, extra=cell)


def _read_csv(source: Path) -> tuple[list[str], list[list[str]]]:
    with open(source, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = [name.strip() for name in next(reader, [])]
            return header, [cells for cells in reader if cells]
        except csv.Error as error:
            raise UsageError(
                f"{source}: line {reader.line_num} is not CSV ({error}): "
                f"cells hold up to {_LONGEST_CELL} characters, quotes are doubled"
            ) from error


def _pyarrow() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtra("pyarrow", "bench") from error
    return pyarrow


def _write_parquet(target: Path, columns: Sequence[str], table: list[list[str]]) -> None:
    pyarrow = _pyarrow()
    try:
        cells = [pyarrow.array([row[i] for row in table], "string") for i in range(len(columns))]
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{target}: Parquet holds Unicode only, and a file name is none: write CSV instead"
        ) from error
    pyarrow.parquet.write_table(pyarrow.table(cells, names=list(columns)), str(target))


def _read_parquet(source: Path) -> tuple[list[str], list[list[str]]]:
    pyarrow = _pyarrow()
    try:
        table = pyarrow.parquet.read_table(str(source))
    except pyarrow.ArrowInvalid as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"{source}: no Parquet file ({reason}): write it anew") from error
    cells = [
        ["" if value is None else str(value) for value in column.to_pylist()]
        for column in table.columns
    ]
    return list(table.column_names), [list(row) for row in zip(*cells, strict=True)]
