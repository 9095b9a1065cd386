"""Measure what speaks for every candidate of many queries: the raw material of the decision model.

    python train/decision/collect.py --out .weights/decision --jobs 2
    python train/decision/fit.py --measured .weights/decision

Needs the photographs (``ORIGINLENS_SHARED``, else ``shared`` beside the checkout). Originals,
negatives and pasted pictures come from the train split, those for the calibration from the val
split; edits are the *seen* kinds of the bench only. Each part is one file: a run that was
interrupted goes on with the parts that are missing. Parts: ``null-*`` and ``val-null`` (photographs
that are not indexed), ``views`` (indexed photographs of sources with look-alikes, themselves left
out: other photographs of the same things), ``*-chain`` (three to five seen kinds in turn),
``*-bent`` (warps that no kind uses, none of them reserved as unseen: a bent copy's points lie off
every plane transform, as another view's do) and one part for each seen kind.

The searches stop where the shipped ``decision.json`` is certain. Where its inputs have changed, put
weights for the new ones there first, then collect and fit twice.
"""

from __future__ import annotations

import argparse
import csv
import os
import pickle
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from originlens.core.image import Image

#: Sources that hold many photographs of the same or of very similar things.
SIMILAR = ("grocery", "houses", "clothing_new", "trashnet", "appimage_shots")
SIZES = (20, 100, 1000, 4000)
BENDS = ("barrel", "elastic", "ripple", "wave")
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


@dataclass(frozen=True)
class Part:
    """Queries of one sort against one index of the first ``references`` pictures of a split."""

    name: str
    sort: str
    split: str
    folder: Path
    out: Path
    references: int
    count: int


def measure(part: Part) -> None:
    """Run one part's queries and keep (sort, candidates) of each.

    A candidate is (is the original, features, support).
    """
    import cv2

    from originlens.match import decision
    from originlens.match.index import Index

    cv2.setNumThreads(1)
    found = []
    with Index(part.folder) as index:
        index.searcher.threads = 1
        for image, truth, left_out in _queries(part):
            rows = [r.row for sha in left_out for r in index.store.by_sha256(sha)]
            supports = index.searcher.supports(image, exclude=rows)
            shas = {r.row: r.sha256 for r in index.store.rows([row for row, *_ in supports])}
            found.append(
                (
                    part.sort,
                    [(shas[row] == truth, decision.features(s), s) for row, s, _ in supports],
                )
            )
    temporary = part.out.with_suffix(".part")
    temporary.write_bytes(pickle.dumps(found))
    temporary.rename(part.out)
    print(f"{part.out.stem}: {part.count} queries", flush=True)


def _queries(part: Part) -> Iterator[tuple[Image, str | None, list[str]]]:
    """(query, sha256 of its original, sha256 of pictures to leave out) of a part."""
    from originlens.core.image import Image

    paths = photographs(part.split)
    outside = paths[max(SIZES) :] if part.split == "train" else paths[part.references :]
    rng = np.random.default_rng([len(part.name), part.references, part.count])
    if part.sort == "null":
        for path in outside[: part.count]:
            yield Image.open(path), None, []
    elif part.sort == "views":
        alike = [p for p in paths[: part.references] if p.parent.name in SIMILAR]
        others = [p for p in paths[: part.references] if p.parent.name not in SIMILAR]
        same = duplicates()
        for path in [*alike[: part.count // 2], *others[: part.count // 2]]:
            image = Image.open(path)
            yield image, None, [image.sha256, *(Image.open(p).sha256 for p in same.get(path, ()))]
    else:
        for _ in range(part.count):
            original = Image.open(paths[int(rng.integers(part.references))])
            yield (
                _edited(original, part, paths[: part.references], outside, rng),
                (original.sha256),
                [],
            )


def _edited(
    original: Image, part: Part, indexed: list[Path], outside: list[Path], rng: np.random.Generator
) -> Image:
    """The picture after one seen kind, three to five that are drawn for a chain, or a warp."""
    from originlens.bench.chains import parse
    from originlens.bench.kinds import kind, kinds
    from originlens.core.image import Image

    if part.sort == "bent":
        return parse(f"{rng.choice(BENDS)}:0.1..0.6").apply(original, rng).image
    edits = [kind(part.sort)] if part.sort != "chain" else []
    if not edits:
        seen = kinds("seen")
        length = int(rng.integers(3, 6))
        edits = [seen[i] for i in rng.choice(len(seen), length, replace=False)]
    image = original
    for edit in edits:
        pool = indexed if edit.others == "indexed" else outside
        others = [Image.open(pool[int(k)]) for k in rng.integers(len(pool), size=4)]
        image = edit.apply(image, rng, others=others).image
    return image


def duplicates() -> dict[Path, list[Path]]:
    """Pictures that are copies of each other, found by eye among the best-scoring views."""
    data = Path(os.environ.get("ORIGINLENS_SHARED", REPOSITORY.parent / "shared")) / "data"
    found: dict[Path, list[Path]] = {}
    with open(Path(__file__).with_name("duplicates.csv"), newline="") as file:
        for row in csv.DictReader(file):
            first, second = data / row["first"], data / row["second"]
            found.setdefault(first, []).append(second)
            found.setdefault(second, []).append(first)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--positives", type=int, default=16, help="queries per kind (train)")
    parser.add_argument("--negatives", type=int, default=300, help="queries per index size")
    arguments = parser.parse_args()
    from originlens.bench.kinds import kinds

    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    train, val = photographs("train"), photographs("val")
    kept = len(val) * 2 // 3
    for size in SIZES:
        build(out / f"index-{size}", train[:size])
    build(out / "index-val", val[:kept])
    largest, middle, small = out / f"index-{max(SIZES)}", out / "index-1000", out / "index-val"
    few, many = arguments.positives // 2, arguments.positives
    parts = [
        Part("views", "views", "train", largest, out / "views.pkl", max(SIZES), 5 * many * 10),
        Part("train-chain", "chain", "train", middle, out / "train-chain.pkl", 1000, 10 * many),
        Part("val-chain", "chain", "val", small, out / "val-chain.pkl", kept, 10 * few),
        Part("train-bent", "bent", "train", middle, out / "train-bent.pkl", 1000, 4 * many),
        Part("val-bent", "bent", "val", small, out / "val-bent.pkl", kept, 4 * few),
    ]
    for edit in kinds("seen"):
        for split, folder, references, count in (
            ("train", middle, 1000, many),
            ("val", small, kept, few),
        ):
            file = out / f"{split}-{edit.name}.pkl"
            parts.append(Part(edit.name, edit.name, split, folder, file, references, count))
    unrelated = min(arguments.negatives, len(val) - kept)
    parts.append(Part("val-null", "null", "val", small, out / "val-null.pkl", kept, unrelated))
    for size in SIZES:
        folder, file = out / f"index-{size}", out / f"null-{size}.pkl"
        parts.append(Part(f"null-{size}", "null", "train", folder, file, size, arguments.negatives))
    missing = [part for part in parts if not part.out.exists()]
    with ProcessPoolExecutor(arguments.jobs, mp_context=get_context("spawn")) as pool:
        list(pool.map(measure, missing))


if __name__ == "__main__":
    main()
