"""The main job, measured: ``python benchmarks/main_job.py --split test --seed 7 --json out.json``.

Prints every figure that the project promises as value, 95 % interval, goal and PASS or FAIL, and
exits 1 if one fails. ``--split val`` is for development; ``test`` pictures are never tuned on. The
data is looked for in ``$ORIGINLENS_SHARED`` or ``../shared`` beside the checkout. Finished sections
are kept under ``benchmarks/.cache`` for the same code, so an interrupted run goes on where it was.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from _driver import Measure, run
from _lines import Section
from _queries import Setting

SECTIONS = (
    "quality",
    "hard_negatives",
    "false_positives",
    "change_map",
    "speed",
    "scale",
    "reliability",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sections, print the table, write the JSON; 1 if any line fails."""
    sections = {name: _measure(name) for name in SECTIONS}
    return run("main-job", __doc__.splitlines()[0], sections, arguments)


def run_alone(name: str) -> None:
    """Run one section as a script: ``python benchmarks/quality.py --split val``."""
    sys.exit(main(["--only", name, *sys.argv[1:]]))


def _measure(name: str) -> Measure:
    """The section that the module of that name measures; imported when it is run."""

    def measure(setting: Setting) -> Section:
        section: Section = importlib.import_module(name).run(setting)
        return section

    return measure


if __name__ == "__main__":
    sys.exit(main())
