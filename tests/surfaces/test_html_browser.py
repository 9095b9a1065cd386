"""The report in a real browser: sliders, keyboard, narrow windows, no scripts, print."""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from originlens.core.evidence import Edit, Match, SearchResult
from originlens.surfaces.html import search_report

_SPEC = importlib.util.spec_from_file_location("browser", Path(__file__).with_name("browser.py"))
assert _SPEC is not None and _SPEC.loader is not None
browser_module = importlib.util.module_from_spec(_SPEC)
sys.modules["browser"] = browser_module
_SPEC.loader.exec_module(browser_module)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        browser_module.programs() is None,
        reason="chromium and chromedriver are not installed: apt-get install chromium-driver",
    ),
]
RIGHT = "\ue014"  # WebDriver, section 17.4.2: the right arrow key


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browser_module.Browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of a red query, a blue original and a change map of one square."""
    folder = tmp_path_factory.mktemp("report")
    Pillow.new("RGB", (400, 300), (220, 0, 0)).save(folder / "query.png")
    Pillow.new("RGB", (400, 300), (0, 0, 220)).save(folder / "original.png")
    change = np.zeros((300, 400), np.uint8)
    change[100:200, 300:400] = 255
    edits = (Edit("region-replaced", "This part is new.", None, (300, 100, 400, 200), "query"),)
    found = Match(
        "blue",
        str(folder / "original.png"),
        "copy",
        5.0,
        0.99,
        transform=np.eye(3),
        inliers=80,
        coverage=1.0,
        edits=edits,
        why="It fits.",
        change_map=change,
    )
    many = [SearchResult(str(folder / "query.png"), "00" * 32, "copy", (found,), 1.0)]
    return search_report(many, folder / "report.html")


def stage_colour(browser: Any, x: float, y: float) -> tuple[int, ...]:
    """The colour at a relative position in the stage, as the screen shows it."""
    box = browser.run(
        "const b = document.querySelector('.stage .frame').getBoundingClientRect();"
        "return [b.left + scrollX, b.top + scrollY, b.width, b.height]"
    )
    with Pillow.open(io.BytesIO(browser.picture())) as shot:
        place = (round(box[0] + x * box[2]), round(box[1] + y * box[3]))
        return tuple(shot.convert("RGB").getpixel(place))


def is_near(colour: tuple[int, ...], wanted: tuple[int, int, int]) -> bool:
    return max(abs(a - b) for a, b in zip(colour, wanted, strict=True)) <= 24


def test_slider_shows_original_left_and_query_right(browser: Any, page: Path) -> None:
    browser.show(page)
    assert is_near(stage_colour(browser, 0.3, 0.2), (0, 0, 220))
    assert is_near(stage_colour(browser, 0.7, 0.2), (220, 0, 0))
    slider = browser.find("input[data-sets='--split']")
    browser.press(slider, RIGHT * 30)  # from 50 to 80 %
    assert is_near(stage_colour(browser, 0.7, 0.2), (0, 0, 220))
    assert browser.run("return arguments[0].value", {browser_module.ELEMENT: slider}) == "80"


def test_change_map_slider_sets_opacity(browser: Any, page: Path) -> None:
    browser.show(page)
    browser.click(browser.find("input[data-boxes]"))
    slider = browser.find("input[data-sets='--map']")
    browser.press(slider, "\ue010")  # End: full opacity
    assert is_near(stage_colour(browser, 0.9, 0.45), (229, 0, 125))
    browser.press(slider, "\ue011")  # Home: clear
    assert is_near(stage_colour(browser, 0.9, 0.45), (220, 0, 0))


def test_nothing_is_requested_and_nothing_is_refused(browser: Any, page: Path) -> None:
    browser.show(page)
    browser.requests(), browser.log("browser")
    browser.show(page)
    asked = [url for url in browser.requests() if not url.startswith("data:")]
    assert asked == [page.resolve().as_uri()]
    assert browser.log("browser") == [], "the page's own policy refused something"


@pytest.mark.parametrize("width", [360, 390, 768, 1280])
def test_no_sideways_scrolling(browser: Any, page: Path, width: int) -> None:
    browser.show(page, width=width, phone=width < 500)
    assert browser.run("return document.documentElement.scrollWidth") <= width


def test_dark_by_system_and_by_button(browser: Any, page: Path) -> None:
    paper = "return getComputedStyle(document.body).backgroundColor"
    browser.show(page, dark=True)
    dark = browser.run(paper)
    browser.show(page)
    light = browser.run(paper)
    assert dark != light
    browser.press(browser.find("[data-theme-switch]"), "\ue007")  # Enter
    assert browser.run(paper) == dark


def test_without_scripts_everything_is_readable(browser: Any, page: Path) -> None:
    browser.show(page, scripts=False)
    assert is_near(stage_colour(browser, 0.3, 0.2), (220, 0, 0))  # the query, whole
    shown = browser.run(
        "return [...document.querySelectorAll('.controls, .divider, [data-theme-switch]')]"
        ".filter(e => e.checkVisibility()).length"
    )
    assert shown == 0, "controls that do nothing are shown"
    assert "This part is new." in browser.run("return document.body.innerText")


def test_print_is_light_and_complete(browser: Any, page: Path) -> None:
    browser.show(page, dark=True)
    pdf = browser.pdf()
    assert pdf.startswith(b"%PDF") and 20_000 < len(pdf) < 3_000_000
