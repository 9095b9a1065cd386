"""A descriptor of the user's by its spec: what is shown to the model, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from originlens.bench.copies import system, version
from originlens.bench.model_file import Spec
from originlens.core.errors import UsageError
from originlens.core.image import Image
from originlens.testing import textured_image

pytestmark = pytest.mark.torch  # the extra brings onnx, which makes the model

SPEC = 'model = "mean.onnx"\nside = 32\nmean = [0.5, 0.5, 0.5]\nstd = [0.25, 0.25, 0.25]\n'


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A model that flattens an 8 x 8 reduction of its input."""
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    nodes = [
        helper.make_node("AveragePool", ["x"], ["small"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Flatten", ["small"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "mean",
        [helper.make_tensor_value_info("x", kind, [1, 3, 32, 32])],
        [helper.make_tensor_value_info("y", kind, [1, 192])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, tmp_path / "mean.onnx")
    (tmp_path / "mean.toml").write_text(SPEC)
    return tmp_path / "mean.toml"


def test_the_model_is_shown_what_its_spec_says(spec):
    half = np.zeros((64, 128, 3), np.uint8)
    half[:, 64:] = 255
    shown = Spec.read(str(spec)).prepared(Image.from_array(half))
    assert shown.shape == (1, 3, 32, 32)
    assert shown.dtype == np.float32
    assert np.allclose(shown[0, :, :, :15], -2)
    assert np.allclose(shown[0, :, :, 17:], 2)


def test_crop_takes_the_middle_square(spec):
    spec.write_text(SPEC + 'resize = "crop"\n')
    wide = np.zeros((64, 192, 3), np.uint8)
    wide[:, 64:128] = 255
    shown = Spec.read(str(spec)).prepared(Image.from_array(wide))
    assert np.allclose(shown, 2)


def test_a_spec_is_a_system(spec, tmp_path):
    paths = []
    for number in range(5):
        paths.append(str(tmp_path / f"{number}.png"))
        Path(paths[-1]).write_bytes(textured_image(number).data)
    made = system(str(spec))
    assert made.enrol(paths, str(tmp_path / "state")) == []
    again = system(str(spec))
    again.open(str(tmp_path / "state"))
    best = again.match(Image.open(paths[3]))[0]
    assert best.path == paths[3]
    assert best.score == pytest.approx(1, abs=1e-5)
    assert best.relation == "copy"


def test_a_registered_descriptor_alone_is_a_system(tmp_path):
    paths = []
    for number in range(4):
        paths.append(str(tmp_path / f"{number}.png"))
        Path(paths[-1]).write_bytes(textured_image(number).data)
    made = system("descriptor/gem-v0")
    assert made.enrol(paths, str(tmp_path / "state")) == []
    made.open(str(tmp_path / "state"))
    assert made.match(Image.open(paths[2]))[0].path == paths[2]
    with pytest.raises(UsageError, match="gem-v9"):
        system("descriptor/gem-v9")


def test_its_version_follows_the_model_and_the_spec(spec):
    first = version(str(spec))
    other = spec.with_name("other.toml")
    other.write_text(SPEC.replace("0.25", "0.5"))
    assert version(str(other)) != first
    assert version(str(spec)) == first


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("side = 32", "model and side are needed"),
        (SPEC + "colour = 3\n", "colour"),
        (SPEC.replace("mean.onnx", "absent.onnx"), "absent.onnx"),
        (SPEC.replace("[0.5, 0.5, 0.5]", "[0.5]"), "three"),
        (SPEC + 'resize = "stretch"\n', "squeeze, crop or window"),
        ("model = ", "cannot be read"),
    ],
)
def test_a_wrong_spec_says_why(spec, text, named):
    spec.write_text(text)
    with pytest.raises(UsageError, match=named):
        Spec.read(str(spec))


def test_a_file_that_is_no_model_is_refused(spec, tmp_path):
    (tmp_path / "mean.onnx").write_bytes(b"no model")
    made = system(str(spec))
    picture = tmp_path / "a.png"
    picture.write_bytes(textured_image(0).data)
    with pytest.raises(UsageError, match="no ONNX model"):
        made.enrol([str(picture)], str(tmp_path / "state"))
