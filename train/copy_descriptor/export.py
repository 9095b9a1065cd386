"""Write the averaged weights of a training run as the ONNX graph that the descriptor runs.

    python train/copy_descriptor/export.py --out copy_v1.onnx

The graph has the inputs of gem-v0 (``train/global_descriptor/trunk.py``): whole pictures and any
regions of them. Prints the record for the method's card.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

import torch

sys.path[:0] = [
    str(Path(__file__).resolve().parent),
    str(Path(__file__).resolve().parent.parent / "global_descriptor"),
]

import photos  # noqa: E402
import trunk  # noqa: E402

NOTE = "originlens copy descriptor, Apache-2.0; trunk BSD-3"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scratch", type=Path, default=photos.REPOSITORY / ".weights/copy-v1")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    kept = torch.load(arguments.scratch / "checkpoint.pt", weights_only=True)
    average = kept["average"]
    model = trunk.MobileNetV2().eval()
    inner = {k.removeprefix("trunk."): v for k, v in average.items() if k.startswith("trunk.")}
    model.load_state_dict(inner)
    weight, bias = average["projection.weight"], average["projection.bias"]
    scale = float(weight.abs().max())  # lost in the norm; float16 likes it small
    graph = trunk.Graph()
    features = trunk.append_features(graph, trunk.append_trunk(graph, model))
    vectors = trunk.append_affine(graph, features, weight.numpy() / scale, bias.numpy() / scale)
    graph.save(arguments.out, vectors, weight.shape[0], NOTE)
    data = arguments.out.read_bytes()
    print(f"step {kept['step']}")
    print(f'sha256="{hashlib.sha256(data).hexdigest()}", bytes={len(data)}')


if __name__ == "__main__":
    main()
