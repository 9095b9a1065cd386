"""Fit the projection and the words of local features; writes local_words.json.

    python train/local_words/fit.py

Needs the photographs (``ORIGINLENS_SHARED``, else ``shared`` beside the checkout): points of the
train split's shippable ones, and of copies edited by the *seen* kinds of the bench. Prints what the
file's record must say, and on 150 further photographs of the train split how often points of one
spot meet in a list. About four minutes on one core.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

import faiss
import numpy as np
from pairs import Pair, pairs

from originlens.match.local import coding

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "global_descriptor"))
import photos

DESTINATION = Path(coding.__file__).parents[1] / "weights" / coding.WEIGHTS.file
CHECKED = 150
STOPPED = 150
_RIDGE = 0.01  # of the mean variance, added to the variance within spots


def projection(fitted: list[Pair]) -> tuple[np.ndarray, np.ndarray]:
    """Mean (128,) and discriminant directions (128, BITS) of unit variance within spots."""
    first = np.concatenate([p.asset[p.same[:, 0]] for p in fitted])
    second = np.concatenate([p.query[p.same[:, 1]] for p in fitted])
    every = np.concatenate([p.asset for p in fitted])
    within = np.cov((first - second).T) / 2
    within += _RIDGE * np.trace(within) / len(within) * np.eye(len(within))
    values, vectors = np.linalg.eigh(within)
    whitening = vectors / np.sqrt(values)
    ratio, turned = np.linalg.eigh(whitening.T @ np.cov(every.T) @ whitening)
    order = np.argsort(-ratio)[: coding.BITS]
    print("variance among spots over variance within:", np.round(ratio[order][::8], 1))
    return every.mean(0), whitening @ turned[:, order]


def codebooks(components: np.ndarray) -> np.ndarray:
    """(2, 256, 8): k-means of the even and of the odd ones of the first 16 components."""
    found = []
    for half in range(coding.HALVES):
        part = components[:, half : coding.WORD_COMPONENTS : coding.HALVES]
        means = faiss.Kmeans(part.shape[1], coding.CENTRES, niter=20, seed=1)
        means.train(np.ascontiguousarray(part, np.float32))
        found.append(means.centroids)
    return np.stack(found)


def report(coder: coding.Coder, checked: list[Pair]) -> None:
    """How often points of one spot share a word, and how far their signatures are apart."""
    first = coder.components(np.concatenate([p.asset[p.same[:, 0]] for p in checked]))
    second = coder.components(np.concatenate([p.query[p.same[:, 1]] for p in checked]))
    one = coder.words(first, 1)
    for count in (1, 2, 4, 6):
        share = (coder.looked_up(second, count) == one).any(1).mean()
        print(f"{len(first)} pairs of points, {count} words looked up: {share:.3f} meet")
    bits = coder.bits(first), coder.bits(second)
    distance = np.array([int(x).bit_count() for x in bits[0] ^ bits[1]])
    other = np.array([int(x).bit_count() for x in bits[0] ^ np.roll(bits[1], len(first) // 2)])
    for radius in (8, 10, 12, 14, 16, 18):
        print(
            f"within {radius} bits: {(distance <= radius).mean():.3f} of one spot, "
            f"{(other <= radius).mean():.5f} of two"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photographs", type=int, default=1500)
    parser.add_argument("--out", type=Path, default=DESTINATION)
    arguments = parser.parse_args()
    faiss.omp_set_num_threads(1)
    paths = photos.rows("train", shippable=True)
    np.random.default_rng(0).shuffle(paths)
    used, others = np.split(np.array(paths), [arguments.photographs + CHECKED])
    found = list(pairs(list(used), list(others), seed=1))
    fitted, checked = found[:-CHECKED], found[-CHECKED:]
    mean, directions = projection(fitted)
    every = (np.concatenate([p.asset for p in fitted]) - mean) @ directions
    data = {
        "mean": np.round(mean, 6).tolist(),
        "projection": np.round(directions, 4).tolist(),
        "codebooks": np.round(codebooks(every), 4).tolist(),
        "stopped": [],
    }
    words = coding.Coder.of(data).words(every.astype(np.float32), 1)
    counts = np.bincount(words[:, 0], minlength=coding.CENTRES**2)
    data["stopped"] = np.sort(np.argsort(-counts, kind="stable")[:STOPPED]).tolist()
    print(
        f"the stopped words hold {counts[data['stopped']].sum() / counts.sum():.3f} of the points"
    )
    text = json.dumps(data) + "\n"
    arguments.out.write_text(text, encoding="utf-8")
    print(f'sha256="{hashlib.sha256(text.encode()).hexdigest()}",\nbytes={len(text)},')
    report(coding.Coder.of(data), checked)


if __name__ == "__main__":
    main()
