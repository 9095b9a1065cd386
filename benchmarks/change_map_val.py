"""Pixel F1 and lit share of the change map by edit kind, on photographs of ``photos/``.

    python benchmarks/change_map_val.py --split val --kinds seen --count 12 --seed 7

The transform given to the map is the exact one moved by ``--error`` pixels (a feature-based
estimate errs by about one). F1 is over all pixels of the query at the fixed threshold 128; "lit"
is the share of the query's pixels at or above it outside the truth.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from pathlib import Path

import cv2
import numpy as np

from originlens.bench.kinds import Kind, kinds
from originlens.core import geometry
from originlens.core.image import Image
from originlens.match import diff


def photographs(split: str) -> list[Path]:
    """Paths of ``photos/`` of a split."""
    root = Path(os.environ.get("ORIGINLENS_SHARED", Path(__file__).parents[2] / "shared")) / "data"
    with open(root / "manifest.csv", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["path"].startswith("photos/")]
    return [root / r["path"] for r in rows if r["split"] == split]


def wobbled(transform: np.ndarray, size: tuple[int, int], error: float, rng) -> np.ndarray:
    """The transform with its corners moved by about ``error`` pixels."""
    h, w = size
    corners = np.float32([[0, 0], [w, 0], [w, h], [0, h]])
    moved = corners + error * (rng.normal(0, 0.6, (4, 2)) + rng.normal(0, 0.5, (1, 2)))
    return geometry.normalised(cv2.getPerspectiveTransform(corners, np.float32(moved)) @ transform)


def measure(
    kind: Kind, paths: list[Path], options: argparse.Namespace
) -> tuple[list[float], list[float], float, float]:
    """F1, lit shares outside the truth, share of changed pixels and CPU ms per picture."""
    f1, lit, truth, spent = [], [], [], 0.0
    for i in range(options.count):
        rng = np.random.default_rng([options.seed, i, *kind.name.encode()])
        picture = Image.open(paths[i])
        others = [Image.open(p) for p in paths[-3 - 3 * i : -3 * i or None]]
        done = kind.apply(picture, rng, others=others)
        pixels = done.image.pixels
        transform = wobbled(done.transform, pixels.shape[:2], options.error, rng)
        start = time.process_time()
        found = diff.change_map(pixels, picture.pixels, transform) >= diff.THRESHOLD
        spent += time.process_time() - start
        mask = done.mask
        both = found.sum() + mask.sum()
        f1.append(2.0 * (found & mask).sum() / both if both else 1.0)
        lit.append(float((found & ~mask).mean()))
        truth.append(float(mask.mean()))
        if options.save:
            _save(
                options.save,
                f"{kind.name}_{i}_{f1[-1]:.2f}_{lit[-1]:.3f}",
                picture,
                pixels,
                found,
                mask,
            )
    return f1, lit, float(np.mean(truth)), 1000 * spent / options.count


def _save(folder: str, name: str, picture: Image, pixels, found, mask) -> None:
    """Original, query, map and truth side by side."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    original = cv2.resize(picture.pixels, pixels.shape[1::-1])
    panels = [original, pixels, *(np.dstack([m.astype(np.uint8) * 255] * 3) for m in (found, mask))]
    cv2.imwrite(f"{folder}/{name}.png", np.hstack(panels)[..., ::-1])


def main() -> None:
    """Print a line per kind and the two goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=("train", "val"), default="val")
    parser.add_argument("--kinds", choices=("seen", "held-out", "all"), default="seen")
    parser.add_argument("--only", help="names of kinds, comma-separated")
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--error", type=float, default=1.0)
    parser.add_argument("--save", help="folder for pictures of every case")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    paths = photographs(options.split)
    np.random.default_rng(options.seed).shuffle(paths)
    local, benign = [], []
    for kind in kinds(None if options.kinds == "all" else options.kinds):
        if options.only and kind.name not in options.only.split(","):
            continue
        f1, lit, truth, ms = measure(kind, paths, options)
        (local if truth > 0.0005 else benign).append((kind, f1, lit))
        shown = f"F1 mean {np.mean(f1):.3f} min {np.min(f1):.3f}" if truth > 0.0005 else " " * 21
        print(
            f"{kind.name:20s} {kind.split:9s} {kind.group:10s} truth {truth:.3f}  {shown}  "
            f"lit outside mean {np.mean(lit):.4f} max {np.max(lit):.4f}  {ms:.0f} ms",
            flush=True,
        )
    summary("F1, every kind with a mask", [f1 for _, f1, _ in local])
    summary("F1, group local", [f1 for kind, f1, _ in local if kind.group == "local"])
    summary("lit, benign kinds", [lit for kind, _, lit in benign if kind.benign])
    summary("lit, every kind without a mask", [lit for _, _, lit in benign])


def summary(title: str, rows: list[list[float]]) -> None:
    """Mean over kinds of the mean over pictures, and the worst kind's mean."""
    means = [float(np.mean(row)) for row in rows]
    if means:
        print(f"{title}: mean of {len(means)} kinds {np.mean(means):.4f}", end="; ")
        print(f"kinds from {min(means):.4f} to {max(means):.4f}")


if __name__ == "__main__":
    main()
