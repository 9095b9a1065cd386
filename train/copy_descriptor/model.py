"""The descriptor's network in torch: a MobileNetV2 trunk, pooled taps, a projection, unit length.

The same computation as the ONNX graph of ``train/global_descriptor/trunk.py``, of whole pictures.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from torch.nn.functional import normalize

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "global_descriptor"))

import trunk

#: Layers of the trunk that keep their ImageNet weights: stages 1 to 3 see edges and textures.
FROZEN = 7


class Descriptor(nn.Module):
    """Stage 4 onwards: features to (N, 256) of unit length; batch norms keep their state."""

    def __init__(self, model: trunk.MobileNetV2, weight: np.ndarray, bias: np.ndarray) -> None:
        super().__init__()
        self.trunk = model
        self.projection = nn.Linear(trunk.WIDTH, weight.shape[1])
        with torch.no_grad():
            self.projection.weight.copy_(torch.from_numpy(weight.T.copy()))
            self.projection.bias.copy_(torch.from_numpy(bias))
        for layer in self.trunk.features[:FROZEN]:
            layer.requires_grad_(False)
        self.trunk.classifier.requires_grad_(False)

    def train(self, mode: bool = True) -> Descriptor:
        """Batch norms stay as they are exported: with the statistics of the trunk."""
        super().train(mode)
        self.trunk.eval()
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, 32, S/8, S/8) float32, what :func:`frozen_stages` makes of pictures."""
        maps, stage, remaining = {}, 3, 0
        for layer in self.trunk.features[FROZEN:]:
            x = layer(x)
            if isinstance(layer, trunk.Block):
                if remaining == 0:
                    stage, remaining = stage + 1, trunk.STAGES[stage][2]
                remaining -= 1
                maps[f"stage-{stage}"] = x
        maps["last"] = x
        parts = []
        for tap in trunk.TAPS:
            y = maps[tap.name]
            if tap.power != 1:
                y = y.pow(tap.power).mean((2, 3)).clamp_min(1e-9).pow(1 / tap.power)
            else:
                y = y.mean((2, 3))
            parts.append(normalize(y, dim=1))
        return normalize(self.projection(torch.cat(parts, 1)), dim=1)


def frozen_stages(model: trunk.MobileNetV2) -> bytes:
    """ONNX of the layers that stay as they are: ``pixels`` (N, S, S, 3) uint8 to ``features``.

    Eight times as fast as the same layers in torch: batch norms are folded in, activations fused.
    """
    graph = trunk.Graph()
    maps = trunk.append_trunk(graph, model)
    graph.nodes.append(
        helper.make_node("Cast", [maps["stage-3"]], ["features"], to=TensorProto.FLOAT16)
    )
    inputs = [helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["N", "S", "S", 3])]
    outputs = [helper.make_tensor_value_info("features", TensorProto.FLOAT16, ["N", 32, "s", "s"])]
    made = helper.make_graph(graph.nodes, "frozen stages", inputs, outputs, graph.initialisers)
    opset = helper.make_opsetid("", 17)
    return helper.make_model(made, opset_imports=[opset], ir_version=8).SerializeToString()


def start(weights: Path, shipped: Path) -> Descriptor:
    """The ImageNet trunk with the projection of a shipped graph of the same taps."""
    graph = onnx.load(shipped).graph
    arrays = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    (weight,) = [a for a in arrays.values() if a.ndim == 2 and a.shape[0] == trunk.WIDTH]
    bias = [a for a in arrays.values() if a.shape == (weight.shape[1],)][-1]
    return Descriptor(trunk.load(weights), weight.astype(np.float32), bias.astype(np.float32))
