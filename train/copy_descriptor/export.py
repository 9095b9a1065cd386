"""Write the averaged weights of a training run as the ONNX graph that the descriptor runs.

    python train/copy_descriptor/export.py --out copy_v2.onnx

The graph has the inputs of gem-v0 (``train/global_descriptor/trunk.py``): whole pictures and any
regions of them. Score normalisation is folded into the vectors, so that plain inner products are
normalised: from a vector v is taken its likeness to a background of photographs,

    v' = unit(v - SHARE * sum_k softmax_k(<v, b_k> / SOFTNESS) b_k),

as Yokoo subtracts negative embeddings (arXiv:2112.04323, section 3.4). What resembles everything is
then near to nothing. ``--plain`` leaves it out, for the ablation. Prints the record for the
method's card.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

sys.path[:0] = [
    str(Path(__file__).resolve().parent),
    str(Path(__file__).resolve().parent.parent / "global_descriptor"),
]

import photos  # noqa: E402
import trunk  # noqa: E402

BACKGROUND, SOFTNESS, SHARE = 2048, 0.05, 0.5
NOTE = "originlens copy descriptor, Apache-2.0; trunk BSD-3"


def network(average: dict[str, torch.Tensor]) -> tuple[trunk.Graph, str]:
    """The graph of the trained weights, and the name of its vectors."""
    model = trunk.MobileNetV2().eval()
    inner = {k.removeprefix("trunk."): v for k, v in average.items() if k.startswith("trunk.")}
    model.load_state_dict(inner)
    weight, bias = average["projection.weight"], average["projection.bias"]
    scale = float(weight.abs().max())  # lost in the norm; float16 likes it small
    graph = trunk.Graph()
    features = trunk.append_features(graph, trunk.append_trunk(graph, model))
    return graph, trunk.append_affine(graph, features, weight.numpy() / scale, bias.numpy() / scale)


def background(average: dict[str, torch.Tensor], width: int) -> np.ndarray:
    """(BACKGROUND, width) vectors of photographs of the train split, drawn by a fixed seed."""
    from evaluate import Model

    from originlens.match.descriptors._pooled import squeezed
    from originlens.match.descriptors.contrastive import CopyV2

    paths = photos.rows("train", shippable=True)
    drawn = np.random.default_rng(7).permutation(len(paths))[:BACKGROUND]
    with tempfile.TemporaryDirectory() as folder:
        plain, pixels = Path(folder) / "plain.onnx", Path(folder) / "pixels.npy"
        graph, vectors = network(average)
        graph.save(plain, vectors, width, NOTE)
        np.save(pixels, [squeezed(photos.read(paths[i]), CopyV2.input_side) for i in drawn])
        return Model(plain, CopyV2.input_side).vectors(pixels)


def append_normalisation(graph: trunk.Graph, vectors: str, others: np.ndarray) -> str:
    """Append the subtraction of what the vectors share with a background."""
    likeness = graph.add("MatMul", vectors, graph.constant(others.T / SOFTNESS, half=True))
    weights = graph.add("Softmax", likeness, axis=-1)
    shared = graph.add("MatMul", weights, graph.constant(others * SHARE, half=True))
    return trunk.append_unit_length(graph, graph.add("Sub", vectors, shared))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scratch", type=Path, default=photos.REPOSITORY / ".weights/copy-v2")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--plain", action="store_true", help="without score normalisation")
    arguments = parser.parse_args()
    kept = torch.load(arguments.scratch / "checkpoint.pt", weights_only=True)
    average = kept["average"]
    width = len(average["projection.bias"])
    graph, vectors = network(average)
    if not arguments.plain:
        vectors = append_normalisation(graph, vectors, background(average, width))
    graph.save(arguments.out, vectors, width, NOTE)
    data = arguments.out.read_bytes()
    print(f"step {kept['step']}")
    print(f'sha256="{hashlib.sha256(data).hexdigest()}", bytes={len(data)}')


if __name__ == "__main__":
    main()
