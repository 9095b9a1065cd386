"""Measure gem-v0 alone: is the original among the nearest, by kind of edit?

    python train/global_descriptor/evaluate.py

References: the photographs of the val split and of the first 1 000 of the train split; queries:
edits of val photographs by the *seen* kinds of the bench. Two columns of rank: the whole query's
vector alone, and the best of all views that a search sends. The model card quotes the output.
"""

from __future__ import annotations

import argparse

import numpy as np
import photos

from originlens.bench.kinds import kinds
from originlens.core import stats
from originlens.core.image import Image
from originlens.match import views
from originlens.match.descriptors.gem_v0 import GemV0


def ranks(similarity: np.ndarray, truth: int) -> int:
    """Place of the true reference by its best view, from 0."""
    best = similarity.max(0)
    return int((best > best[truth]).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=12, help="per kind")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    descriptor = GemV0()
    val = photos.rows("val", shippable=False)
    references = val + photos.rows("train", shippable=False)[:1000]
    table = np.vstack(
        [
            descriptor.describe_batch([photos.read(p) for p in references[i : i + 64]])
            for i in range(0, len(references), 64)
        ]
    )
    outside = photos.rows("train", shippable=False)[1000:]
    rng = np.random.default_rng(arguments.seed)
    whole_hits, view_hits = [], []
    print(f"{'kind':22} whole @1  @12   views @1  @12   ({len(references)} references)")
    for kind in kinds("seen"):
        found = []
        for _ in range(arguments.queries):
            truth = int(rng.integers(len(val)))
            others = [Image.open(outside[int(k)]) for k in rng.integers(len(outside), size=4)]
            image = kind.apply(Image.open(val[truth]), rng, others=others).image
            pixels = image.reduced(512)
            whole = descriptor.describe_batch([pixels]) @ table.T
            boxes = [r.box for r in (*views.rectangles(pixels, 3), *views.tiles())]
            regions = descriptor.describe_regions(pixels, boxes) @ table.T
            found.append((ranks(whole, truth), ranks(np.vstack([whole, regions]), truth)))
        rank = np.array(found)
        share = [(rank[:, c] < k).mean() for c in (0, 1) for k in (1, 12)]
        print(f"{kind.name:22} {share[0]:8.2f} {share[1]:4.2f} {share[2]:10.2f} {share[3]:4.2f}")
        whole_hits += (rank[:, 0] < 12).tolist()
        view_hits += (rank[:, 1] < 12).tolist()
    for name, hits in (("whole", whole_hits), ("views", view_hits)):
        low, high = stats.clopper_pearson(sum(hits), len(hits))
        print(f"{name}: recall@12 {np.mean(hits):.4f} [{low:.4f}, {high:.4f}] of {len(hits)}")


if __name__ == "__main__":
    main()
