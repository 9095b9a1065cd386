r"""Known data sets' folders turned into manifests by declarations, one TOML file each.

An entry in ``layouts/`` says where the shape is documented (``pages``), what could not be verified
(``unverified``), the tree in words (``tree``) and, as data, how files become rows:

``[[rows]]``
    ``files`` is a regular expression for the whole path below the root (``/`` between parts, letter
    case ignored; ``<image>`` stands for any picture's suffix). The first rule that matches makes
    the file a row; one with ``skip = true`` drops it as known and no picture to judge (a mask). The
    other keys are the manifest's columns, each a template or a list of them of which the first that
    is not empty counts; for ``mask`` the first file that exists (``**/`` before it: in any
    folder). Columns under ``[rows.extra]`` are kept as extra ones.
templates
    ``{group}`` is a named group of ``files``; ``{stem}``, ``{name}`` and ``{folder}`` come for
    free; ``{group|map}`` is looked up in ``[maps.map]``, whose key ``""`` is the default;
    ``{join.column}`` is a cell of the joined record, empty where there is none. A template whose
    fields are all empty is empty.
``[[joins]]``
    A list that tells more about files: ``file`` (regular expression; several may match), ``name``,
    and what a record is: ``line``, a regular expression with named groups, or cells between
    ``separator`` (a comma) under the list's header or the ``columns`` given (a .json file is a list
    of lists). ``key`` over the record's columns equals ``match`` over the file's groups.
``[[splits]]``
    Lists of names of one ``split``: the lines of a text file or all strings of a JSON file, without
    folders and suffix; a file belongs to it if ``match`` (or one of several) is among them.

How to write one: docs/how-to/add-a-layout.md.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from originlens.bench.protocols._layout_file import Declaration, Rule, read
from originlens.bench.protocols._layout_lists import FIELD, Names, Records
from originlens.bench.protocols.manifest import Manifest, Row
from originlens.core.errors import ReadError, UsageError
from originlens.core.files import walk

_FOLDER = Path(__file__).parent / "layouts"


@dataclass(frozen=True, slots=True)
class Applied:
    """A folder read by a layout.

    ``ignored`` are files that no rule knows (videos, archives, notes) or that are none (dangling
    links); ``unmatched`` says how many entries of each joined or split list named no file.
    """

    manifest: Manifest
    ignored: tuple[str, ...]
    unmatched: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Layout:
    """A data set's directory layout."""

    name: str
    declared: Declaration

    def apply(self, root: str | os.PathLike[str]) -> Applied:
        """The manifest of a folder of this layout, rows in order of their paths.

        Raises:
            ReadError: the folder is missing, or a folder or list in it cannot be read.
            UsageError: no file fits, or a list that is joined is broken.
        """
        folder = Path(root)
        if not folder.is_dir():
            raise ReadError(
                f"{folder}: no such folder: name the one that holds {self.declared.title}"
            )
        files: list[str] = []
        unreadable: list[str] = []
        for item in walk([folder]):
            if item.error is not None:
                raise item.error
            path = Path(item.path).relative_to(folder).as_posix()
            (files if item.readable else unreadable).append(path)
        filler = _Filler(self.declared, folder, files)
        rows, ignored = [], unreadable
        for path in files:
            match = self._match(path)
            if match is None:
                if path not in filler.lists:
                    ignored.append(path)
            elif not match[0].skip:
                rows.append(filler.row(path, *match))
        if not rows:
            raise UsageError(
                f"{folder}: no file fits the layout {self.name}, which expects\n"
                f"{self.declared.tree.strip()}"
            )
        return Applied(Manifest(tuple(rows), folder), tuple(ignored), filler.unmatched)

    def _match(self, path: str) -> tuple[Rule, dict[str, str]] | None:
        for rule in self.declared.rules:
            found = rule.files.fullmatch(path)
            if found:
                pure = PurePosixPath(path)
                free = {"stem": pure.stem, "name": pure.name, "folder": str(pure.parent)}
                return rule, free | {k: v or "" for k, v in found.groupdict().items()}
        return None


class _Filler:
    """Fills the columns of a row from the groups of its path and the lists of the folder."""

    def __init__(self, declared: Declaration, folder: Path, files: Sequence[str]) -> None:
        self._maps = declared.maps
        self._records = [Records(join, folder, files) for join in declared.joins]
        self._names = [Names(split, folder, files) for split in declared.splits]
        # A file's path by its lower-case path and, for "**/", by its lower-case name.
        self._present = {f"**/{PurePosixPath(p).name}".lower(): p for p in reversed(files)}
        self._present |= {path.lower(): path for path in files}
        self._lists: list[Records | Names] = [*self._records, *self._names]
        self.lists = {path for part in self._lists for path in part.files}

    @property
    def unmatched(self) -> dict[str, int]:
        return {part.name: part.unmatched for part in self._lists if part.unmatched}

    def row(self, path: str, rule: Rule, groups: Mapping[str, str]) -> Row:
        cells = dict(groups)
        for records in self._records:
            cells |= records.of(self._filled(records.join.match, groups))
        columns = {name: self._first(texts, cells) for name, texts in rule.columns.items()}
        extra = {name: self._first(texts, cells) for name, texts in rule.extra.items()}
        if not columns.get("split"):
            columns["split"] = self._listed(cells)
        candidates = (self._filled(text, cells).lower() for text in rule.masks)
        mask = next((self._present[c] for c in candidates if c in self._present), "")
        return Row(path, mask=mask, extra=extra, **columns)

    def _listed(self, cells: Mapping[str, str]) -> str:
        for names in self._names:
            if any(names.holds(self._filled(text, cells)) for text in names.match):
                return names.split
        return ""

    def _first(self, texts: Sequence[str], cells: Mapping[str, str]) -> str:
        return next((filled for text in texts if (filled := self._filled(text, cells))), "")

    def _filled(self, text: str, cells: Mapping[str, str]) -> str:
        """The template with its fields' values; empty where it has fields and all are empty."""
        values = []

        def value(field: re.Match[str]) -> str:
            cell = cells.get(field[1], "")
            if field[2]:
                known = self._maps[field[2]]
                cell = known.get(cell.lower(), known.get("", cell))
            values.append(cell)
            return cell

        filled = FIELD.sub(value, text)
        return filled if any(values) or not values else ""


def names() -> tuple[str, ...]:
    """The names of the shipped layouts, sorted."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


def load(name: str | os.PathLike[str]) -> Layout:
    """A shipped layout by its name, or one of the user's by the path of its TOML file.

    Raises:
        UsageError: no such layout, or a mistake in it; the message says where.
        ReadError: the file cannot be read.
    """
    text = os.fspath(name)
    if text.endswith(".toml"):
        return Layout(Path(text).stem, read(Path(text)))
    if text not in names():
        raise UsageError(f"no layout {text!r}: use one of {', '.join(names())} or a .toml file")
    return Layout(text, read(_FOLDER / f"{text}.toml"))
