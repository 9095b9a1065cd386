"""The suite ``speed``: what it times, beside what, and what it refuses."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from originlens.bench.outcome import Setting
from originlens.bench.results import Value
from originlens.bench.timing import Timed, TimeMethods
from originlens.core import registry
from originlens.core.errors import UsageError
from originlens.core.registry import make
from originlens.testing import textured_image


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[str, ...]:
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for number, path in enumerate(paths):
        path.write_bytes(textured_image(number, 120, 160).data)
    return tuple(str(path) for path in paths)


@pytest.fixture
def sleeper(monkeypatch) -> str:
    """A descriptor that takes 20 ms and 40 MB, and needs to see one megapixel."""

    class Sleeper:
        def describe(self, image):
            assert 0.99e6 < image.width * image.height < 1.01e6
            held = np.ones(40 << 17)
            time.sleep(0.02)
            return held[:4].astype(np.float32)

    card = registry.Card(
        name="sleeper", kind="descriptor", task="a test", claims="nothing", paper="none",
        code_licence="Apache-2.0", reads=("pixels",), cost=registry.Cost(10.0, 40.0),
        status="toy", scope="a test", fails_when="never",
    )  # fmt: skip
    monkeypatch.setitem(
        registry._methods, ("descriptor", "sleeper"), registry.Method(card, Sleeper)
    )
    return "descriptor:sleeper"


def test_time_memory_and_ratios_are_those_of_the_call(pictures, sleeper, tmp_path):
    setting = Setting(pictures, str(tmp_path / "work"), systems=(sleeper, "descriptor:pdq"))
    (table,) = make("suite", "speed").run(setting).tables
    rows = {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    slow, pdq = rows["sleeper"], rows["pdq"]
    assert isinstance(slow["ms"], Value)
    assert 20 < slow["ms"].value < 200
    assert slow["ms"].n == 3
    assert slow["card says, ms"] == "10 per megapixel"
    assert slow["measured / card"] == pytest.approx(slow["ms"].value / 10)
    assert slow["MB"] is None or 35 < slow["MB"] < 60
    assert pdq["times the reference"].value == 1
    assert slow["times the reference"].value > 2


def test_a_second_run_times_nothing_again(pictures, sleeper, tmp_path):
    setting = Setting(pictures, str(tmp_path / "work"), systems=(sleeper,))
    first = make("suite", "speed").run(setting)
    journal = tmp_path / "work" / "timed.jsonl"
    kept = journal.read_bytes()
    again = make("suite", "speed").run(setting)
    assert journal.read_bytes() == kept
    assert again.to_dict() == first.to_dict()
    assert [row["ms"] for row in first.rows] == [row["ms"] for row in again.rows]


def test_a_kind_stands_for_its_methods_without_those_of_torch(pictures, tmp_path):
    setting = Setting(pictures[:2], str(tmp_path / "work"), systems=("verifier", "attack:mirror"))
    outcome = make("suite", "speed").run(setting)
    assert [table.title for table in outcome.tables] == ["Verifiers", "Attacks"]
    from originlens.bench.suites.speed import _chosen

    named = {f"{m.card.kind}:{m.card.name}" for m in _chosen(())}
    assert {"attack:mirror", "matcher:originlens", "metric:auc"} <= named
    assert "attack:pgd" not in named
    assert [m.card.name for m in _chosen(("attack:pgd",))] == ["pgd"]


def test_what_a_method_cannot_take_is_an_error_of_its_row(pictures):
    told = TimeMethods().answer(Timed("descriptor", "pdq", "missing.png", pictures[0]))
    assert told["ms"] == []
    assert "ReadError" in told["error"]


@pytest.mark.parametrize("name", ["suite", "nothing:at-all", "matcher:nobody"])
def test_unknown_methods_are_refused(pictures, tmp_path, name):
    with pytest.raises(UsageError):
        make("suite", "speed").run(Setting(pictures, str(tmp_path / "work"), systems=(name,)))
