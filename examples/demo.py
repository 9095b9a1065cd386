"""The main job in one minute: index photographs, find edited copies of them, show what changed.

Uses the photographs that ship inside scikit-image and scikit-learn; nothing is downloaded. The two
views of the Middlebury motorcycle serve as a hard negative: the left one is indexed, the right one
shows the same scene and must not be called a copy. The flower is not indexed at all.

    python examples/demo.py [--out FOLDER] [--no-browser]

Exit code 0 only if every answer is the expected one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
import webbrowser
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

import originlens
from originlens.bench.chains import parse
from originlens.core.evidence import Relation, SearchResult
from originlens.surfaces.html import ReportPage, originals_of

SEED = 7
CREDIT = "sample photographs of scikit-image and scikit-learn"
INDEXED = (
    "astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "china.jpg",
    "clock_motion.png", "coffee.png", "coins.png", "grass.png", "gravel.png",
    "hubble_deep_field.jpg", "ihc.png", "moon.png", "motorcycle_left.png", "page.png",
    "retina.jpg", "rocket.jpg", "text.png",
)  # fmt: skip
NOT_INDEXED = ("flower.jpg", "motorcycle_right.png")


@dataclass(frozen=True, slots=True)
class Case:
    """An edit to make, in words and as a chain of attacks, and what the search must answer."""

    words: str
    source: str
    chain: str | None
    relations: tuple[Relation, ...] = ("copy",)

    @property
    def asset(self) -> str | None:
        """Id of the original that must come first; None where nothing may be called a copy."""
        return self.source.partition(".")[0] if "copy" in self.relations else None


HEAVY = "crop:0.4+mirror+colour:0.5+text:0.4+border:0.3+resize:0.4+jpeg:0.6"
CASES = (
    Case("half of it, with text", "coffee.png", "crop:0.5+text:0.4+jpeg:0.2"),
    Case("mirrored, colours shifted", "china.jpg", "mirror+colour:0.8+jpeg:0.2"),
    Case("JPEG quality 10", "rocket.jpg", "jpeg:0.9"),
    Case("pasted into another picture", "astronaut.png", "paste:0.5+jpeg:0.15"),
    Case("turned by 15 degrees", "chelsea.png", "rotate:0.083+jpeg:0.15"),
    Case("a quarter of the size", "hubble_deep_field.jpg", "resize:0.75+jpeg:0.2"),
    Case("meme: caption bars", "ihc.png", "meme:0.6+jpeg:0.2"),
    Case("photographed at an angle", "retina.jpg", "perspective:0.5+jpeg:0.2"),
    Case("screen shot of a post", "coins.png", "screenshot:0.5+jpeg:0.2"),
    Case("a part replaced", "motorcycle_left.png", "splice:0.5+jpeg:0.2"),
    Case("turned a quarter, grey", "page.png", "rotate90+greyscale:1+jpeg:0.2"),
    Case("crop, mirror, colour, text, frame", "astronaut.png", HEAVY),
    Case("edited, but never indexed", "flower.jpg", "crop:0.3+jpeg:0.2", ("none",)),
    Case("same scene, other viewpoint", "motorcycle_right.png", None, ("related", "none")),
)  # fmt: skip


def photographs() -> dict[str, Path]:
    """The photographs of the two packages by file name.

    Raises:
        SystemExit: one of the packages or files is missing.
    """
    found: dict[str, Path] = {}
    for package, folder in (("skimage", "data"), ("sklearn", "datasets/images")):
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            sys.exit("the sample photographs are missing: pip install 'originlens[demo]'")
        files = (Path(spec.origin).parent / folder).iterdir()
        found |= {file.name: file for file in files}
    missing = [name for name in (*INDEXED, *NOT_INDEXED) if name not in found]
    if missing:
        sys.exit(f"this release of the packages lacks {', '.join(missing)}")
    return found


def edited(photos: dict[str, Path], folder: Path) -> Iterator[tuple[Case, Path]]:
    """Make every case's query as a file."""
    folder.mkdir(parents=True)
    host = originlens.Image.open(photos["flower.jpg"])
    for number, case in enumerate(CASES, start=1):
        image = originlens.Image.open(photos[case.source])
        if case.chain is not None:
            rng = np.random.default_rng([SEED, number])
            image = parse(case.chain).apply(image, rng, others=[host]).image
        path = folder / f"{number:02d}-{case.source.partition('.')[0]}.{image.format.lower()}"
        path.write_bytes(image.data)
        yield case, path


def is_right(case: Case, result: SearchResult) -> bool:
    """Whether the decision, and for copies the original, is the expected one."""
    if result.decision not in case.relations:
        return False
    return case.asset is None or result.matches[0].asset == case.asset


def row(case: Case, result: SearchResult) -> tuple[str, ...]:
    """The table's line for one answer."""
    best = result.matches[0] if result.matches else None
    found = result.decision
    if best is not None and result.decision != "none":
        found = (
            f"{result.decision} of {best.asset}" if found == "copy" else f"{found}: {best.asset}"
        )
    expected = f"copy of {case.asset}" if case.asset else " or ".join(case.relations)
    edits = ", ".join(dict.fromkeys(e.name for e in best.edits)) if best and case.asset else ""
    probability = "" if best is None else f"{best.probability:.3f}"
    verdict = "[green]right[/]" if is_right(case, result) else "[red]WRONG[/]"
    return case.words, expected, found, probability, edits, f"{result.ms:.0f}", verdict


def run(out: Path, console: Console) -> bool:
    """Index, edit, search, report; True if every answer is right."""
    photos = photographs()
    for made in ("index", "found"):
        shutil.rmtree(out / made, ignore_errors=True)
    started = time.perf_counter()
    with originlens.Index(out / "index", mode="w") as index:
        files = [photos[name] for name in INDEXED]
        events = list(index.add(files, id_from="NAME", meta={"credit": CREDIT}))
    failed = [event for event in events if event.error is not None]
    for event in failed:
        console.print(f"not indexed: {event.path}: {event.error}")
    console.print(f"indexed {len(events)} photographs in {time.perf_counter() - started:.1f} s")

    table = Table(title="Edited copies, searched in the index", title_justify="left")
    for heading in ("query", "expected", "found", "probability", "edits named", "ms", ""):
        table.add_column(heading, justify="right" if heading in ("probability", "ms") else "left")
    right = 0
    with originlens.Index(out / "index") as index:
        index.searcher.warm_up()
        page = ReportPage(out / "report.html", expected=len(CASES), originals=originals_of(index))
        with page:
            for case, path in edited(photos, out / "found"):
                image = originlens.Image.open(path)
                result = index.search(image, top=3, diff=True)
                page.add(result, image)
                right += is_right(case, result)
                table.add_row(*row(case, result))
    console.print(table)
    console.print(f"{right} of {len(CASES)} answers are right")
    return right == len(CASES) and not failed


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("demo-out"), help="default: demo-out")
    parser.add_argument("--no-browser", action="store_true", help="do not open the report")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 132)
    all_right = run(options.out, console)
    report = (options.out / "report.html").resolve()
    console.print(f"report: {report}", soft_wrap=True)
    has_display = (
        sys.platform in ("darwin", "win32")
        or os.environ.get("DISPLAY")
        or os.environ.get("WAYLAND_DISPLAY")
    )
    if has_display and sys.stdout.isatty() and not os.environ.get("CI") and not options.no_browser:
        webbrowser.open(report.as_uri())
    return 0 if all_right else 1


if __name__ == "__main__":
    sys.exit(main())
