"""The published points: what they name, and the absolute parameters they reach."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from originlens.bench.chains import parse
from originlens.bench.points import Combo, Point, waves_combos, wbench_points
from originlens.core.image import Image

#: W-Bench's table of distortions (arXiv:2410.18775).
WBENCH = {
    "waves-brightness": [1.2, 1.4, 1.6, 1.8, 2.0],
    "waves-contrast": [1.2, 1.4, 1.6, 1.8, 2.0],
    "waves-blurring": [1, 3, 5, 7, 9],
    "waves-noise": [0.02, 0.04, 0.06, 0.08, 0.1],
    "waves-compression": [10, 25, 40, 55, 70],
}
COMBOS = {
    "dist-com-geo": "waves-rotation:0.15+waves-resizedcrop:0.15+waves-erasing:0.15",
    "dist-com-photo": "waves-brightness:0.15+waves-contrast:0.15",
    "dist-com-deg": "waves-blurring:0.15+waves-noise:0.15+waves-compression:0.15",
}


@pytest.fixture(scope="module")
def photo() -> Image:
    return Image.from_array(np.ascontiguousarray(data.astronaut()[:128, 150:278]))


def test_wbench_has_its_25_points() -> None:
    points = wbench_points()
    found = {name: [p.value for p in points if p.attack == name] for name in WBENCH}
    assert found == WBENCH
    assert len({p.name for p in points}) == len(points) == 25


@pytest.mark.parametrize("point", wbench_points(), ids=lambda point: point.name)
def test_a_point_reaches_the_published_parameter(point: Point, photo: Image) -> None:
    result = parse(point.expression).apply(photo, np.random.default_rng(0))
    (step,) = result.parameters["steps"]
    assert step["attack"] == point.attack
    assert step[point.parameter] == pytest.approx(point.value, rel=1e-12)


def test_the_combinations_are_those_of_waves() -> None:
    found = {combo.name: combo.expression for combo in waves_combos()}
    assert {name: found[name] for name in COMBOS} == COMBOS
    everything = "+".join(COMBOS.values())
    assert found["dist-com-all"] == everything.replace("0.15", "0.2")
    assert found["dist-com-all-mild"] == everything.replace("0.15", "0.04")
    assert len(found) == 5


@pytest.mark.parametrize("combo", waves_combos(), ids=lambda combo: combo.name)
def test_a_combination_is_a_chain(combo: Combo, photo: Image) -> None:
    result = parse(combo.expression).apply(photo, np.random.default_rng(3))
    told = [step["attack"] for step in result.parameters["steps"]]
    assert told == list(combo.attacks)
    assert all(step["strength"] == combo.strength for step in result.parameters["steps"])
    geometric = "waves-rotation" in combo.attacks
    assert np.array_equal(result.transform, np.eye(3)) == (not geometric)
    assert result.mask.any() == geometric
