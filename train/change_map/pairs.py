"""Training pairs of the change map: seen edits of photographs, as features and truth.

    python train/change_map/pairs.py --split train --count 4000 --out pairs-train.npz

Only ``kinds("seen")`` and generic colour and codec changes are used; pictures come from the
``photos/`` folder of the shared data (path in ORIGINLENS_SHARED, else ../shared).
"""

from __future__ import annotations

import argparse
import csv
import io
import os
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Pillow

from originlens.bench.chains import parse
from originlens.core import geometry
from originlens.core.image import Image
from originlens.match._alignment import align
from originlens.match._deviation import deviation

SIDE = 144  # of the stored crops
LOCAL = (
    "splice:0.05..0.6",
    "removal:0.1..0.6",
    "local-recolour:0.05..0.6",
    "text:0.1..0.7",
    "sticker:0.1..0.7",
    "meme:0.2..0.7",
)
PLANE = (
    "crop:0.1..0.5",
    "rotate:0.01..0.12",
    "mirror",
    "border:0.1..0.6",
    "paste:0.3..0.7",
    "stretch:0.1..0.8",
    "shear:0.1..0.6",
    "resize:0.2..0.6",
)
TONE = ("greyscale:1", "vignette:0.2..0.9", "blur:0.2..0.7", "noise:0.2..0.7")


def shared() -> Path:
    """The shared data folder."""
    root = os.environ.get("ORIGINLENS_SHARED", Path(__file__).parents[3] / "shared")
    return Path(root) / "data"


def photographs(split: str) -> list[Path]:
    """Paths of ``photos/`` of a split, in manifest order."""
    with open(shared() / "manifest.csv", newline="") as file:
        rows = [r for r in csv.DictReader(file) if r["path"].startswith("photos/")]
    return [shared() / r["path"] for r in rows if r["split"] == split]


