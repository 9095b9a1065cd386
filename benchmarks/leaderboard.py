"""The leaderboard of this repository: ``python benchmarks/leaderboard.py --split test --seed 7``.

Runs suites with every system that is installed here (``make peers`` first) and adds their tables to
``benchmarks/leaderboard.json`` and ``.md``. Runs are kept under ``benchmarks/.cache``, so that one
that was stopped goes on. The data is looked for in ``$ORIGINLENS_SHARED`` or ``../shared``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from _corpus import Corpus, shared_data  # noqa: E402

COPY = (
    "originlens", "descriptor", "sift-brute-force", "pdq", "pdqhash", "phash", "dhash",
    "imagededup-phash", "imagededup-dhash", "imagededup-ahash", "imagededup-whash",
)  # fmt: skip
MARKS = ("spread-spectrum", "dwt-dct", "dwt-dct-svd", "blind-watermark")
#: Suites with their systems (none: those that the suite proposes) and questions per edit.
RUNS = {
    "copy-quick": (COPY, None),
    "hard-negatives": (COPY, None),
    "edits": ((), 24),
    "watermark-wbench": (MARKS, 10),
}


def main() -> int:
    """Run what is left to run, and write the leaderboard."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", choices=("val", "test"), default="val")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", choices=tuple(RUNS), nargs="*", default=list(RUNS))
    parser.add_argument("--file", type=Path, default=HERE / "leaderboard.json")
    options = parser.parse_args()
    data = shared_data()
    if data is None:
        return 2
    from originlens.bench.leaderboard import Leaderboard, entries
    from originlens.bench.outcome import Setting
    from originlens.core.registry import make

    corpus = Corpus(data, options.split, options.seed)
    pictures = (*corpus.originals, *corpus.distractors[:400])
    views = tuple(view for views in corpus.subjects.values() for view in views)
    note = f"{options.split} split, commit {_commit()}"
    board = Leaderboard(options.file)
    for suite in options.only:
        systems, each = RUNS[suite]
        folder = HERE / ".cache" / f"leaderboard-{suite}-{options.split}-{options.seed}"
        shown = {"hard-negatives": views, "copy-quick": pictures}.get(
            suite, tuple(corpus.originals)
        )
        started = time.perf_counter()
        setting = Setting(shown, str(folder / "work"), systems, options.seed, each, options.jobs)
        outcome = make("suite", suite).run(setting)
        outcome.write(folder)
        for name, why in outcome.missing.items():
            print(f"{suite}: {name} was not measured: {why}")
        print(f"{suite}: {time.perf_counter() - started:.0f} s", flush=True)
        board.add(entries(folder, note=note))
        board.write()
    return 0


def _commit() -> str:
    """The commit that was run, and whether the tree was changed."""
    command = ["git", "-C", str(HERE), "describe", "--always", "--dirty", "--exclude", "*"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
