"""Measure what speaks for every candidate of many queries: the raw material of the decision model.

    python train/decision/collect.py --out .weights/decision --jobs 2
    python train/decision/fit.py --measured .weights/decision

Needs the photographs (``ORIGINLENS_SHARED``, else ``shared`` beside the checkout). Originals,
negatives and pasted pictures come from the train split, those for the calibration from the val
split; edits are the *seen* kinds of the bench only. Each part is one file: a run that was
interrupted goes on with the parts that are missing.
"""

from __future__ import annotations

import argparse
import csv
import os
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

SIZES = (20, 100, 1000, 4000)
REPOSITORY = Path(__file__).resolve().parents[2]


def photographs(split: str) -> list[Path]:
    """The photographs of a split in a fixed random order."""
    data = Path(os.environ.get("ORIGINLENS_SHARED", REPOSITORY.parent / "shared")) / "data"
    with open(data / "manifest.csv", newline="") as file:
        chosen = sorted(
            row["path"]
            for row in csv.DictReader(file)
            if row["path"].startswith("photos/") and row["split"] == split
        )
    np.random.default_rng(0).shuffle(chosen)
    return [data / path for path in chosen]


def build(folder: Path, paths: list[Path]) -> None:
    """An index of these pictures, unless it is there; its own calibration is not measured."""
    from originlens.core.errors import IndexMissing
    from originlens.match import calibration
    from originlens.match.index import Index

    try:
        with Index(folder) as index:
            if len(index.store) >= len(paths):
                return
    except IndexMissing:
        pass
    calibration.MIN_ASSETS = len(paths) + 1  # this run makes the shipped null: none to refine yet
    with Index(folder, "w") as index:
        for event in index.add(paths):
            if event.error is not None:
                raise event.error


def measure(part: tuple[str, str, Path, Path, int, int, bool]) -> None:
    """Run one part's queries and keep (kind, true asset, candidates) of each."""
    import cv2

    from originlens.bench.kinds import kind
    from originlens.core.image import Image
    from originlens.match import decision
    from originlens.match.index import Index

    cv2.setNumThreads(1)
    name, split, folder, out, references, count, is_null = part
    paths = photographs(split)
    outside = paths[max(SIZES) :] if split == "train" else paths[references:]
    rng = np.random.default_rng([len(name), references, count])
    found = []
    with Index(folder) as index:
        index.searcher.threads = 1
        for i in range(count):
            truth = None
            if is_null:
                image = Image.open(outside[i])
            else:
                edit = kind(name)
                original = Image.open(paths[int(rng.integers(references))])
                pool = paths[:references] if edit.others == "indexed" else outside
                drawn = rng.integers(len(pool), size=4)
                others = [Image.open(pool[int(k)]) for k in drawn]
                image = edit.apply(original, rng, others=others).image
                truth = original.sha256
            rows = [
                (row, decision.features(support), support)
                for row, support, _ in index.searcher.supports(image)
            ]
            shas = {r.row: r.sha256 for r in index.store.rows([row for row, *_ in rows])}
            found.append((name, [(shas[row] == truth, f, s) for row, f, s in rows]))
    temporary = out.with_suffix(".part")
    temporary.write_bytes(pickle.dumps(found))
    temporary.rename(out)
    print(f"{out.stem}: {count} queries", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--positives", type=int, default=16, help="queries per kind (train)")
    parser.add_argument("--negatives", type=int, default=300, help="queries per index size")
    arguments = parser.parse_args()
    from originlens.bench.kinds import kinds

    arguments.out.mkdir(parents=True, exist_ok=True)
    train, val = photographs("train"), photographs("val")
    parts = []
    for size in SIZES:
        folder = arguments.out / f"index-{size}"
        build(folder, train[:size])
        out = arguments.out / f"null-{size}.pkl"
        parts.append((f"null-{size}", "train", folder, out, size, arguments.negatives, True))
    kept = len(val) * 2 // 3
    build(arguments.out / "index-val", val[:kept])
    folder, out = arguments.out / "index-val", arguments.out / "val-null.pkl"
    parts.insert(
        0, ("val-null", "val", folder, out, kept, min(arguments.negatives, len(val) - kept), True)
    )
    for edit in kinds("seen"):
        folder = arguments.out / "index-1000"
        out = arguments.out / f"train-{edit.name}.pkl"
        parts.insert(0, (edit.name, "train", folder, out, 1000, arguments.positives, False))
        folder, out = arguments.out / "index-val", arguments.out / f"val-{edit.name}.pkl"
        parts.append((edit.name, "val", folder, out, kept, arguments.positives // 2, False))
    missing = [part for part in parts if not part[3].exists()]
    with ProcessPoolExecutor(arguments.jobs, mp_context=get_context("spawn")) as pool:
        list(pool.map(measure, missing))


if __name__ == "__main__":
    main()
