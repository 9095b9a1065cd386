"""Paired comparison: what is compared depends on what the rows hold."""

from __future__ import annotations

import numpy as np
import pytest

from originlens.bench.comparison import paired, paired_difference
from originlens.bench.results import Pairs, Value
from originlens.core.errors import UsageError
from originlens.core.registry import make


def asked(number: int, *, negative: bool = False, edit: str = "crop") -> dict:
    name = "" if negative else edit
    return {
        "edit": name,
        "strength": None,
        "sha256": f"{number:x}",
        "seed": 3,
        "negative": negative,
    }


def retrieved(hits: list[bool], called: list[bool], ms: float) -> list[dict]:
    """Rows of a copy suite: edited pictures by crop and mirror, and strangers."""
    rows = [
        asked(n, edit="crop" if n % 2 else "mirror")
        | {"found": hit, "rank": 1 if hit else None, "called": hit, "score": 1.0, "ms": ms}
        for n, hit in enumerate(hits)
    ]
    strangers = [
        asked(100 + n, negative=True)
        | {"found": False, "rank": None, "called": wrong, "score": 0.0, "ms": ms}
        for n, wrong in enumerate(called)
    ]
    return rows + strangers


def lines(table) -> dict[str, dict]:
    return {row[0]: dict(zip(table.columns, row, strict=True)) for row in table.rows}


def test_shares_are_compared_on_common_questions():
    first = retrieved([True] * 4 + [False] * 16, [False] * 30, ms=4)
    second = retrieved([True] * 16 + [False] * 4, [False] * 29 + [True], ms=10)
    found = lines(paired(first, second[:-1]))
    recall = found["recall (own decision)"]
    assert recall["questions"] == 20
    assert (recall["first"].value, recall["second"].value) == (0.2, 0.8)
    assert recall["difference"].value == pytest.approx(0.6)
    assert 0.3 < recall["difference"].low < 0.6 < recall["difference"].high < 0.9
    assert recall["p"] == pytest.approx(2 * 0.5**12)  # twelve to none
    assert {"crop", "mirror", "recall@1"} <= set(found)
    assert "AUC, all pooled" not in found
    assert found["ms (median)"]["difference"].value == 6


def test_no_difference_at_all_is_not_certainty():
    rows = retrieved([True] * 20, [False] * 30, ms=4)
    found = lines(paired(rows, rows))
    alarms = found["negatives called"]
    assert alarms["questions"] == 30
    assert alarms["difference"].value == 0
    assert alarms["difference"].low == -alarms["difference"].high
    assert 0.05 < alarms["difference"].high < 0.2
    assert alarms["p"] == 1
    assert found["recall (own decision)"]["first"].low < 1


def test_a_difference_without_spread_is_bounded_by_its_pictures():
    # 0.025 ** (1 / k) is Clopper and Pearson's lower bound of k of k.
    for count, reach in ((2, 0.025 ** (1 / 2)), (6, 0.025 ** (1 / 6))):
        rows = retrieved([True] * count, [False] * 5, ms=1)
        lost = retrieved([False] * count, [False] * 5, ms=1)
        recall = lines(paired(rows, lost))["recall (own decision)"]
        worse, better = recall["difference"], lines(paired(lost, rows))["recall (own decision)"]
        assert (worse.value, worse.low) == (-1, -1)
        # The pictures that were not seen may differ the other way round.
        assert worse.high == pytest.approx(1 - 2 * reach)
        assert better["difference"].low == pytest.approx(2 * reach - 1)
        # As McNemar's test: two questions show nothing, six do.
        assert (worse.high < 0) == (recall["p"] < 0.05)
        assert f"{count} independent units" in worse.note


def test_questions_on_one_picture_are_one_group():
    rows = [row | {"sha256": "a"} for row in retrieved([True, False], [], ms=1)]
    other = [row | {"found": True, "rank": 1} for row in rows]
    recall = lines(paired(rows, other))["recall (own decision)"]["difference"]
    hidden = 0.975
    assert recall.value == 0.5
    assert recall.low == pytest.approx(0.5 - hidden * 1.5)
    assert recall.high == pytest.approx(0.5 + hidden * 0.5)


def test_separated_scores_are_bounded_by_the_smaller_class():
    rows = [
        asked(n, negative=n > 4) | {"found": False, "called": False, "score": float(n < 5)}
        for n in range(6)
    ]
    auc = lines(paired(rows, rows))["AUC, all pooled"]
    assert (auc["first"].low, auc["first"].high) == pytest.approx((0.025, 1))
    assert (auc["difference"].low, auc["difference"].high) == pytest.approx((-0.975, 0.975))


