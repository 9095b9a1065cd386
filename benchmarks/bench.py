"""The bench, measured: ``python benchmarks/bench.py --split test --seed 7 --json out.json``.

Prints every figure that the bench itself promises as value, 95 % interval, goal and PASS or FAIL,
and exits 1 if one fails. The data is looked for in ``$ORIGINLENS_SHARED`` or ``../shared`` beside
the checkout.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "support")]

from _corpus import Corpus, shared_data  # noqa: E402
from _lines import Line, Section, proportion, table  # noqa: E402
from _references import largest_differences  # noqa: E402

#: Attacks whose cost is a few passes over the pixels: what pipelines run by the million.
LIGHT = (
    "blur", "colour", "crop", "flip", "gamma", "greyscale", "invert", "jpeg", "mirror", "posterise",
    "resize", "rotate90", "sepia", "waves-brightness", "waves-contrast", "waves-erasing",
)  # fmt: skip
PICTURES, SIDE = 240, (374, 535)
SYSTEMS = ("originlens", "pdq", "phash")
SUITES = (
    "copy-quick", "copy-full", "copy-patterns", "hard-negatives", "edits", "synthesis",
    "watermark-waves", "watermark-wbench", "robust-inputs", "speed",
)  # fmt: skip
#: What is promised and shown by tests alone.
TESTED = {
    "a new attack, one file, is in CLI, docs and suites": ["tests/bench/test_new_attack.py"],
    "WAVES ranges and combinations": ["tests/bench/test_waves.py", "tests/bench/test_points.py"],
    "twelve layouts on trees of the documented shape": ["tests/bench/protocols/test_layouts.py"],
    "every suite runs, goes on and says the same again": [
        "tests/test_conformance.py",
        "-k",
        "suite-",
    ],
}


def main() -> int:
    """Measure everything, print the table, write the JSON; 1 if a line fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", choices=("val", "test"), default="val")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    data = shared_data()
    if data is None:
        return 2
    corpus = Corpus(data, options.split, options.seed)
    sections = [
        Section("suite", _suite(corpus, options.seed, options.jobs)),
        Section("attacks", _attacks(options.jobs)),
        Section("metrics", _metrics(options.seed)),
        Section("audit", _audit(options.seed)),
        Section("catalogue", _catalogue()),
    ]
    print(table(sections))
    failed = [line.name for s in sections for line in s.lines if line.verdict == "FAIL"]
    print(f"\n{len(failed)} FAIL" + (f": {'; '.join(failed)}" if failed else ""))
    if options.json:
        report = [{"name": s.name, "lines": [x.to_dict() for x in s.lines]} for s in sections]
        Path(options.json).write_text(json.dumps(report, indent=1), encoding="utf-8")
    return 1 if failed else 0


def _suite(corpus: Corpus, seed: int, jobs: int) -> list[Line]:
    """``copy-quick`` compares three systems in one table, in under three minutes."""
    from originlens.bench.outcome import Setting
    from originlens.core.registry import make

    pictures = (*corpus.originals, *corpus.distractors[:400])
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(pictures, folder, SYSTEMS, seed, jobs=jobs)
        started = time.perf_counter()
        outcome = make("suite", "copy-quick").run(setting)
        seconds = time.perf_counter() - started
        outcome.write(Path(folder) / "out")
        started = time.perf_counter()
        again = make("suite", "copy-quick").run(setting)
        repeated = time.perf_counter() - started
    rows = {row[0]: row for row in outcome.tables[0].rows}
    lines = [
        Line("copy-quick: systems in one table", len(rows), goal=(">=", 3), note=", ".join(rows)),
        Line("copy-quick: wall time", seconds, goal=("<", 180), unit="s"),
        Line("copy-quick again, all answers kept", repeated, unit="s"),
        Line(
            "copy-quick: a second run says the same",
            float(again.to_dict() == outcome.to_dict()),
            goal=(">=", 1),
        ),
    ]
    for name, row in rows.items():
        for column, value in zip(outcome.tables[0].columns[1:5], row[1:5], strict=True):
            lines.append(Line(f"copy-quick: {name}, {column}", value.value, value.low, value.high))
    return lines


