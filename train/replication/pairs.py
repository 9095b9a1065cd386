"""Make graded pairs of pictures: replicas of photographs, with the level that the rule gives them.

    python train/replication/pairs.py --out .weights/replication

Needs the photographs (``ORIGINLENS_SHARED``, else ``shared`` beside the checkout). Shippable rows
of the train split make the part ``fit``, those of the val split ``val`` (the same edits) and
``apart`` (edits and renderings that ``fit`` does not hold). Edits are attacks of the bench's *seen*
kinds and own renderings (``styles.py``); pairs of different photographs are of the sort
``unrelated`` or, the nearest by descriptor, ``near``. Replicas are saved once; a new descriptor
needs only ``measure.py`` and ``fit.py``.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "global_descriptor"))

import grades
import photos
import styles

from originlens.bench import Attacked
from originlens.bench.chains import parse
from originlens.bench.kinds import CODECS, SAVED
from originlens.core.image import Image

#: Edits of the part ``fit``; every step is an attack of a seen kind.
EDITS = {
    "save": "jpeg:0.1..0.6",
    "resize": "resize:0.2..0.6",
    "mirror": "mirror",
    "compressed": "jpeg:0.8..0.97",
    "greyscale": "greyscale:1",
    "blur": "blur:0.3..1",
    "noise": "noise:0.3..1",
    "rotate": "rotate:0.02..0.1",
    "stretch": "stretch:0.3..0.8",
    "text": "text:0.2..0.9",
    "border": "border:0.2..0.9",
    "removal": "removal:0.2..0.9",
    "local-recolour": "local-recolour:0.2..0.8",
    "crop": "crop:0.1..0.9",
    "paste": "paste:0.2..0.93",
    "crop-compressed": "crop:0.2..0.7+resize:0.3..0.6+jpeg:0.5..0.8",
    "repost": "border:0.3+text:0.3..0.6+resize:0.4+jpeg:0.6..0.8",
    "crop-text": "crop:0.3..0.6+text:0.3..0.7+greyscale:1",
    "crop-paste": "crop:0.3..0.8+paste:0.3..0.8",
}
#: A rendering of which a part is shown inside another picture.
PART_OF_RENDERED = "crop:0.1..0.7+paste:0.3..0.9"
APART = {
    "webp": "webp:0.3..0.9",
    "vignette": "vignette:0.3..0.9",
    "shear": "shear:0.3..0.8",
    "sticker": "sticker:0.3..0.8",
    "meme": "meme:0.3..0.8",
    "splice": "splice:0.2..1",
    "sticker-crop-shear": "sticker:0.4..0.8+crop:0.3..0.7+shear:0.3..0.6",
    "meme-paste": "meme:0.3..0.7+paste:0.3..0.8",
}
SIMILAR = ("grocery", "houses", "clothing_new", "trashnet", "appimage_shots")


@dataclass(frozen=True)
class Pair:
    """One graded pair: files, what was done, the grade and the truth behind it."""

    part: str
    sort: str
    original: str
    replica: str
    level: float
    share: float
    fidelity: float


def replicas(
    part: str, paths: list[Path], each: int, folder: Path, rng: np.random.Generator
) -> Iterator[Pair]:
    """``each`` pairs of every edit and rendering of a part."""
    edits, rendered = (APART, styles.APART) if part == "apart" else (EDITS, styles.FITTED)
    for name in [*edits, *rendered, "part-of-rendered"]:
        for number in range(each if name in edits else 2 * each):
            path = paths[int(rng.integers(len(paths)))]
            original = Image.open(path)
            others = [Image.open(paths[int(k)]) for k in rng.integers(len(paths), size=3)]
            if name in edits:
                done = _saved(edits[name], original, others, rng)
            elif name in rendered:
                done = _styled(rendered[name], original, others[0], rng)
            else:
                style = rendered[str(rng.choice([*rendered]))]
                done = _styled(style, original, others[0], rng)
                done = _saved(PART_OF_RENDERED, done.image, others[1:], rng)
            truth = grades.grade(original.pixels, done.image.pixels, done.transform, done.mask)
            file = folder / f"{part}-{name}-{number}.jpg"
            file.write_bytes(done.image.data)
            yield Pair(part, name, str(path), str(file), truth.level, truth.share, truth.fidelity)


def _saved(
    expression: str, original: Image, others: list[Image], rng: np.random.Generator
) -> Attacked:
    """The edits, with a final save where the last of them is none."""
    last = expression.rsplit("+", 1)[-1].partition(":")[0]
    chain = parse(expression + ("" if last in CODECS else SAVED))
    return chain.apply(original, rng, others=others)


def _styled(
    style: styles.Style, original: Image, other: Image, rng: np.random.Generator
) -> Attacked:
    pixels = style(original.pixels, other.pixels, float(rng.uniform(0.15, 0.95)), rng)
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, "JPEG", quality=int(rng.integers(70, 93)))
    image = Image(buffer.getvalue())
    return Attacked(image, np.eye(3), np.zeros((image.height, image.width), bool))


def unrelated(part: str, paths: list[Path], count: int, rng: np.random.Generator) -> Iterator[Pair]:
    """Different photographs, drawn at random."""
    for _ in range(count):
        a, b = rng.choice(len(paths), 2, replace=False)
        yield Pair(part, "unrelated", str(paths[a]), str(paths[b]), 0.0, 0.0, 0.0)


def near(part: str, paths: list[Path], count: int, rng: np.random.Generator) -> Iterator[Pair]:
    """Photographs of the same or of like things: nearest neighbours that are no copies.

    Their grade is measured like a replica's where a common plane is found, and held within
    ``grades.ANOTHER_VIEW``.
    """
    from originlens.core.registry import DEFAULT_DESCRIPTOR, make

    embedder = make("descriptor", DEFAULT_DESCRIPTOR, threads=1)
    verifier = make("verifier", "sift-magsac")
    pool = [p for p in paths if p.parent.name in SIMILAR]
    pool = [pool[i] for i in rng.permutation(len(pool))[:900]]
    vectors = np.stack([embedder.describe(Image.open(p)) for p in pool])
    similarity = vectors @ vectors.T
    np.fill_diagonal(similarity, -1)
    first = np.argsort(-similarity.max(1), kind="stable")[: 2 * count]
    found = 0
    for a in first:
        b = int(similarity[a].argmax())
        query, original = Image.open(pool[b]), Image.open(pool[a])
        laid = verifier.verify(verifier.features(query), verifier.features(original))
        if (laid.agreement > 0.6 and laid.inliers >= 12) or found == count:
            continue  # the same picture twice
        level = grades.ANOTHER_VIEW[0]
        if laid.transform is not None and laid.inliers >= 12:
            mask = np.zeros((query.height, query.width), bool)
            level = grades.grade(original.pixels, query.pixels, laid.transform, mask).level
        found += 1
        yield Pair(
            part, "near", str(pool[a]), str(pool[b]),
            float(np.clip(level, *grades.ANOTHER_VIEW)), 0.0, 0.0,
        )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--each", type=int, default=44, help="pairs of every edit (fit)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    folder = arguments.out / "replicas"
    folder.mkdir(parents=True, exist_ok=True)
    train, val = photos.rows("train", shippable=True), photos.rows("val", shippable=True)
    each = arguments.each
    found: list[Pair] = []
    for part, paths, size in (
        ("fit", train, each),
        ("val", val, each // 3),
        ("apart", val, each // 2),
    ):
        rng = np.random.default_rng([arguments.seed, len(part), size])
        found += replicas(part, paths, size, folder, rng)
        if part != "apart":
            found += unrelated(part, paths, 6 * size, rng)
            found += near(part, paths, 4 * size, rng)
        print(f"{part}: {sum(p.part == part for p in found)} pairs", flush=True)
    (arguments.out / "pairs.json").write_text(json.dumps([asdict(p) for p in found]))


if __name__ == "__main__":
    main()