def recoloured(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random curve per channel after a random 3x3 matrix: a generic global colour change."""
    x = pixels.astype(np.float32) / 255
    strength = rng.uniform(0, 1)
    matrix = np.eye(3) + strength * rng.normal(0, 0.18, (3, 3))
    x = np.clip(x @ matrix.T * rng.uniform(1 - 0.3 * strength, 1 + 0.3 * strength), 0, 1)
    gamma = np.exp(strength * rng.normal(0, 0.3, 3) + strength * rng.normal(0, 0.3))
    x = np.clip((x**gamma - 0.5) * np.exp(strength * rng.normal(0, 0.35)) + 0.5, 0, 1)
    return np.rint(x * 255).astype(np.uint8)


def recompressed(pixels: np.ndarray, rng: np.random.Generator, low: float = 8) -> np.ndarray:
    """JPEG (or WebP) at a random quality."""
    quality = int(np.clip(low + (98 - low) * rng.beta(1.3, 1.0), 5, 98))
    if low < 20 and rng.random() < 0.25:
        quality = int(rng.integers(7, 22))
    buffer = io.BytesIO()
    if rng.random() < 0.85:
        Pillow.fromarray(pixels).save(
            buffer, "JPEG", quality=quality, subsampling=int(rng.choice([0, 2], p=[0.3, 0.7]))
        )
    else:
        Pillow.fromarray(pixels).save(buffer, "WEBP", quality=quality)
    return np.asarray(Pillow.open(buffer).convert("RGB"))


def wobbled(transform: np.ndarray, size: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The transform with the error of a feature-based estimate: corners off by up to ~2 pixels."""
    spread = rng.choice([0.0, 0.5, 1.0, 1.6], p=[0.2, 0.3, 0.3, 0.2])
    h, w = size
    corners = np.float32([[0, 0], [w, 0], [w, h], [0, h]])
    moved = corners + spread * (rng.normal(0, 0.6, (4, 2)) + rng.normal(0, 0.5, (1, 2)))
    return geometry.normalised(cv2.getPerspectiveTransform(corners, np.float32(moved)) @ transform)


def example(paths: list[Path], rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """(query, original, transform, mask) of one random edit."""
    picture, *donors = (
        np.asarray(Pillow.open(paths[i]).convert("RGB"))
        for i in rng.choice(len(paths), 3, replace=False)
    )
    if rng.random() < 0.35:  # larger pictures: coarser content per pixel
        factor = rng.uniform(1.2, 2.2)
        picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        picture = np.clip(picture + rng.normal(0, rng.uniform(0, 4), picture.shape), 0, 255)
        picture = np.rint(picture).astype(np.uint8)[:360, :360]
    steps = []
    if rng.random() < 0.68:
        steps += list(
            rng.choice(
                LOCAL,
                1 if rng.random() < 0.75 else 2,
                replace=False,
                p=[0.25, 0.2, 0.2, 0.15, 0.12, 0.08],
            )
        )
    if rng.random() < 0.45:
        steps.insert(int(rng.integers(len(steps) + 1)), str(rng.choice(PLANE)))
    if rng.random() < 0.3:
        steps.append(str(rng.choice(TONE)))
    others = [Image.from_array(d) for d in donors]
    source = Image.from_array(picture)
    if steps:
        done = parse("+".join(steps)).apply(source, rng, others=others)
        query, transform, mask = done.image.pixels, done.transform, done.mask
    else:
        query, transform, mask = picture, np.eye(3), np.zeros(picture.shape[:2], bool)
    if rng.random() < 0.5:
        query = recoloured(query, rng)
    if rng.random() < 0.85:
        query = recompressed(query, rng)
    if rng.random() < 0.35:  # the original is known as a proxy only
        full = picture.shape[:2]
        factor = float(rng.choice([1.0, rng.uniform(0.5, 1.0)]))
        size = (max(32, round(full[1] * factor)), max(32, round(full[0] * factor)))
        picture = recompressed(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), rng, 75)
        transform = transform @ geometry.scaling(picture.shape[:2], full)
    return query, picture, wobbled(transform, query.shape[:2], rng), mask


def features(paths: list[Path], rng: np.random.Generator) -> tuple[np.ndarray, ...] | None:
    """Crops of fine (S, S, 7) and coarse (S/2, S/2, 10) features, target and care (S, S)."""
    query, original, transform, mask = example(paths, rng)
    aligned = align(query, original, transform)
    h, w = aligned.explained.shape
    if min(h, w) < 48 or aligned.explained.mean() < 0.1:
        return None
    target = cv2.resize(mask.astype(np.float32), (w, h), interpolation=cv2.INTER_AREA)
    found = deviation(aligned)
    fine, coarse = found.fine, found.coarse
    bottom, right = max(0, SIDE - h), max(0, SIDE - w)
    inside = np.pad(aligned.explained, ((0, bottom), (0, right)))
    target = np.pad(target, ((0, bottom), (0, right)))
    fine = np.pad(fine, ((0, bottom), (0, right), (0, 0)), mode="symmetric")
    need = (fine.shape[0] + 1) // 2 - coarse.shape[0], (fine.shape[1] + 1) // 2 - coarse.shape[1]
    coarse = np.pad(coarse, ((0, need[0]), (0, need[1]), (0, 0)), mode="symmetric")
    # Crop where something happened, if anything did.
    y = int(rng.integers(0, fine.shape[0] - SIDE + 1)) // 2 * 2
    x = int(rng.integers(0, fine.shape[1] - SIDE + 1)) // 2 * 2
    rows = np.argwhere((target > 0.5) & inside)
    if len(rows) and rng.random() < 0.7:
        cy, cx = rows[rng.integers(len(rows))] - rng.integers(SIDE // 4, 3 * SIDE // 4, 2)
        y = int(np.clip(cy, 0, fine.shape[0] - SIDE)) // 2 * 2
        x = int(np.clip(cx, 0, fine.shape[1] - SIDE)) // 2 * 2
    part = np.s_[y : y + SIDE, x : x + SIDE]
    half = np.s_[y // 2 : (y + SIDE) // 2, x // 2 : (x + SIDE) // 2]
    return (
        fine[part].astype(np.float16),
        coarse[half].astype(np.float16),
        (target[part] * 255).astype(np.uint8),
        inside[part],
    )


def main() -> None:
    """Write ``--count`` examples to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=("train", "val"), default="train")
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rng = np.random.default_rng(options.seed)
    paths = photographs(options.split)
    rows = []
    while len(rows) < options.count:
        row = features(paths, rng)
        if row is not None:
            rows.append(row)
    fine, coarse, target, care = (np.stack(column) for column in zip(*rows, strict=True))
    np.savez(options.out, fine=fine, coarse=coarse, target=target, care=care)
    print(f"{len(rows)} examples, {target.mean() / 255:.3f} of the pixels changed")


if __name__ == "__main__":
    main()
