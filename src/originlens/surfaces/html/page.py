"""The page itself: sections are written as they come, the hit list is put in front at the end."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Sized
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Literal

from originlens.core.errors import InputError, OriginLensError
from originlens.core.evidence import Match, Report, SearchResult
from originlens.core.image import Image
from originlens.surfaces.html import pictures, words
from originlens.surfaces.html.pictures import Picture
from originlens.surfaces.html.sections import examine_section, search_section
from originlens.surfaces.html.views import Original, Originals, Query, Scale, Section

if TYPE_CHECKING:
    import jinja2

    from originlens.match.index import Index

PathLike = str | os.PathLike[str]
Kind = Literal["search", "compare", "examine"]

#: Once the page is this large, further sections get small pictures only, and say so.
SOFT_LIMIT = 34_000_000
SMALL = Scale(320, 16_000, 1)
THUMB = 148
LONGEST_SIDE = 1024

_TITLES = {
    "search": ("Where these pictures come from", "Search for originals", "search/1"),
    "compare": ("Two pictures compared", "Comparison of two pictures", "search/1"),
    "examine": ("Pictures examined", "Examination", "report/1"),
}
_GENERAL = {"search": words.NOT_SEARCHED, "compare": words.NOT_COMPARED, "examine": []}


@dataclass(frozen=True, slots=True)
class Hit:
    """A line of the list in front of the sections."""

    section: str
    name: str
    relation: str
    chip: str
    words: str
    asset: str = ""
    edits: str = ""
    query_thumb: Picture | None = None
    asset_thumb: Picture | None = None


class ReportPage:
    """Writes one report file; a context manager, so that sections can be added as results come.

    Memory stays flat in the number of inputs: each section is rendered and spooled at once. The
    file appears under its name only when the page is complete (an exception leaves nothing).

    Args:
        out: the HTML file to write; parent folders are created.
        kind: which question the page answers; chooses its title and wording.
        expected: how many inputs will be added: one gives a full page with large pictures, more
            a hit list with thumbnails that link to sections with smaller pictures.
        originals: finds the pictures of matched assets (default: opens ``match.path``).
    """

    def __init__(
        self,
        out: PathLike,
        *,
        kind: Kind = "search",
        expected: int = 1,
        originals: Originals | None = None,
    ) -> None:
        self.out = Path(out)
        self.kind = kind
        self.expected = expected
        self._originals = originals or file_of_match
        self._scale = Scale.of(expected)
        self._hits: list[Hit] = []
        self._ratios: set[tuple[int, int]] = set()
        self._environment = _environment(self._ratios)
        self._spool: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed by __exit__

    def add(self, result: SearchResult | Report, image: Image | None = None) -> None:
        """Append a section; ``image`` is the query (default: opened from the result's path)."""
        if image is None:
            path = result.query if isinstance(result, SearchResult) else result.image.get("path")
            image = _opened(path)
        key, alone = f"r{len(self._hits) + 1}", self.expected <= 1
        scale = self._scale if self._spool.tell() < SOFT_LIMIT else SMALL
        make: Any = search_section if isinstance(result, SearchResult) else examine_section
        section = make(key, result, image, self._originals, scale, alone=alone)
        if alone:
            section.missing = [*_GENERAL[self.kind], *section.missing]
        if scale is SMALL:
            section.missing.append(("Large pictures.", "Kept small: the page is already large."))
        self._write(section)
        self._hits.append(self._hit(section))

    def add_error(self, name: str, error: OriginLensError) -> None:
        """Append an input that could not be read."""
        key = f"r{len(self._hits) + 1}"
        section = Section(key, "error.html", name, Query(f"{key}-q", None, None))
        section.heading, section.back = ("h1", False) if self.expected <= 1 else ("h2", True)
        section.title, section.chip = words.base_name(name), "Could not be read"
        section.relation, section.sentence = "error", str(error)
        self._write(section)
        self._hits.append(Hit(key, name, "error", section.chip, str(error)))

    def close(self) -> None:
        """Finish the page and put it in place; nothing can be added afterwards."""
        self.out.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.out.with_name(f".{self.out.name}.{os.getpid()}.part")
        try:
            with temporary.open("wb") as file:
                file.write(self._head().encode("utf-8"))
                self._spool.seek(0)
                shutil.copyfileobj(self._spool, file)
                file.write(self._foot().encode("utf-8"))
            os.replace(temporary, self.out)
        finally:
            temporary.unlink(missing_ok=True)

    def __enter__(self) -> ReportPage:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                self.close()
        finally:
            self._spool.close()

    def _write(self, section: Section) -> None:
        text = self._environment.get_template(section.template).render(s=section)
        self._spool.write(text.encode("utf-8"))

    def _hit(self, section: Section) -> Hit:
        best = section.best
        found = best is not None and section.relation != "none"
        told = section.lead if best is not None or not section.sentence else section.sentence
        if section.relation == "none" and best is not None:
            told = "No original found; nearest candidate"
        return Hit(
            section.id,
            words.base_name(section.name),
            section.relation,
            section.chip,
            told[:1].upper() + told[1:],
            best.name if best is not None else "",
            ", ".join(dict.fromkeys(e.name.replace("-", " ") for e in best.edits))
            if found and best
            else "",
            self._thumb(section.query.pic),
            self._thumb(best.original if best is not None else None),
        )

    def _thumb(self, picture: Picture | None) -> Picture | None:
        if picture is None or self.expected <= 1:
            return None
        return pictures.thumbnail(picture, THUMB)

    def _head(self) -> str:
        title, kind_words, _ = _TITLES[self.kind]
        if self.expected <= 1 and self._hits:
            title = f"{words.visible(self._hits[0].name)} · {kind_words}"
        css, js = _text("report.css"), _text("report.js")
        hits = self._hits if self.expected > 1 else []
        # The thumbnails' boxes are known only after the list is rendered: render twice.
        template = self._environment.get_template("head.html")
        values: dict[str, Any] = {
            "title": title,
            "kind_words": kind_words,
            "version": _version(),
            "hits": hits,
            "summary": _summary(self._hits),
            "filters": _filters(hits),
            "css": _raw(css),
            "script_hash": _hash(js),
        }
        template.render(**values, ratios="", style_hashes="")
        ratios = "".join(f".r{w}x{h}{{--w:{w};--h:{h}}}" for w, h in sorted(self._ratios))
        hashes = f"{_hash(css)} {_hash(ratios)}"
        return template.render(**values, ratios=_raw(ratios), style_hashes=hashes)

    def _foot(self) -> str:
        template = self._environment.get_template("foot.html")
        schema = _TITLES[self.kind][2]
        general = _GENERAL[self.kind] if self.expected > 1 else []
        values = {"js": _raw(_text("report.js")), "version": _version(), "schema": schema}
        return template.render(**values, general=general)


def file_of_match(match: Match) -> Original | None:
    """The asset's picture from the file it was indexed from, if that is still there."""
    image = _opened(match.path)
    if image is None:
        return None
    try:
        return Original(pictures.of_image(image, LONGEST_SIDE), (image.height, image.width))
    except InputError:
        return None


def originals_of(index: Index | None) -> Originals:
    """Pictures of assets: the indexed file where it is unchanged, else the index's proxy."""
    if index is None:
        return file_of_match

    def find(match: Match) -> Original | None:
        from originlens.match.originals import open_original

        row = index.store.by_asset(match.asset)
        if row is None:
            return None
        size = (row.height, row.width)
        try:
            image = open_original(row)
            if image is not None:
                return Original(pictures.of_image(image, LONGEST_SIDE), size)
            proxy = index.store.proxy(row.row)
            if proxy is not None:
                return Original(Image(proxy).pixels, size, "as kept in the index")
        except InputError:
            return None
        return None

    return find


def search_report(
    results: Iterable[SearchResult], out: PathLike, *, originals: Originals | None = None
) -> Path:
    """Write the page of one or many searches; queries are opened from ``result.query``."""
    results = results if isinstance(results, Sized) else list(results)
    with ReportPage(out, kind="search", expected=len(results), originals=originals) as page:
        for result in results:
            page.add(result)
    return page.out


def examine_report(
    reports: Report | Iterable[Report],
    out: PathLike,
    *,
    image: Image | None = None,
    originals: Originals | None = None,
) -> Path:
    """Write the page of one or many examinations (``image``: the picture of a single one)."""
    many = [reports] if isinstance(reports, Report) else list(reports)
    with ReportPage(out, kind="examine", expected=len(many), originals=originals) as page:
        for report in many:
            page.add(report, image if len(many) == 1 else None)
    return page.out


def compare_report(match: Match, query: Image, original: Image, out: PathLike) -> Path:
    """Write the page of a pairwise comparison, with the query's and the original's picture."""
    picture = Original(pictures.of_image(original, LONGEST_SIDE), (original.height, original.width))
    result = SearchResult(query.path or "query", query.sha256, match.relation, (match,), 0.0)
    with ReportPage(out, kind="compare", originals=lambda _: picture) as page:
        page.add(result, query)
    return page.out


def _opened(path: object) -> Image | None:
    """A picture for display; what cannot be read is simply not shown (the page says so)."""
    if not isinstance(path, str) or not path:
        return None
    try:
        return Image.open(path)
    except InputError:
        return None


def _environment(ratios: set[tuple[int, int]]) -> jinja2.Environment:
    """Templates that escape everything and note which ratios of sides they used."""
    import jinja2
    import markupsafe

    def ratio_class(ratio: tuple[int, int]) -> str:
        ratios.add(ratio)
        return f"r{ratio[0]}x{ratio[1]}"

    def finalize(value: Any) -> Any:
        plain = isinstance(value, str) and not isinstance(value, markupsafe.Markup)
        return words.visible(value) if plain else value

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("originlens.surfaces.html"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
    )
    environment.filters["ratio_class"] = ratio_class
    return environment


def _text(name: str) -> str:
    from importlib.resources import files

    return (files("originlens.surfaces.html") / "templates" / name).read_text(encoding="utf-8")


def _raw(text: str) -> Any:
    """Our own style or script, to be placed as it is."""
    import markupsafe

    return markupsafe.Markup(text)


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def _version() -> str:
    from importlib.metadata import version

    return version("originlens")


def _summary(hits: list[Hit]) -> str:
    matched = sum(h.relation in ("identical", "copy") for h in hits)
    failed = sum(h.relation == "error" for h in hits)
    text = f"{len(hits)} pictures, {matched} with an original in the index"
    return f"{text}, {failed} that could not be read." if failed else f"{text}."


def _filters(hits: list[Hit]) -> list[tuple[str, str, int]]:
    names = {**words.RELATIONS, "error": "Unreadable"}
    counts = [(k, names[k], sum(h.relation == k for h in hits)) for k in names]
    return [c for c in counts if c[2]]
