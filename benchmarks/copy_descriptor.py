"""Copy descriptor and matcher: ``python benchmarks/copy_descriptor.py --split test --seed 7``.

Prints every figure that the copy descriptor and the matcher are to reach as value, 95 % interval,
goal and PASS or FAIL, and exits 1 if one fails. ``--split val`` is for development; ``test``
pictures are never tuned on. Finished sections are kept, as those of ``main_job.py`` are.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import change_map
import descriptor_alone
import hard_negatives
import ndec
import patterns
import scale
import speed
import whole_matcher
from _corpus import Corpus
from _driver import Measure, run
from _lines import Section
from _queries import Setting


def _ingest(setting: Setting) -> Section:
    corpus = Corpus(setting.data, setting.split, setting.seed)
    return Section("ingest", speed.small(corpus, setting, least=45))


SECTIONS: dict[str, Measure] = {
    "descriptor": descriptor_alone.run,
    "cost": descriptor_alone.cost,
    "matcher": whole_matcher.run,
    "change_map": lambda setting: change_map.run(setting, least=0.8, thorough=True),
    "hard_negatives": lambda setting: hard_negatives.run(setting, most=0.02, thorough=True),
    "ndec": ndec.run,
    "patterns": patterns.run,
    "ingest": _ingest,
    "scale": lambda setting: scale.run(setting, most=300, thorough=True),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sections, print the table, write the JSON; 1 if any line fails."""
    return run("copy", __doc__.splitlines()[0], SECTIONS, arguments, models=True)


if __name__ == "__main__":
    sys.exit(main())
