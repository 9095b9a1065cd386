"""The HTML report: what it says, what it never lets through, and how small it stays."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from originlens.core.errors import CorruptImage
from originlens.core.evidence import (
    Edit,
    Evidence,
    Match,
    Relation,
    Report,
    SearchResult,
    Skipped,
    Verdict,
)
from originlens.core.image import Image
from originlens.match.index import Index
from originlens.surfaces.html import (
    Original,
    ReportPage,
    compare_report,
    examine_report,
    originals_of,
    pictures,
    search_report,
    words,
)

HOSTILE = '"><img src=x onerror=alert(1)><script>alert(2)</script>\u202e{{7*7}}'
VOID = {"meta", "img", "br", "input", "link"}


class Page(HTMLParser):
    """A page's elements, attributes, addresses and visible text; checks that tags nest."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        assert not self._open, f"not closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open and self._open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] not in ("style", "script"):
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def photo(tmp_path: Path, name: str, seed: int = 0, size: tuple[int, int] = (300, 400)) -> str:
    """A smooth random picture in a file."""
    rng = np.random.default_rng(seed)
    small = Pillow.fromarray(rng.integers(0, 255, (12, 16, 3), dtype=np.uint8))
    path = tmp_path / name
    small.resize((size[1], size[0]), Pillow.Resampling.BICUBIC).save(path, "PNG")
    return str(path)


def match(path: str, relation: Relation = "copy", **values: object) -> Match:
    given: dict[str, object] = {
        "asset": "AG-1",
        "path": path,
        "relation": relation,
        "score": 5.0,
        "probability": 0.9876,
        "meta": {"creator": "A. Person", "licence": "CC BY 4.0"},
        "direction": "query-from-asset",
        "pdq_distance": 12,
        "pdq_quality": 100,
        "transform": np.array([[1.0, 0, 20], [0, 1, 10], [0, 0, 1]]),
        "inliers": 120,
        "coverage": 0.9,
        "edits": (
            Edit("crop", "Keeps 90 % of it.", 0.9, (0, 0, 380, 290), "asset"),
            Edit("text", "Text at the lower left.", None, (30, 200, 200, 260), "query"),
        ),
        "why": "120 points agree.",
        "change_map": np.zeros((300, 400), np.uint8),
    }
    return Match(**(given | values))  # type: ignore[arg-type]


def result(query: str, *matches: Match) -> SearchResult:
    decision = matches[0].relation if matches else "none"
    return SearchResult(query, "ab" * 32, decision, matches, 12.0)


def test_single_search_tells_everything(tmp_path: Path) -> None:
    query, original = photo(tmp_path, "found.png"), photo(tmp_path, "original.png", 1)
    weaker = match(
        photo(tmp_path, "other.png", 2),
        "none",
        asset="AG-2",
        why="6 inliers only.",
        transform=None,
        change_map=None,
        edits=(),
    )
    out = search_report([result(query, match(original), weaker)], tmp_path / "deep" / "page.html")
    page = Page(out)
    for told in (
        "Made from",
        "AG-1",
        "120 points agree.",
        "Keeps 90 % of it.",
        "Text at the lower left.",
        "12 of 256 bits differ",
        "A. Person",
        "CC BY 4.0",
        "probability 0.988",
        "6 inliers only.",
        "What was not examined, and why",
        "changed, or not in the original",
        "this index",
    ):
        assert told in page.words
    sliders = [v for tag, name, v in page.attributes if tag == "input" and name == "data-sets"]
    assert sliders == ["--split", "--map"]
    assert ("input", "type", "range") in page.attributes


def test_nothing_leaves_the_page_and_its_policy_names_all_it_runs(tmp_path: Path) -> None:
    query = photo(tmp_path, "q.png")
    page = Page(search_report([result(query, match(query))], tmp_path / "p.html"))
    addresses = [v for _, name, v in page.attributes if name in ("href", "src", "xlink:href")]
    assert addresses and all(a.startswith(("data:image/", "#")) for a in addresses)
    assert not any(name == "style" or name.startswith("on") for _, name, _ in page.attributes)
    assert "url(" not in page.source and "@import" not in page.source
    policy = next(v for tag, name, v in page.attributes if tag == "meta" and "default-src" in v)
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    for kind, tag in (("style-src", "style"), ("script-src", "script")):
        allowed = re.search(rf"{kind} ([^;]+)", policy)
        assert allowed is not None
        for body in re.findall(rf"<{tag}>(.*?)</{tag}>", page.source, re.S):
            digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
            assert f"'sha256-{digest}'" in allowed.group(1)


