"""The descriptor's recipe, end to end with an untrained trunk and generated pictures."""

from __future__ import annotations

import csv
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.torch
FOLDER = Path(__file__).resolve().parents[2] / "train" / "global_descriptor"


@pytest.fixture
def recipe(monkeypatch, tmp_path):
    """The modules of the recipe, with 300 generated photographs for data."""
    import cv2

    photos = tmp_path / "shared" / "data" / "photos"
    photos.mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = []
    for i in range(300):
        coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        cv2.imwrite(str(photos / f"{i}.jpg"), cv2.resize(coarse, (96, 64)))
        rows.append({"path": f"photos/{i}.jpg", "split": "train", "ship_ok": "yes"})
    rows.append({"path": "photos/never.jpg", "split": "train", "ship_ok": "no"})
    with open(tmp_path / "shared" / "data" / "manifest.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, ["path", "split", "ship_ok"])
        writer.writeheader()
        writer.writerows(rows)
    monkeypatch.setenv("ORIGINLENS_SHARED", str(tmp_path / "shared"))
    monkeypatch.syspath_prepend(str(FOLDER))
    for name in ("photos", "trunk", "train"):
        sys.modules.pop(name, None)
    spec = importlib.util.spec_from_file_location("train", FOLDER / "train.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_recipe_makes_a_usable_descriptor(recipe, monkeypatch, tmp_path, capsys):
    import onnxruntime
    import torch

    torch.manual_seed(0)
    model = recipe.trunk.MobileNetV2().eval()
    torch.save(model.state_dict(), tmp_path / "trunk.pth")
    out = tmp_path / "out.onnx"
    arguments = ["train.py", "--trunk", str(tmp_path / "trunk.pth"), "--out", str(out)]
    monkeypatch.setattr(sys, "argv", [*arguments, "--scratch", str(tmp_path / "scratch")])
    recipe.main()
    assert "300 photographs" in capsys.readouterr().out  # the row that may not ship is left out
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(1).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    pooling = np.full((1, 49), 1 / 49, np.float32)
    vectors = session.run(None, {"pixels": pixels, "pooling": pooling})[0]
    assert vectors.shape == (2, 1, 256)
    assert np.allclose(np.linalg.norm(vectors, axis=2), 1, atol=1e-4)


def test_graph_equals_the_torch_module(recipe, tmp_path):
    """Folded batch norms and half-precision storage change the map by rounding only."""
    import onnxruntime
    import torch

    torch.manual_seed(1)
    model = recipe.trunk.MobileNetV2().eval()
    with torch.no_grad():  # untrained maps vanish: make the last one of order 1
        model.features[0][1].weight *= 10
        model.features[-2].conv[-1].weight *= 300
        model.features[-1][1].weight *= 20_000
    graph = recipe.trunk.Graph()
    maps = recipe.trunk.append_trunk(graph, model)
    features = recipe.trunk.append_features(graph, maps)
    graph.save(tmp_path / "trunk.onnx", features, recipe.trunk.WIDTH, "test")
    session = onnxruntime.InferenceSession(
        str(tmp_path / "trunk.onnx"), providers=["CPUExecutionProvider"]
    )
    pixels = np.random.default_rng(2).integers(0, 256, (1, 64, 96, 3), dtype=np.uint8)
    found = session.run(None, {"pixels": pixels, "pooling": np.eye(6, dtype=np.float32)})[0][0]
    scaled = (pixels[0] / 255 - recipe.trunk.MEAN) / recipe.trunk.STD
    with torch.no_grad():
        last = model(torch.from_numpy(scaled.transpose(2, 0, 1)[None]).float())[0]
    # Over a single cell the power mean is the cell itself, of unit length per tap.
    expected = last.reshape(1280, 6).T.numpy()
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.abs(found[:, :1280] - expected).max() < 0.02 * np.abs(expected).max()
    start = 0
    for tap in recipe.trunk.TAPS:
        part = found[:, start : start + tap.channels]
        assert np.allclose(np.linalg.norm(part, axis=1), 1, atol=1e-4)
        start += tap.channels


def test_whitening_ignores_the_direction_that_edits_move(recipe):
    rng = np.random.default_rng(3)
    originals = rng.normal(size=(900, 300)).astype(np.float32)
    originals[:, 0] *= 3
    copies = [originals.copy(), originals.copy()]
    copies[0][:, 0] += 9 * rng.normal(size=900)
    copies[1] += 0.1 * rng.normal(size=originals.shape)
    _, projection = recipe.learned_whitening(originals, copies)
    lengths = np.linalg.norm(projection, axis=0)
    assert lengths[0] < 0.3 * np.median(lengths)