def _attacks(jobs: int) -> list[Line]:
    """Light attacks per second over two processes, each the slowest counted with the rest."""
    from originlens.bench.attacks._unseen import UNSEEN
    from originlens.core.registry import methods

    cards = [m.card for m in methods("attack")]
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        list(pool.map(_attack_some, range(jobs), [4] * jobs))  # starts processes, loads libraries
        started = time.perf_counter()
        counts = list(pool.map(_attack_some, range(jobs), [PICTURES] * jobs))
        seconds = time.perf_counter() - started
    return [
        Line("attacks registered", len(cards), goal=(">=", 60)),
        Line("attacks reserved as unseen", len(UNSEEN), goal=(">=", 12)),
        Line(
            f"light attacks, 0.2 MP pictures per second, {jobs} processes",
            sum(counts) / seconds,
            goal=(">=", 500),
            note=f"{len(LIGHT)} attacks in turn, {sum(counts)} pictures, strength 0.5",
        ),
    ]


def _catalogue() -> list[Line]:
    """Suites, peers in environments of their own, and what tests show."""
    from originlens.bench.environments import environments
    from originlens.core.registry import methods

    known = {m.card.name for m in methods("suite")}
    lines = [
        Line(
            "suites of the issue that are there",
            len(known & set(SUITES)),
            goal=(">=", len(SUITES)),
            note=", ".join(sorted(set(SUITES) - known)),
        )
    ]
    peers = environments()
    missing = [f"{peer.name}: {peer.why_missing}" for peer in peers if not peer.installed]
    note = "; ".join(missing) or ", ".join(peer.name for peer in peers)
    lines.append(
        Line("peers installed (of " + f"{len(peers)})", len(peers) - len(missing), note=note)
    )
    for what, chosen in TESTED.items():
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *chosen]
        done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, check=False)
        summary = done.stdout.strip().splitlines()[-1:]
        lines.append(
            Line(what, float(done.returncode == 0), goal=(">=", 1), note=" ".join(summary))
        )
    return lines


def _attack_some(number: int, count: int) -> int:
    """Attack ``count`` pictures of 0.2 MP with each light attack in turn."""
    import cv2

    from originlens.core.image import Image
    from originlens.core.registry import make

    cv2.setNumThreads(1)
    rng = np.random.default_rng(number)
    small = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
    pixels = cv2.resize(small, SIDE[::-1], interpolation=cv2.INTER_CUBIC)
    image = Image.from_array(np.asarray(pixels, np.uint8))
    attacks = [make("attack", name) for name in LIGHT]
    for turn in range(count):
        attacks[turn % len(attacks)].apply(image, 0.5, rng)
    return count


def _metrics(seed: int) -> list[Line]:
    """Largest differences from scikit-learn, scikit-image, scipy and faiss."""
    return [
        Line(f"{name}: largest difference", value, goal=("<=", 1e-9))
        for name, value in largest_differences(seed).items()
    ]


def _audit(seed: int) -> list[Line]:
    """The shortcut audit flags PNG against JPEG, and is silent once the set is equalised."""
    from toy_sets import jpeg, png, toy

    from originlens.bench.protocols.equalise import Recipe, equalise
    from originlens.bench.protocols.shortcut import audit

    flagged, silent, rounds = 0, 0, 10
    for number in range(rounds):
        rng = np.random.default_rng([seed, number])
        with tempfile.TemporaryDirectory() as folder:
            leaky = toy(Path(folder) / "leaky", rng, {"real": png, "fake": jpeg})
            flagged += audit(leaky, rng).leaks
            fair = equalise(leaky, Path(folder) / "fair", Recipe(side=32), seed=number).manifest
            silent += not audit(fair, rng).leaks
    return [
        proportion("PNG-against-JPEG sets that the audit flags", flagged, rounds, (">=", 1.0)),
        proportion("the same sets equalised on which it is silent", silent, rounds, (">=", 1.0)),
    ]


if __name__ == "__main__":
    sys.exit(main())
