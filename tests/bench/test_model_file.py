"""A detector of the user's by its spec: what it is shown, and what becomes of its output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from originlens.bench.detection import system
from originlens.bench.model_file import ModelDetector, Spec, describer
from originlens.bench.outcome import Setting
from originlens.bench.protocols.manifest import Manifest, Row
from originlens.core.errors import UsageError
from originlens.core.image import Image
from originlens.core.registry import make

pytestmark = pytest.mark.torch  # the extra brings onnx, which makes the model

SPEC = """
model = "brightness.onnx"
task = "detector"
side = 16
mean = [0, 0, 0]
std = [1, 1, 1]
"""


def write(folder: Path, outputs: list[Any], nodes: list[Any], layout: str = "nchw") -> None:
    """A model of those nodes from "x" to "y" as ``brightness.onnx``."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    shape = [1, 3, 16, 16] if layout == "nchw" else [1, 16, 16, 3]
    graph = helper.make_graph(
        [helper.make_node(*args, **options) for args, options in nodes],
        "brightness",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", kind, outputs)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, folder / "brightness.onnx")


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A model that returns the means of the three channels."""
    pooled = (("GlobalAveragePool", ["x"], ["small"]), {})
    write(tmp_path, [1, 3], [pooled, (("Flatten", ["small"], ["y"]), {})])
    (tmp_path / "brightness.toml").write_text(SPEC)
    return tmp_path / "brightness.toml"


def flat(red: int, green: int, blue: int, side: int = 40) -> Image:
    return Image.from_array(np.full((side, side, 3), (red, green, blue), np.uint8))


def test_the_positive_output_is_the_score(spec: Path) -> None:
    picture = flat(51, 102, 204)
    assert ModelDetector(str(spec)).inspect(picture).score == pytest.approx(0.2, abs=1e-6)
    spec.write_text(SPEC + "positive = 2\n")
    assert ModelDetector(str(spec)).inspect(picture).score == pytest.approx(0.8, abs=1e-6)
    spec.write_text(SPEC + 'positive = 2\nchannels = "bgr"\n')
    assert ModelDetector(str(spec)).inspect(picture).score == pytest.approx(0.2, abs=1e-6)


@pytest.mark.parametrize(
    ("activation", "score"),
    [("sigmoid", 1 / (1 + np.exp(-0.8))), ("softmax", np.exp(0.8) / np.exp([0.2, 0.4, 0.8]).sum())],
)
def test_the_activation_is_applied(spec: Path, activation: str, score: float) -> None:
    spec.write_text(SPEC + f'positive = 2\nactivation = "{activation}"\n')
    found = ModelDetector(str(spec)).inspect(flat(51, 102, 204))
    assert found.score == pytest.approx(score, abs=1e-6)


def test_a_window_shows_pixels_as_they_are(spec: Path) -> None:
    spec.write_text(SPEC + 'resize = "window"\n')
    pixels = np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    shown = Spec.read(str(spec)).prepared(Image.from_array(pixels))
    middle = pixels[12:28, 22:38].astype(np.float32) / np.float32(255)
    assert np.array_equal(shown[0].transpose(1, 2, 0), middle)
    small = Spec.read(str(spec)).prepared(Image.from_array(pixels[:5, :16]))
    assert np.array_equal(small[0, :, 5:10], small[0, :, 4::-1])


def test_channels_may_come_last(spec: Path) -> None:
    mean = (("ReduceMean", ["x"], ["y"]), {"axes": [1, 2], "keepdims": 0})
    write(spec.parent, [1, 3], [mean], layout="nhwc")
    spec.write_text(SPEC + 'layout = "nhwc"\npositive = 1\n')
    assert ModelDetector(str(spec)).inspect(flat(0, 102, 0)).score == pytest.approx(0.4, abs=1e-6)


def test_a_map_is_brought_to_the_pictures_size(spec: Path) -> None:
    write(spec.parent, [1, 3, 16, 16], [(("Identity", ["x"], ["y"]), {})])
    spec.write_text(SPEC + 'question = "edits"\nmap = true\n')
    pixels = np.zeros((64, 96, 3), np.uint8)
    pixels[:32, :48, 0] = 204
    found = ModelDetector(str(spec)).inspect(Image.from_array(pixels))
    assert found.claim == "edits"
    assert found.score == pytest.approx(0.8, abs=1e-6)
    assert found.heatmap is not None
    assert found.heatmap.shape == (64, 96)
    assert found.heatmap.dtype == np.float32
    assert found.heatmap[:24, :36].min() > 0.7
    assert found.heatmap[40:].max() == 0


def test_a_detector_by_its_spec_is_a_system_of_the_suite(spec: Path, tmp_path: Path) -> None:
    rows = []
    for number in range(24):
        label = ("real", "fake")[number % 2]
        path = tmp_path / f"{number}.bmp"
        value = 60 + number if label == "real" else 160 + number
        Pillow.fromarray(np.full((32, 32, 3), value, np.uint8)).save(path)
        rows.append(Row(path.name, label))
    spec.write_text(SPEC + "threshold = 0.45\n")
    manifest = Manifest(tuple(rows), tmp_path)
    outcome = make("suite", "synthesis").run(
        Setting((), str(tmp_path / "work"), systems=(str(spec),), manifest=manifest)
    )
    lines = [row for row in outcome.rows if row["system"] == "brightness"]
    assert lines
    assert all(row["called"] is not row["negative"] for row in lines)
    assert outcome.tables[0].rows[0][2].value == 1.0
    assert system(str(spec), ("detector",)).threshold == 0.45


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (SPEC + "positive = 7\n", "8 numbers"),
        (SPEC.replace("side = 16", "side = 24"), "cannot take"),
        (SPEC + "map = true\n", "a map"),
    ],
)
def test_an_output_that_is_not_what_the_spec_says(spec: Path, text: str, named: str) -> None:
    spec.write_text(text)
    with pytest.raises(UsageError, match=named):
        ModelDetector(str(spec)).inspect(flat(1, 2, 3))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (SPEC + 'activation = "tanh"\n', "none, sigmoid or softmax"),
        (SPEC + 'map = true\nresize = "crop"\n', "whole picture"),
        (SPEC.replace('task = "detector"', "positive = 1"), "only with task"),
        (SPEC + 'question = "copies"\n', "synthesis or edits"),
    ],
)
def test_a_wrong_spec_of_a_detector_says_why(spec: Path, text: str, named: str) -> None:
    spec.write_text(text)
    with pytest.raises(UsageError, match=named):
        Spec.read(str(spec))


def test_a_wrong_side_is_told_with_the_shape_that_the_model_takes(spec: Path) -> None:
    spec.write_text(SPEC.replace("side = 16", "side = 24"))
    with pytest.raises(UsageError, match=r"\(1, 3, 24, 24\) .*it takes \(1, 3, 16, 16\).*side"):
        ModelDetector(str(spec)).inspect(flat(1, 2, 3))


def test_a_detector_is_no_descriptor(spec: Path) -> None:
    with pytest.raises(UsageError, match="not of a descriptor"):
        describer("gem-v0", str(spec))
