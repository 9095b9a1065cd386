"""Thresholds honour the rate: on the shipped null, on an index's own null, and between sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from originlens.match import Geometry, calibration, decision
from originlens.match.index import Index


@pytest.fixture(scope="module")
def model() -> decision.DecisionModel:
    return decision.shipped()


@pytest.mark.parametrize("rate", [0.5, 0.1, 0.01])
@pytest.mark.parametrize("size", [1000, 4000])
def test_shipped_null_exceeds_the_threshold_at_the_rate(model, rate, size):
    scores = np.asarray(model.null[str(size)])
    limit = calibration.threshold(model, rate, size)
    assert (scores > limit).mean() == pytest.approx(calibration.AIM * rate, abs=0.011)


@pytest.mark.parametrize("rate", [0.1, 0.01])
def test_small_index_is_more_careful_than_asked(model, rate):
    for size in (0, 1, 20, 100, 199):
        limit = calibration.threshold(model, rate, size)
        assert limit == calibration.threshold(model, rate, 1000)
    assert (np.asarray(model.null["20"]) > limit).mean() <= calibration.AIM * rate


@pytest.mark.parametrize("rate", [0.1, 0.01])
def test_own_null_moves_the_threshold(model, rate):
    shipped = calibration.threshold(model, rate, calibration.DOUBT)
    own = (calibration.shipped_scores(model, calibration.DOUBT) + 2.0).tolist()
    moved = calibration.threshold(model, rate, calibration.DOUBT, own)
    assert moved == pytest.approx(shipped + 2.0, abs=1e-6)


@pytest.mark.parametrize("rate", [0.5, 0.1, 0.01, 0.001])
def test_own_null_never_lowers_the_threshold(model, rate, rng):
    """Queries also bring other photographs of what is kept, which a tidy index does not hold."""
    tidy = rng.choice(calibration.shipped_scores(model, 1000) - 2.0, 160).tolist()
    shipped = calibration.threshold(model, rate, 1000)
    assert calibration.threshold(model, rate, 1000, tidy) == shipped


def test_measured_rate_with_few_own_samples_is_honest(model, rng):
    """Nulls of other place and spread, 160 samples each: the mean rate stays below the limit."""
    rates = []
    for _ in range(60):
        shift, spread = rng.uniform(-1, 2), rng.uniform(0.7, 1.5)
        base = calibration.shipped_scores(model, 1000)
        world = base.mean() + shift + (base - base.mean()) * spread
        limit = calibration.threshold(model, 0.1, 1000, rng.choice(world, 160).tolist())
        rates.append((world > limit).mean())
    assert 0.03 < np.mean(rates) < 0.1


def test_small_index_uses_the_shipped_null(model):
    own = [5.0] * 100
    assert calibration.threshold(model, 0.01, 50, own) == calibration.threshold(model, 0.01, 50)


def test_rate_one_calls_everything_and_bad_rates_are_refused(model):
    assert calibration.threshold(model, 1.0, 1000) == -np.inf
    for bad in (0.0, -0.1, 1.5, float("nan")):
        with pytest.raises(ValueError, match="false-positive rate"):
            calibration.threshold(model, bad, 1000)


@given(st.floats(1e-6, 1.0), st.floats(1e-6, 1.0), st.integers(0, 10**7))
def test_threshold_rises_as_the_rate_falls(a, b, assets):
    model = decision.shipped()
    low, high = sorted((a, b))
    assert calibration.threshold(model, low, assets) >= calibration.threshold(model, high, assets)


def test_score_is_finite_and_rises_with_support(model):
    nothing = decision.Support(0.3, 0.05, None, Geometry(transform=None))
    full = Geometry(
        transform=np.eye(3),
        inliers=300,
        match_share=0.94,
        coverage_query=1.0,
        coverage_asset=1.0,
        agreement=1.0,
        correlation=0.99,
        details={
            "found_by": "features",
            "structure": (0.95, 0.98),
            "median_structure": (0.96, 0.98),
        },
    )
    everything = decision.Support(0.99, 0.7, 0, full)
    assert model.score(nothing) < 0 < model.score(everything)
    assert model.probability(model.score(nothing)) < 0.05
    assert model.probability(model.score(everything)) > 0.95


def test_another_view_of_the_same_thing_is_related_not_copy(model):
    other_view = Geometry(
        transform=np.eye(3), inliers=60, match_share=0.5, coverage_query=0.9, agreement=0.1
    )
    support = decision.Support(0.8, 0.5, None, other_view)
    assert model.relation(5.0, -3.0, support) == "related"
    assert model.relation(-5.0, -3.0, support) == "related"
    chance = decision.Support(0.3, 0.1, None, Geometry(transform=None))
    assert model.relation(-5.0, -3.0, chance) == "none"


def test_index_measures_its_null_by_count(tmp_path, rng, monkeypatch):
    """A fifth of the index, whatever the machine's speed; the same seed gives the same scores."""
    monkeypatch.setattr(calibration, "MIN_ASSETS", 10)
    for i in range(10):
        noise = rng.integers(0, 255, (6, 8, 3), dtype=np.uint8)
        Pillow.fromarray(noise).resize((320, 240)).save(tmp_path / f"{i}.png")
    seen = []
    with Index(tmp_path / "index", "w") as index:
        list(index.add([tmp_path], workers=1, calibrate=False))
        assert index.store.state(calibration.STATE_KEY) is None
        measured = index.calibrate(progress=lambda done, total: seen.append((done, total)))
        first = index.store.state(calibration.STATE_KEY)
        assert index.calibrate() == 0
        calibration.refresh(index.store, index.searcher)
        assert index.store.state(calibration.STATE_KEY) == first
        for change in ({"assets": 6}, {"assets": 16}, {"model": "older"}):
            index.store.set_state(calibration.STATE_KEY, first | change)
            assert calibration.due(index.store, index.searcher.model)
        assert calibration.measured_scores(index.store, index.searcher.model) is None
    assert seen == [(1, 2), (2, 2)]
    assert first["assets"] == 10
    assert len(first["scores"]) == measured <= 2
