"""Conformance checks of kind "suite"."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from originlens.core.errors import UsageError
from originlens.core.registry import Method, methods
from originlens.testing._pictures import Checks, make, require, textured_image


def _cheapest(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """The system of the kinds that costs the least by its card, of those that run everywhere:
    without an extra and, a peer, without an environment of its own."""
    if "method" in kinds:
        return ("matcher:pdq",)
    found = [m for kind in kinds for m in methods(kind)]
    cards = [m.card for m in found if m.card.extra is None and not hasattr(m.cls, "peer")]
    return tuple(card.name for card in sorted(cards, key=lambda c: c.cost.ms_per_mpx)[:1])


def _setting(method: Method, place: str, pictures: int) -> Any:
    """What a suite needs little of: pictures, or as a manifest two classes of them."""
    from originlens.bench.outcome import Setting

    suite = make(method)
    systems, work = _cheapest(suite.system_kinds), str(Path(place) / "work")
    folder = Path(place) / "pictures"
    if suite.takes == "manifest":
        manifest = _manifest(folder, pictures)
        return Setting((), work, systems=systems, seed=3, manifest=manifest)
    paths = tuple(_picture(folder, number) for number in range(pictures))
    return Setting(paths, work, systems=systems, seed=3, each=1)


def _picture(folder: Path, number: int) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / f"{number}.png"
    path.write_bytes(textured_image(number, 120, 160).data)
    return str(path)


def _manifest(folder: Path, pictures: int) -> Any:
    """24 real and 24 fake pictures of two sources and two generators for 9, fewer for fewer."""
    from originlens.bench.protocols.manifest import Manifest, Row

    each = 24 * (pictures // 9)
    rows = []
    for number in range(2 * each or pictures):
        name, kind = Path(_picture(folder, number)).name, number // 2 % 2
        fake = Row(name, "fake", generator=("vae", "gan")[kind])
        real = Row(name, "real", source=("camera", "scanner")[kind])
        rows.append(fake if number % 2 else real)
    return Manifest(tuple(rows), folder)


def _suite_runs(method: Method) -> None:
    with tempfile.TemporaryDirectory() as place:
        setting = _setting(method, place, 9)
        outcome = make(method).run(setting)
        text = json.dumps(outcome.to_dict(), allow_nan=False)
        require(bool(outcome.tables) and bool(outcome.tables[0].rows), "no table, or an empty one")
        for table in outcome.tables:
            wide = {len(row) for row in table.rows}
            require(wide <= {len(table.columns)}, f"{table.title}: rows of {wide} cells")
        require(bool(outcome.rows), "no rows")
        again = make(method).run(setting)
        require(json.dumps(again.to_dict(), allow_nan=False) == text, "a second run differs")
        page = outcome.write(Path(place) / "out")
        require(outcome.suite in page.read_text("utf-8"), "the page does not name the suite")


def _suite_refuses(method: Method) -> None:
    with tempfile.TemporaryDirectory() as place:
        try:
            make(method).run(_setting(method, place, 1))
        except UsageError:
            return
    raise AssertionError("one picture is not refused by UsageError")


CHECKS: Checks = {"runs-and-goes-on": _suite_runs, "refuses-too-little": _suite_refuses}
