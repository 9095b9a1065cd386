"""MobileNetV2 (Sandler et al., CVPR 2018, arXiv 1801.04381): the torch module and its ONNX graph.

The module has the parameter names of the published ImageNet weights, so that they load as they are.
The ONNX graph is written node by node with the batch norms folded into the convolutions: it takes
``(N, S, S, 3) uint8`` RGB and keeps its weights as float16 (computing in float32).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

# (expansion, channels, blocks, stride of the first block), table 2 of the paper
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)


def _conv(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


class Block(nn.Module):
    """An inverted residual with a linear bottleneck (figure 3 of the paper)."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        layers: list[nn.Module] = []
        if expansion > 1:
            layers.append(nn.Sequential(*_conv(inputs, hidden, 1), nn.ReLU6()))
        layers.append(nn.Sequential(*_conv(hidden, hidden, 3, stride, hidden), nn.ReLU6()))
        layers += _conv(hidden, outputs, 1)
        self.conv = nn.Sequential(*layers)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.conv(x) if self.residual else self.conv(x)


class MobileNetV2(nn.Module):
    """The trunk; ``forward`` maps normalised (N, 3, S, S) to the (N, 1280, S/32, S/32) last map."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Sequential(*_conv(3, 32, 3, 2), nn.ReLU6())]
        channels = 32
        for expansion, outputs, blocks, stride in STAGES:
            for i in range(blocks):
                layers.append(Block(channels, outputs, stride if i == 0 else 1, expansion))
                channels = outputs
        layers.append(nn.Sequential(*_conv(channels, 1280, 1), nn.ReLU6()))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(1280, 1000))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.features(x)


def load(weights: Path) -> MobileNetV2:
    """The trunk with the ImageNet weights of a state-dict file, in evaluation mode."""
    model = MobileNetV2()
    model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return model.eval()


@dataclass
class Graph:
    """An ONNX graph under construction."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initialisers: list[onnx.TensorProto] = field(default_factory=list)

    def constant(self, value: np.ndarray, *, half: bool = False) -> str:
        """Name of a constant; ``half`` stores it as float16 and casts it when the model loads."""
        name = f"c{len(self.initialisers)}"
        stored = value.astype(np.float16) if half else value
        self.initialisers.append(numpy_helper.from_array(np.ascontiguousarray(stored), name))
        return self.add("Cast", name, to=TensorProto.FLOAT) if half else name

    def add(self, operator: str, *inputs: str, **attributes: object) -> str:
        """Append a node and return the name of its output."""
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def save(self, path: Path, vectors: str, width: int, note: str) -> None:
        """Write the model: ``pixels`` (N, H, W, 3) uint8, H and W multiples of 32, and ``pooling``
        (R, H/32 * W/32) float32 whose rows sum to 1, to ``vectors`` (N, R, width) float32."""
        self.nodes.append(helper.make_node("Identity", [vectors], ["vectors"]))
        graph = helper.make_graph(
            self.nodes,
            "global descriptor",
            [
                helper.make_tensor_value_info("pixels", TensorProto.UINT8, ["N", "H", "W", 3]),
                helper.make_tensor_value_info("pooling", TensorProto.FLOAT, ["R", "cells"]),
            ],
            [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["N", "R", width])],
            self.initialisers,
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", 17)],
            ir_version=8,
            producer_name="originlens",
            doc_string=note,
        )
        onnx.checker.check_model(model)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(model.SerializeToString())


def append_trunk(graph: Graph, model: MobileNetV2) -> dict[str, str]:
    """Append the trunk; returns name of a feature map -> value.

    ``stage-3`` .. ``stage-7`` are the stages' outputs (linear), ``last`` is the 1280-channel map.
    """
    x = graph.add("Cast", "pixels", to=TensorProto.FLOAT)
    x = graph.add("Transpose", x, perm=[0, 3, 1, 2])
    x = graph.add("Sub", x, graph.constant((MEAN * 255).reshape(1, 3, 1, 1)))
    maps: dict[str, str] = {}
    stage, remaining = 0, 0
    for layer in model.features:
        if isinstance(layer, Block):
            if remaining == 0:
                stage, remaining = stage + 1, STAGES[stage][2]
            y = x
            for part in _convolutions(layer.conv):
                y = _append_convolution(graph, y, *part)
            x = graph.add("Add", x, y) if layer.residual else y
            remaining -= 1
            maps[f"stage-{stage}"] = x
        else:
            scale = 1 / (255 * STD) if not maps else None
            for part in _convolutions(layer):
                x = _append_convolution(graph, x, *part, input_scale=scale)
    maps["last"] = x
    return maps


