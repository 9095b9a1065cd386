"""Watermarking as a task, and its suites, on sets with known answers."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from originlens.bench.environments import environment
from originlens.bench.marking import SIDE, AskWatermarks, Distortion, Question, host, task
from originlens.bench.outcome import Setting
from originlens.bench.peers.spread_spectrum import SpreadSpectrum
from originlens.bench.points import waves_combos, wbench_points
from originlens.bench.suites._watermark import (
    Asked,
    WatermarkSuite,
    payload_rule,
    score_rule,
    watermark_card,
)
from originlens.bench.suites.watermark_waves import WatermarkWaves, quality_at
from originlens.bench.suites.watermark_wbench import WatermarkWbench
from originlens.core.errors import UsageError
from originlens.core.image import Image
from originlens.core.registry import make, method
from originlens.testing import textured_image

NOISE = Distortion("noise", "waves-noise:0.2", 0.2)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> tuple[str, ...]:
    folder = tmp_path_factory.mktemp("pictures")
    for number in range(10):
        (folder / f"{number}.png").write_bytes(textured_image(number, 200, 260).data)
    return tuple(str(path) for path in folder.iterdir())


class Few(WatermarkSuite):
    """Two distortions: one that harms, one that does not."""

    card = watermark_card("few", "a test", paper="none", note="small", fails_when="never")

    def distortions(self) -> list[Distortion]:
        return [NOISE, Distortion("turn", "waves-rotation:1", 1.0)]


def few(pictures, work, systems=("spread-spectrum",), **options):
    return Few().run(Setting(pictures, str(work), systems=systems, each=3, **options))


def test_questions_are_the_same_draw_for_every_system_and_all_pictures_have_their_part(pictures):
    drawn = task(pictures, [NOISE], each=3, length=4, seed=5)
    assert [q.distortion.name for q in drawn] == ["none"] * 9 + ["noise"] * 9
    marked = [q.picture for q in drawn[:9] if q.marked]
    unmarked = [q.picture for q in drawn[:9] if not q.marked]
    assert (len(marked), len(unmarked)) == (3, 6)
    assert not set(marked) & set(unmarked)
    assert drawn == task(sorted(pictures), [NOISE], each=3, length=4, seed=5)
    assert drawn != task(pictures, [NOISE], each=3, length=4, seed=6)
    asked = drawn[0]
    assert len(asked.payload((4, 6, 8))) == 4
    assert len(asked.payload((6, 8))) == 6
    assert asked.payload((8,))[:4] == asked.payload((4,))
    # Few pictures: the originals of marked ones are asked unmarked, too.
    assert len({q.picture for q in task(pictures, [], each=10, length=4, seed=0)}) == 10


def test_too_few_pictures_are_refused(pictures, tmp_path):
    with pytest.raises(UsageError, match="give 8"):
        few(pictures[:7], tmp_path)
    with pytest.raises(UsageError, match="no watermark 'nonsense'"):
        few(pictures, tmp_path, systems=("nonsense",))


def test_a_host_is_the_middle_square(tmp_path):
    picture = np.zeros((100, 300, 3), np.uint8)
    picture[:, 100:200] = 200
    path = tmp_path / "wide.png"
    path.write_bytes(Image.from_array(picture).data)
    assert host(str(path)).pixels.shape == (SIDE, SIDE, 3)
    assert (host(str(path)).pixels == 200).all()


def test_without_a_distortion_every_bit_is_right(pictures, tmp_path):
    ask = AskWatermarks({"spread-spectrum": str(tmp_path)})
    for question in task(pictures, [], each=3, length=8, seed=1):
        answer = ask.answer(("spread-spectrum", question))
        assert answer["error"] is None
        if question.marked:
            assert answer["accuracy"] == 1
            assert answer["read"] == answer["sent"] == question.payload((8,)).hex()
            assert 39 < answer["psnr"] < 41
        else:
            assert answer["read"] is None and answer["psnr"] is None


def test_noise_in_place_of_pictures_reads_half_of_the_bits(tmp_path):
    rng = np.random.default_rng(0)
    ask = AskWatermarks({"spread-spectrum": str(tmp_path)})
    found = []
    for number in range(24):
        path = tmp_path / f"{number}.png"
        noise = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        path.write_bytes(Image.from_array(noise).data)
        asked = Question(str(path), Distortion("none"), marked=False, length=8, seed=0)
        answer = ask.answer(("spread-spectrum", asked))
        found.append(answer["accuracy"])
        assert answer["read"] is None
    # Over 700 bits: four standard deviations.
    assert abs(np.mean(found) - 0.5) < 0.08


def test_a_distortion_harms_only_what_it_should(pictures, tmp_path):
    outcome = few(pictures, tmp_path)
    systems, detection, rates, bits = outcome.tables
    assert [t.title for t in outcome.tables] == [
        "Systems", "Detection", "TPR@0.1%FPR by distortion", "Bit accuracy by distortion",
    ]  # fmt: skip
    name, carried, psnr, _, plain, *_ = systems.rows[0]
    assert (name, carried, plain.value) == ("spread-spectrum", "32", 1)
    assert psnr.low <= psnr.value <= psnr.high
    by_name = {row[0]: row[2].value for row in rates.rows}
    assert by_name["noise"] == 1
    accuracy = {row[0]: row[2].value for row in bits.rows}
    assert accuracy["noise"] > 0.95 > 0.75 > accuracy["turn"]
    own = next(row for row in detection.rows if row[1] == "own decision")
    assert (own[3].value, own[5].value) == (1, 0)
    shown = {row[1]: row[7] for row in detection.rows}
    # Six pictures show no rate of 0.1 %; how payloads are drawn does.
    assert shown == {"known payload": "yes", "own score": "no", "own decision": ""}


def test_a_run_cut_short_goes_on_and_marks_nothing_twice(pictures, tmp_path, monkeypatch):
    whole = few(pictures, tmp_path / "whole")
    marked = []
    embed = SpreadSpectrum.embed

    def counted(self, image, payload):
        marked.append(payload)
        return embed(self, image, payload)

    monkeypatch.setattr(SpreadSpectrum, "embed", counted)

    def stop(what: str, done: int, _: int) -> None:
        if (what, done) == ("reading", 5):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        few(pictures, tmp_path / "cut", progress=stop)
    assert len(marked) == 3
    journal = tmp_path / "cut" / "read.jsonl"
    assert len(journal.read_bytes().splitlines()) == 9 + 5
    continued = few(pictures, tmp_path / "cut")
    assert len(marked) == 3
    timeless = [
        [{k: v for k, v in row.items() if k not in ("ms", "ms_embed")} for row in outcome.rows]
        for outcome in (whole, continued)
    ]
    assert timeless[0] == timeless[1]
    before = journal.read_bytes()
    again = few(pictures, tmp_path / "cut")
    assert json.dumps(again.to_dict()) == json.dumps(continued.to_dict())
    assert journal.read_bytes() == before


def test_a_broken_picture_is_an_error_that_counts_as_chance(pictures, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(Path(pictures[0]).read_bytes()[:3000])
    outcome = few((*pictures, str(broken)), tmp_path / "work")
    wrong = [row for row in outcome.rows if row["picture"] == str(broken)]
    assert wrong, "the broken picture was not drawn"
    assert all(row["error"].startswith("CorruptImage") for row in wrong)
    assert all(row["accuracy"] == 0.5 and not row["called"] for row in wrong)
    assert outcome.tables[0].rows[0][-1] == len(wrong)


def test_a_peer_without_its_environment_is_named(pictures, tmp_path, monkeypatch):
    monkeypatch.setenv("ORIGINLENS_PEERS", str(tmp_path / "nothing"))
    environment("invisible-watermark").close()
    outcome = few(pictures, tmp_path / "work", systems=("dwt-dct", "spread-spectrum"))
    assert list(outcome.missing) == ["dwt-dct"]
    assert "invisible-watermark" in outcome.missing["dwt-dct"]
    assert [row[0] for row in outcome.tables[0].rows] == ["spread-spectrum"]


def answered(scores: dict[str, tuple[float | None, bool]]) -> Asked:
    return [
        (Question(name, Distortion("none"), marked, 4, 0), {"score": score})
        for name, (score, marked) in scores.items()
    ]


def test_the_threshold_of_a_score_is_fixed_on_half_of_the_unmarked_pictures():
    """Every second picture fixes it: 0.1 % of a few answers is none of them."""
    asked = answered(
        {
            "a": (0.1, False), "b": (0.9, False), "c": (0.6, False), "d": (0.5, False),
            "m": (0.7, True), "n": (0.6, True), "o": (None, True),
        }
    )  # fmt: skip
    found = score_rule(asked, 0)
    assert found.limit == 0.6
    assert [found(a) for q, a in asked if q.marked] == [True, False, False]
    assert found.false_alarms.value == 0.5
    # At most one of two pictures has an alarm in 1 - p ** 2 = 0.05 of all samples.
    assert found.bound == pytest.approx(math.sqrt(0.95))


@pytest.mark.parametrize(("length", "needed"), [(4, 26), (6, 36), (8, 45)])
def test_the_threshold_of_a_known_payload_is_the_binomial_one(length, needed):
    """Counted over all ways to agree: the fewest right bits that chance reaches in 0.1 %."""
    bits = 8 * length

    def chance(right: int) -> float:
        return sum(math.comb(bits, k) for k in range(right, bits + 1)) / 2**bits

    assert chance(needed) <= 0.001 < chance(needed - 1)
    asked = [
        (
            Question(f"{k}", Distortion("none"), marked, length, 0),
            {"sent": "00" * length, "accuracy": k / bits},
        )
        for k, marked in ((needed, True), (needed - 1, True), (bits // 2, False), (needed, False))
    ]
    found = payload_rule(asked, 0)
    assert [found(a) for _, a in asked] == [True, False, False, True]
    assert found.bound == pytest.approx(chance(needed))
    assert found.false_alarms.value == 0.5


def test_quality_at_a_performance():
    falling = [(0.1, 1.0), (0.2, 0.9), (0.4, 0.5), (0.8, 0.0)]
    assert quality_at(falling, 0.95) == pytest.approx(0.15)
    assert quality_at(falling, 0.7) == pytest.approx(0.3)
    assert quality_at(falling[:2], 0.7) == math.inf
    assert quality_at(falling[2:], 0.7) == -math.inf
    assert quality_at([(0.3, 0.6), (0.5, 0.9)], 0.7) == 0.3


def test_waves_asks_its_ranges_and_combinations(pictures):
    distortions = WatermarkWaves().distortions()
    combined = [d for d in distortions if d.name.startswith("dist-com")]
    assert [d.expression for d in combined] == [c.expression for c in waves_combos()]
    single = [d for d in distortions if d not in combined]
    assert len(single) == 40
    assert all(d.expression == f"waves-{d.name}:{d.strength}" for d in single)
    assert {d.strength for d in single} == {0.2, 0.4, 0.6, 0.8, 1.0}
    ends = {d.name: d for d in single if d.strength == 1.0}
    told = {
        name: method("attack", f"waves-{name}").cls().apply(
            textured_image(0), d.strength, np.random.default_rng(0)
        ).parameters
        for name, d in ends.items()
    }  # fmt: skip
    assert told["compression"]["quality"] == 10
    assert told["blurring"]["radius"] == 20
    assert told["resizedcrop"]["scale"] == 0.5
    assert told["brightness"]["factor"] == told["contrast"]["factor"] == 2
    assert told["noise"]["sigma"] == pytest.approx(0.1)


def test_wbench_asks_its_25_points():
    distortions = WatermarkWbench().distortions()
    assert [d.expression for d in distortions] == [p.expression for p in wbench_points()]
    assert [d.strength for d in distortions] == [p.value for p in wbench_points()]
    assert len({d.name for d in distortions}) == 5


def test_suites_are_registered_under_the_kind_of_their_systems():
    for name in ("watermark-waves", "watermark-wbench"):
        assert make("suite", name).system_kinds == ("watermark",)


def test_watermarks_that_take_seconds_are_asked_only_by_name():
    from originlens.bench.suites._watermark import _quick

    names, slow = _quick()
    assert {"spread-spectrum", "dwt-dct", "dwt-dct-svd"} <= set(names)
    assert {"rivagan", "blind-watermark"} == set(slow)
    assert "--systems" in slow["rivagan"]