def test_hostile_text_is_text(tmp_path: Path) -> None:
    query = photo(tmp_path, "q.png")
    bad = match(
        query,
        asset=HOSTILE,
        meta={HOSTILE: HOSTILE, "title": HOSTILE},
        why=HOSTILE,
        edits=(Edit(HOSTILE, HOSTILE),),
    )
    many = [result(query, bad), result(f"gone-\udcff-{HOSTILE}", bad)]
    with ReportPage(tmp_path / "p.html", expected=3) as report:
        for found in many:
            report.add(found)
        report.add_error(HOSTILE, CorruptImage(HOSTILE))
    page = Page(tmp_path / "p.html")
    assert "img" not in page.tags and page.tags.count("script") == 1
    assert "\u202e" not in page.source and "\\u202e" in page.words
    assert "\\xff" in page.words and "{{7*7}}" in page.words


def test_hostile_evidence_is_text(tmp_path: Path) -> None:
    found = Evidence(
        HOSTILE,
        HOSTILE,
        explanation=HOSTILE,
        scope=HOSTILE,
        details={"observed": [HOSTILE], "tags": {HOSTILE: HOSTILE}, HOSTILE: 1.5},
    )
    report = Report(
        {"path": HOSTILE, "sha256": "0", "width": 4, "height": 4, "format": HOSTILE},
        {"metadata": Verdict("metadata", HOSTILE, strength=HOSTILE, because=(found,))},
        (found,),
        (Skipped(HOSTILE, HOSTILE),),
    )
    page = Page(examine_report(report, tmp_path / "p.html"))
    assert "img" not in page.tags and page.tags.count("script") == 1
    assert "\u202e" not in page.source


def test_many_searches_make_a_hit_list_that_links_to_sections(tmp_path: Path) -> None:
    query = photo(tmp_path, "q.png")
    results = [
        result(query, match(query)),
        result(query, match(query, "related", why="another view")),
        result(query, match(query, "identical", edits=())),
        result(query, match(query, "none", transform=None, change_map=None, edits=())),
        result(query),
    ]
    with ReportPage(tmp_path / "p.html", expected=6) as report:
        for found in results:
            report.add(found)
        report.add_error("broken.jpg", CorruptImage("broken.jpg: ends early"))
    page = Page(tmp_path / "p.html")
    links = {v for tag, name, v in page.attributes if tag == "a" and name == "href"}
    ids = [v for _, name, v in page.attributes if name == "id"]
    assert {f"#r{n}" for n in range(1, 7)} <= links
    assert len(ids) == len(set(ids)), "an id occurs twice"
    used = {v for tag, name, v in page.attributes if tag == "use"}
    assert {u[1:] for u in used} <= set(ids), "a picture is drawn that is not defined"
    for told in (
        "6 pictures, 2 with an original",
        "1 that could not be read",
        "ends early",
        "Nearest candidate",
        "Why not a copy: Another view.",
        "Nothing was changed",
    ):
        assert told in page.words


def test_missing_pictures_are_said_not_hidden(tmp_path: Path) -> None:
    bare = match("", "copy", transform=None, inliers=0, change_map=None, edits=(), meta={})
    page = Page(search_report([result("no/such/file.jpg", bare)], tmp_path / "p.html"))
    for told in (
        "could not be read again",
        "keeps no picture of it",
        "No geometry was verified",
        "known by its hash only",
    ):
        assert told in page.words


def test_broken_query_is_said_not_raised(tmp_path: Path) -> None:
    whole = tmp_path / "whole.jpg"
    Pillow.open(photo(tmp_path, "q.png")).save(whole)
    cut = Image(whole.read_bytes()[:3000], path="cut.jpg")
    with ReportPage(tmp_path / "p.html") as report:
        report.add(result("cut.jpg", match("")), cut)
    assert "could not be read again" in Page(tmp_path / "p.html").words


def test_originals_of_an_index_come_from_the_file_or_else_from_the_index(tmp_path: Path) -> None:
    path = photo(tmp_path, "kept.png", size=(900, 1400))
    with Index(tmp_path / "index", mode="w") as index:
        (event,) = index.add([path], workers=1)
        found = match(path, asset=str(event.asset))
        original = originals_of(index)(found)
        assert original is not None and original.note == "" and original.size == (900, 1400)
        assert max(original.pixels.shape[:2]) == 1024
        Path(path).unlink()
        original = originals_of(index)(found)
        assert original is not None and original.note == "as kept in the index"
        assert original.size == (900, 1400) and max(original.pixels.shape[:2]) == 512
        assert originals_of(index)(match(path, asset="unknown")) is None
    assert originals_of(None)(found) is None


def test_extreme_shapes_and_transforms_are_drawn(tmp_path: Path) -> None:
    long = tmp_path / "long.png"
    Pillow.new("RGB", (9000, 1), "red").save(long)
    away = np.array([[1.0, 0, 0], [0, 1, 0], [-0.01, 0, 1]])  # sends part of the plane to infinity
    singular = np.array([[0.0, 0, 5], [0, 0, 5], [0, 0, 1]])
    results = [
        result(str(long), match(str(long), transform=np.eye(3), change_map=None)),
        result(str(long), match(str(long), transform=away, change_map=None)),
        result(str(long), match(str(long), transform=singular, change_map=None)),
    ]
    page = Page(search_report(results, tmp_path / "p.html"))
    assert page.words.count("Original, aligned to the query") == 3
    assert ("svg", "preserveaspectratio", "none") in page.attributes


