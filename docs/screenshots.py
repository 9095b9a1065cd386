"""Takes the pictures of the report that README and docs show, from the demo's results.

Needs chromium, chromedriver and pdftoppm. Run the demo first:

    python examples/demo.py --no-browser && python docs/screenshots.py
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image as Pillow

import originlens
from originlens.surfaces.html import originals_of, search_report

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "surfaces"))

from browser import Browser  # noqa: E402  the driver that the tests use

DEMO = ROOT / "demo-out"
IMAGES = ROOT / "docs" / "images"
SHOWN = "12-astronaut.jpeg"


def saved(data: bytes, name: str, *, height: int, width: int) -> None:
    """A screenshot's upper part, small enough for a README."""
    with Pillow.open(io.BytesIO(data)) as shot:
        part = shot.convert("RGB").crop((0, 0, shot.width, min(height, shot.height)))
    part.thumbnail((width, 10_000), Pillow.Resampling.LANCZOS)
    target = IMAGES / name
    part.save(target, quality=88, optimize=True, progressive=True)
    print(
        f"{target.relative_to(ROOT)}: {part.width} x {part.height}, {target.stat().st_size} bytes"
    )


def main() -> None:
    """One report in four forms, and the list of many."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    os.chdir(DEMO)  # so that reports name files as a reader would, not by this machine's paths
    with tempfile.TemporaryDirectory() as folder, originlens.Index("index") as index:
        result = index.search(Path("found") / SHOWN, top=3, diff=True)
        page = search_report([result], Path(folder) / "one.html", originals=originals_of(index))
        with Browser() as browser:
            browser.show(page)
            saved(browser.picture(), "report-light.jpg", height=1500, width=1000)
            browser.show(page, dark=True)
            saved(browser.picture(), "report-dark.jpg", height=1500, width=1000)
            browser.show(page, width=390, height=844, phone=True)
            saved(browser.picture(), "report-phone.jpg", height=1900, width=390)
            browser.show(page)
            (Path(folder) / "one.pdf").write_bytes(browser.pdf())
            browser.show(Path("report.html"))
            saved(browser.picture(), "report-list.jpg", height=1250, width=1000)
        command = ["pdftoppm", "-r", "80", "-png", "-f", "1", "-l", "1", "-singlefile"]
        subprocess.run([*command, f"{folder}/one.pdf", f"{folder}/one"], check=True)
        saved((Path(folder) / "one.png").read_bytes(), "report-print.jpg", height=2000, width=700)


if __name__ == "__main__":
    main()