def _convolutions(layer: nn.Module) -> list[tuple[nn.Conv2d, nn.BatchNorm2d, bool]]:
    """The (convolution, batch norm, followed by ReLU6) triples of a layer, in order."""
    flat = [m for m in layer.modules() if not isinstance(m, nn.Sequential)]
    triples = []
    for i, module in enumerate(flat):
        if isinstance(module, nn.Conv2d):
            active = i + 2 < len(flat) and isinstance(flat[i + 2], nn.ReLU6)
            triples.append((module, flat[i + 1], active))
    return triples


def _append_convolution(
    graph: Graph,
    x: str,
    conv: nn.Conv2d,
    norm: nn.BatchNorm2d,
    active: bool,
    input_scale: np.ndarray | None = None,
) -> str:
    gain = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).detach()
    weight = (conv.weight.detach() * gain.reshape(-1, 1, 1, 1)).numpy()
    bias = (norm.bias - norm.running_mean * gain).detach().numpy()
    if input_scale is not None:
        weight = weight * input_scale.reshape(1, -1, 1, 1)
    (pad, _), (stride, _), (kernel, _) = conv.padding, conv.stride, conv.kernel_size
    x = graph.add(
        "Conv",
        x,
        graph.constant(weight, half=True),
        graph.constant(bias.astype(np.float32)),
        kernel_shape=[kernel] * 2,
        strides=[stride] * 2,
        pads=[pad] * 4,
        group=conv.groups,
    )
    if not active:
        return x
    low, high = (graph.constant(np.array(v, np.float32)) for v in (0.0, 6.0))
    return graph.add("Clip", x, low, high)


@dataclass(frozen=True)
class Tap:
    """A feature map that is pooled: channels, power of the mean, cells per 32 pixels a side."""

    name: str
    channels: int
    power: float
    finer: int


TAPS = (
    Tap("last", 1280, 3.0, 1),
    Tap("stage-4", 64, 1.0, 2),
    Tap("stage-5", 96, 1.0, 2),
    Tap("stage-6", 160, 1.0, 1),
    Tap("stage-7", 320, 1.0, 1),
)
"""GeM with p = 3 of the last map (non-negative) and plain means of the linear bottlenecks."""
WIDTH = sum(tap.channels for tap in TAPS)


def append_features(graph: Graph, maps: dict[str, str]) -> str:
    """Append (N, R, WIDTH): every tap pooled over each region (a row of ``pooling``), rooted and
    of unit length. The maps serve the whole picture and any number of its regions."""
    weights = graph.add("Transpose", "pooling", perm=[1, 0])
    flat = graph.constant(np.array([0, 0, -1], np.int64))
    parts = []
    for tap in TAPS:
        x = maps[tap.name]
        if tap.finer > 1:  # to the last map's grid: a mean of means over equal blocks
            x = graph.add("AveragePool", x, kernel_shape=[tap.finer] * 2, strides=[tap.finer] * 2)
        if tap.power != 1:
            x = graph.add("Pow", x, graph.constant(np.array(tap.power, np.float32)))
        x = graph.add("MatMul", graph.add("Reshape", x, flat), weights)
        x = graph.add("Transpose", x, perm=[0, 2, 1])
        if tap.power != 1:
            x = graph.add("Max", x, graph.constant(np.array(1e-9, np.float32)))
            x = graph.add("Pow", x, graph.constant(np.array(1 / tap.power, np.float32)))
        parts.append(append_unit_length(graph, x))
    return graph.add("Concat", *parts, axis=2)


def append_projection(graph: Graph, x: str, mean: np.ndarray, projection: np.ndarray) -> str:
    """Append the whitening ``projection`` (D, WIDTH) about ``mean`` (WIDTH,), and unit length."""
    return append_affine(graph, x, projection, -projection @ mean)


def append_affine(graph: Graph, x: str, weight: np.ndarray, bias: np.ndarray) -> str:
    """Append ``weight`` (D, WIDTH) x + ``bias`` (D,), and unit length."""
    x = graph.add("MatMul", x, graph.constant(weight.T, half=True))
    x = graph.add("Add", x, graph.constant(bias.astype(np.float32)))
    return append_unit_length(graph, x)


def append_unit_length(graph: Graph, x: str) -> str:
    norm = graph.add("ReduceL2", x, axes=[2], keepdims=1)
    norm = graph.add("Max", norm, graph.constant(np.array(1e-9, np.float32)))
    return graph.add("Div", x, norm)