def detected(shift: float, *, seed: int) -> list[dict]:
    """Rows of a detector: forged pictures score ``shift`` higher."""
    rng = np.random.default_rng(seed)
    return [
        asked(n, negative=n % 2 == 0)
        | {"found": False, "called": False, "score": float(rng.normal(shift * (n % 2))), "f1": 0.1}
        for n in range(300)
    ]


def test_detectors_are_compared_by_auc_and_pixel_metrics():
    weak, strong = detected(0.5, seed=1), detected(2.5, seed=2)
    strong = [row | {"f1": 0.6} for row in strong]
    strong[0]["score"] = None  # not examined
    found = lines(paired(weak, strong))
    auc = found["AUC, all pooled"]
    assert auc["questions"] == 299
    assert 0.5 < auc["first"].value < 0.75
    assert auc["second"].value > 0.9
    assert auc["difference"].low > 0.1
    assert found["pixel-f1"]["difference"].value == pytest.approx(0.5)


def test_times_are_compared_where_nothing_else_is():
    first = [{"kind": "matcher", "sha256": str(n), "ms": 5.0 + n} for n in range(9)]
    second = [{"kind": "matcher", "sha256": str(n), "ms": 7.0 + n} for n in range(9)]
    other = [{"kind": "descriptor", "sha256": str(n), "ms": 1.0} for n in range(9)]
    (row,) = paired(first, second + other).rows
    assert row[:2] == ("ms (median)", 9)
    assert isinstance(row[4], Value)
    assert (row[4].value, row[4].low, row[4].high) == (2, 2, 2)


def test_other_questions_are_refused():
    rows = retrieved([True] * 3, [False] * 3, ms=1)
    with pytest.raises(UsageError, match="no question in common"):
        paired(rows, [row | {"seed": 4} for row in rows])
    files = [{"sha256": "ab", "outcome": "decoded"}]
    with pytest.raises(UsageError, match="nothing"):
        paired(files, files)


def ranked(score_of_true: np.ndarray, rng: np.random.Generator) -> tuple[Pairs, np.ndarray]:
    """(truth, scores): each query has one true pair of a given score, and two false ones."""
    count = len(score_of_true)
    correct = np.arange(3 * count) % 3 == 0
    scores = rng.normal(size=3 * count)
    scores[correct] = score_of_true
    return Pairs(correct, np.repeat(np.arange(count), 3), np.ones(count, np.int64)), scores


def test_a_metrics_difference_is_paired():
    """Two rankings that share their hard queries differ by less than either is uncertain."""
    uap, rng = make("metric", "uap"), np.random.default_rng(5)
    hardness = rng.normal(1.5, 1.0, 60)
    weak = ranked(hardness, np.random.default_rng(6))
    strong = ranked(hardness + 0.4, np.random.default_rng(6))
    gap = paired_difference(uap, strong, weak, rng=rng)
    assert gap.value == pytest.approx(uap.measure(*strong) - uap.measure(*weak))
    assert 0 < gap.low < gap.value < gap.high
    alone = uap.value(*strong, rng=rng)
    assert gap.high - gap.low < alone.high - alone.low
    nothing = paired_difference(uap, weak, weak, rng=rng, groups=[n // 2 for n in range(60)])
    assert (nothing.value, nothing.low, nothing.high, nothing.n) == (0, 0, 0, 30)


def test_resamples_without_a_true_pair_are_left_out():
    uap, rng = make("metric", "uap"), np.random.default_rng(5)
    truth = Pairs(np.array([True, False, False]), np.arange(3), np.array([1, 0, 0]))
    first, second = (truth, np.array([0.9, 0.5, 0.1])), (truth, np.array([0.3, 0.5, 0.1]))
    gap = paired_difference(uap, first, second, rng=rng)
    assert gap.value == pytest.approx(0.5)
    assert 0 <= gap.low <= gap.high < 0.67


def test_a_metrics_difference_needs_the_same_units():
    uap, rng = make("metric", "uap"), np.random.default_rng(5)
    with pytest.raises(UsageError, match="no pairs"):
        paired_difference(uap, ranked(np.ones(4), rng), ranked(np.ones(5), rng), rng=rng)
