"""A layout's TOML file: read, checked, and every mistake in it named."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from originlens.bench.protocols._layout_lists import FIELD, Join, Split, text_of
from originlens.bench.protocols.manifest import COLUMNS, SPLITS
from originlens.core.errors import UsageError

#: What ``<image>`` stands for in a pattern: the suffix of a picture that core reads.
_IMAGE = r"\.(?:jpe?g|png|webp|tiff?|bmp|gif|avif|heic)"
#: The token itself; a group that is called image is none.
_SUFFIX = re.compile(r"(?<!\?P)<image>")
_KEYS = {
    "title", "paper", "pages", "licence", "tree", "unverified", "rows", "maps", "joins", "splits",
}  # fmt: skip
_REQUIRED = ("title", "pages", "tree", "rows")
_SEE = "see docs/how-to/add-a-layout.md"
#: Fields that every file has without a group of its pattern.
FREE = frozenset({"stem", "name", "folder"})


@dataclass(frozen=True, slots=True)
class Rule:
    """Which files become rows, and with what columns: candidates, the first that is not empty."""

    files: re.Pattern[str]
    skip: bool
    columns: Mapping[str, tuple[str, ...]]
    masks: tuple[str, ...]
    extra: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a layout's file says."""

    title: str
    paper: str
    pages: tuple[str, ...]
    licence: str
    tree: str
    unverified: tuple[str, ...]
    rules: tuple[Rule, ...]
    maps: Mapping[str, Mapping[str, str]]
    joins: tuple[Join, ...]
    splits: tuple[Split, ...]


def read(path: Path) -> Declaration:
    """The declaration in a file.

    Raises:
        ReadError: the file cannot be read.
        UsageError: not TOML, a key missing or unknown, a broken pattern, or a template that names
            what nothing defines.
    """
    where = str(path)
    try:
        data = tomllib.loads(text_of(path))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{where}: not TOML: {error}") from error
    lacking = [key for key in _REQUIRED if not data.get(key)]
    if lacking:
        raise UsageError(f"{where}: {', '.join(lacking)} missing: {_SEE}")
    _only(data, _KEYS, where)
    maps = {
        name: {word.lower(): str(value) for word, value in table.items()}
        for name, table in data.get("maps", {}).items()
    }
    declaration = Declaration(
        title=str(data["title"]),
        paper=str(data.get("paper", "")),
        pages=tuple(data["pages"]),
        licence=str(data.get("licence", "")),
        tree=str(data["tree"]),
        unverified=tuple(data.get("unverified", ())),
        rules=tuple(_rule(table, where) for table in data["rows"]),
        maps=maps,
        joins=tuple(_join(table, where) for table in data.get("joins", ())),
        splits=tuple(_split(table, where) for table in data.get("splits", ())),
    )
    _check_templates(declaration, where)
    return declaration


def _rule(data: dict[str, Any], where: str) -> Rule:
    _only(data, {"files", "skip", "extra", *COLUMNS[1:]}, f"{where}: [[rows]]")
    columns = {key: _several(data[key]) for key in COLUMNS[1:] if key in data and key != "mask"}
    return Rule(
        files=_pattern(data, "files", where),
        skip=bool(data.get("skip", False)),
        columns=columns,
        masks=_several(data.get("mask", ())),
        extra={key: _several(value) for key, value in data.get("extra", {}).items()},
    )


def _join(data: dict[str, Any], where: str) -> Join:
    known = {"name", "file", "columns", "separator", "line", "key", "match"}
    _only(data, known, f"{where}: [[joins]]")
    return Join(
        name=_required(data, "name", where),
        file=_pattern(data, "file", where),
        columns=tuple(data.get("columns", ())),
        separator=str(data.get("separator", ",")),
        line=_pattern(data, "line", where) if "line" in data else None,
        key=_required(data, "key", where),
        match=_required(data, "match", where),
    )


def _split(data: dict[str, Any], where: str) -> Split:
    _only(data, {"split", "file", "match"}, f"{where}: [[splits]]")
    split = _required(data, "split", where)
    if split not in SPLITS:
        raise UsageError(f"{where}: the split {split!r} is none of {', '.join(SPLITS)}")
    _required(data, "match", where)
    return Split(split, _pattern(data, "file", where), _several(data["match"]))


def _several(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) else (str(value),)


def _required(data: Mapping[str, Any], key: str, where: str) -> str:
    if not data.get(key):
        raise UsageError(f"{where}: a table lacks {key!r}: {_SEE}")
    return str(data[key])


def _only(data: Mapping[str, Any], known: Collection[str], where: str) -> None:
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise UsageError(f"{where}: unknown key {unknown[0]!r}: use {', '.join(sorted(known))}")


def _pattern(data: Mapping[str, Any], key: str, where: str) -> re.Pattern[str]:
    text = _required(data, key, where)
    try:
        return re.compile(_SUFFIX.sub(lambda _: _IMAGE, text), re.IGNORECASE)
    except re.error as error:
        raise UsageError(f"{where}: {text!r} is no regular expression: {error}") from error


def _check_templates(declaration: Declaration, where: str) -> None:
    for text, known in _templates(declaration):
        for field in FIELD.finditer(text):
            if field[1] not in known and field[1].partition(".")[0] not in known:
                raise UsageError(f"{where}: {text!r} names {field[1]!r}, which nothing defines")
            if field[2] and field[2] not in declaration.maps:
                raise UsageError(f"{where}: {text!r} uses the map {field[2]!r}, which is absent")


def _templates(declaration: Declaration) -> Iterator[tuple[str, frozenset[str]]]:
    """Every template with the names that may stand in it."""
    every = FREE.union(*(rule.files.groupindex for rule in declaration.rules))
    joined = {join.name for join in declaration.joins}
    yield from ((join.match, every) for join in declaration.joins)
    for split in declaration.splits:
        yield from ((text, every | joined) for text in split.match)
    for rule in declaration.rules:
        known = FREE | set(rule.files.groupindex) | joined
        for texts in (*rule.columns.values(), rule.masks, *rule.extra.values()):
            yield from ((text, known) for text in texts)
