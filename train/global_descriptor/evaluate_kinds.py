"""Measure gem-v0: is the original near the edited copy, among the photographs of a split and train?

    python train/global_descriptor/evaluate_kinds.py --split val --kinds seen
    python train/global_descriptor/evaluate_kinds.py --split test --kinds held-out --every 1

References are the train photographs and the split's own; every ``--every``-th photograph of the
split is a query, once per edit kind, one whole-picture vector each (the product sends more views
and verifies). Choices were made on val with seen kinds; test with held-out kinds is for reports.
Intervals are Clopper-Pearson at 95 % (photographs within a kind are independent).
"""

from __future__ import annotations

import argparse

import numpy as np
import photos

from originlens.bench.kinds import Kind, kinds
from originlens.core.image import Image
from originlens.core.stats import clopper_pearson
from originlens.match.descriptors.gem_v0 import GemV0

DEPTHS = (1, 10, 20)


def described(descriptor: GemV0, paths: list) -> np.ndarray:
    """(N, 256) vectors of files, read a few at a time."""
    return np.concatenate(
        [
            descriptor.describe_batch([photos.read(p) for p in paths[i : i + 16]])
            for i in range(0, len(paths), 16)
        ]
    )


def ranks(descriptor: GemV0, kind: Kind, queries: list, references: np.ndarray) -> np.ndarray:
    """(N,) rank of query i's original, which is reference i; 0 is the nearest."""
    found = []
    for index, path in enumerate(queries):
        rng = np.random.default_rng([7, index])
        host = Image.from_array(photos.read(queries[(index + 1) % len(queries)]))
        copy = kind.apply(Image.from_array(photos.read(path)), rng, others=[host]).image.pixels
        similarity = references @ descriptor.describe_batch([copy])[0]
        found.append(int((similarity > similarity[index]).sum()))
    return np.array(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--split", choices=("val", "test"), default="val")
    parser.add_argument("--kinds", choices=("seen", "held-out"), default="seen")
    parser.add_argument("--every", type=int, default=4, help="take every n-th photograph as query")
    arguments = parser.parse_args()
    descriptor = GemV0()
    paths = photos.rows(arguments.split, shippable=True)
    queries = paths[:: arguments.every]
    others = sorted(set(paths) - set(queries)) + photos.rows("train", shippable=True)
    references = described(descriptor, queries + others)
    print(f"{len(queries)} queries a kind, {len(references)} references")
    print("| kind | R@1 | 95 % | R@10 | 95 % | R@20 | 95 % |\n|---|--:|---|--:|---|--:|---|")
    means = []
    for kind in kinds(arguments.kinds):
        rank = ranks(descriptor, kind, queries, references)
        cells = []
        for depth in DEPTHS:
            hits = int((rank < depth).sum())
            low, high = clopper_pearson(hits, len(rank))
            cells.append(f"{hits / len(rank):.3f} | {low:.3f}-{high:.3f}")
        means.append([(rank < depth).mean() for depth in DEPTHS])
        print(f"| {kind.name} | {' | '.join(cells)} |", flush=True)
    print("| mean | " + " | | ".join(f"{m:.3f}" for m in np.mean(means, axis=0)) + " | |")


if __name__ == "__main__":
    main()