def test_compare_and_examine_pages(tmp_path: Path) -> None:
    query = Image.open(photo(tmp_path, "q.png"))
    original = Image.open(photo(tmp_path, "o.png", 1))
    page = Page(compare_report(match("o.png"), query, original, tmp_path / "c.html"))
    assert "Comparison of two pictures" in page.words and "120 points agree." in page.words
    found = Evidence("exif", "metadata", explanation="A record.", details={"observed": ["It is."]})
    report = Report(
        {"path": query.path, "sha256": query.sha256, "width": 400, "height": 300, "format": "PNG"},
        {
            "origin": Verdict("origin", "copy", 0.9),
            "synthesis": Verdict("synthesis", "not-examinable", details={"why": "not built"}),
            "metadata": Verdict("metadata", "present", because=(found,)),
        },
        (found,),
        (Skipped("synthesis", "not built"),),
        (match("o.png"),),
        {"originlens": "0"},
    )
    page = Page(
        examine_report(
            report,
            tmp_path / "e.html",
            image=query,
            originals=lambda _: Original(original.pixels, (300, 400), "as kept in the index"),
        )
    )
    for told in (
        "2 of 3 questions answered",
        "Was it generated?",
        "not built",
        "It is.",
        "made from",
        "Original, as kept in the index",
    ):
        assert told in page.words


def test_an_exception_leaves_no_file(tmp_path: Path) -> None:
    out = tmp_path / "p.html"
    with pytest.raises(RuntimeError, match="stop"), ReportPage(out):
        raise RuntimeError("stop")
    assert list(tmp_path.iterdir()) == []


def test_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    query = photo(tmp_path, "q.png")
    pages = [search_report([result(query, match(query))], tmp_path / f"{n}.html") for n in "ab"]
    assert pages[0].read_bytes() == pages[1].read_bytes()


def test_two_hundred_noisy_queries_stay_below_forty_megabytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    noisy = Image.from_array(rng.integers(0, 255, (700, 900, 3), dtype=np.uint8), path="noise.png")
    shown = Original(noisy.pixels, (700, 900))
    found = result("noise.png", match("", change_map=None))
    with ReportPage(tmp_path / "p.html", expected=200, originals=lambda _: shown) as report:
        report.add(found, noisy)
        one = report._spool.tell()
    assert one * 200 < 40_000_000


def test_pictures_are_bounded_and_fit_their_budget() -> None:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 255, (3000, 1000, 3), dtype=np.uint8)
    shown = pictures.photograph(pixels, (3000, 1000), 1024, budget=200_000)
    data = base64.b64decode(shown.uri.partition(",")[2])
    with Pillow.open(io.BytesIO(data)) as opened:
        assert opened.size == (341, 1024) and len(data) <= 250_000
    assert shown.frame == "-0.5 -0.5 1000 3000"


def test_change_overlay_shows_what_the_threshold_calls_changed() -> None:
    change = np.full((40, 60), 127, np.uint8)
    change[10:20, 30:50] = 255
    change[30:35, 0:10] = 160
    shown = pictures.change_overlay(change, 1024)
    with Pillow.open(io.BytesIO(base64.b64decode(shown.uri.partition(",")[2]))) as opened:
        layer = np.asarray(opened.convert("RGBA"))
    assert ((layer[..., 3] > 0) == (change >= 128)).all()
    assert layer[15, 40, 3] == 255 and 90 < layer[32, 5, 3] < 200
    assert (layer[15, 40, :3] == pictures.CHANGE).all()


def test_aligned_original_lies_where_the_transform_says() -> None:
    original = np.zeros((200, 300, 3), np.uint8)
    original[50:100, 60:120] = 255
    # The query shows the original at half size, 40 px right and 30 px down.
    transform = np.array([[0.5, 0, 40], [0, 0.5, 30], [0, 0, 1]])
    drawn = pictures.aligned(original, (200, 300), transform, (180, 240), 1024)
    bright = np.argwhere(drawn.min(axis=2) > 200)
    assert np.abs(bright.min(axis=0) - [55, 70]).max() <= 1
    assert np.abs(bright.max(axis=0) - [79, 99]).max() <= 1
    assert (drawn[170, 230] > 100).all()  # hatched: the original has nothing there
    corners = pictures.outline(transform, (200, 300))
    assert corners is not None and corners[0] == pytest.approx((39.75, 29.75))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain – ünïcödé 写真", "plain – ünïcödé 写真"),
        ("a\u202eb", "a\\u202eb"),
        ("a\x00\x1b[31m", "a\\x00\\x1b[31m"),
        ("\udcff", "\\xff"),
        ("x" * 5000, "x" * words.LONGEST + " … (5000 characters)"),
    ],
)
def test_visible_text(text: str, shown: str) -> None:
    assert words.visible(text) == shown
