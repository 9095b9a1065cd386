"""Views for the copy descriptor: what they may never meet, and what comes out."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from originlens.bench.kinds import kinds
from originlens.testing import textured_image


@pytest.fixture
def views(monkeypatch):
    folder = Path(__file__).resolve().parents[2] / "train" / "copy_descriptor"
    monkeypatch.syspath_prepend(str(folder))
    import views as module

    yield module
    sys.modules.pop("views", None)


def test_nothing_that_only_held_out_kinds_use_is_met(views):
    seen, held_out = (
        {step.name for kind in kinds(split) for step in kind.chain.steps}
        for split in ("seen", "held-out")
    )
    assert not set(views.EFFECTS) & (held_out - seen)


def test_pairs_are_squares_that_a_seed_repeats(views):
    made = views.Views(96)
    picture, other = (textured_image(k, 120, 160).pixels for k in (1, 2))
    for seed in range(12):
        first = made.pair(picture, [other], np.random.default_rng(seed))
        again = made.pair(picture, [other], np.random.default_rng(seed))
        assert [view.shape for view in first] == [(96, 96, 3)] * 2
        assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
