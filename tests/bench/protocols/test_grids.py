"""Grids: no unit on both sides, and each protocol trains and tests on what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from originlens.bench.protocols import grids
from originlens.bench.protocols.grids import Cell, Sides
from originlens.bench.protocols.manifest import Manifest, Row
from originlens.core.errors import UsageError

ROOT = Path("data")
FORGERY = {"g1": "swap", "g2": "swap", "g3": "synthesis"}

GRIDS: dict[str, Callable[[Sides], Iterator[Cell]]] = {
    "cross generator": grids.cross,
    "cross source": lambda sides: grids.cross(sides, "source"),
    "leave one generator out": grids.leave_one_generator_out,
    "leave one source out": grids.leave_one_source_out,
    "cross forgery": grids.cross_forgery,
    "cross domain": grids.cross_domain,
    "unknown": lambda sides: grids.unknown(sides, sides.manifest.values("generator")[:1]),
    "one versus all": grids.one_vs_all,
}


def row(number: int, generator: str, source: str, group: str, split: str = "") -> Row:
    label = "fake" if generator else "real"
    extra = {"forgery": FORGERY.get(generator, "")}
    return Row(f"{number}.png", label, "", source, generator, group, split, extra)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    cells = st.tuples(
        st.sampled_from(["", "g1", "g2", "g3"]),
        st.sampled_from(["s1", "s2", "s3"]),
        st.sampled_from(["", "u1", "u2", "u3", "u4"]),
        st.sampled_from(["train", "val", "test"]),
    )
    rows = draw(st.lists(cells, min_size=1, max_size=25))
    has_splits = draw(st.booleans())
    made = [row(i, g, s, u, p if has_splits else "") for i, (g, s, u, p) in enumerate(rows)]
    # Every grid needs a generator and a real source; they come in groups of their own.
    made.append(row(1000, "g1", "s1", "", "test" if has_splits else ""))
    made.append(row(1001, "", "s1", "", "test" if has_splits else ""))
    return Manifest(tuple(made), ROOT)


@pytest.mark.parametrize("grid", GRIDS)
@settings(max_examples=60, deadline=None)
@given(manifest=manifests(), seed=st.integers(0, 3))
def test_no_unit_is_on_both_sides(grid: str, manifest: Manifest, seed: int) -> None:
    units = np.array(manifest.units(), dtype=object)
    for cell in GRIDS[grid](Sides(manifest, seed=seed)):
        assert cell.train is not None
        assert not set(units[cell.train]) & set(units[cell.test]), cell.name


def whole() -> Manifest:
    """Three generators, three sources, both sides of each, every unit of one row."""
    rows = [
        row(number, generator, source, "", split)
        for number, (generator, source, split) in enumerate(
            (g, s, p)
            for g in ("", "g1", "g2", "g3")
            for s in ("s1", "s2", "s3")
            for p in ("train", "test")
        )
    ]
    return Manifest(tuple(rows), ROOT)


def seen(cell: Cell, column: str) -> tuple[set[str], set[str]]:
    manifest = whole()
    assert cell.train is not None
    assert cell.problem == ""
    return set(manifest.take(cell.train).column(column)), set(
        manifest.take(cell.test).column(column)
    )


def test_train_on_a_test_on_b_is_a_full_matrix() -> None:
    cells = {cell.name: cell for cell in grids.cross(Sides(whole()))}
    assert len(cells) == 9
    assert seen(cells["g1 -> g2"], "generator") == ({"", "g1"}, {"", "g2"})
    assert seen(cells["g3 -> g3"], "generator") == ({"", "g3"}, {"", "g3"})


def test_the_generator_left_out_is_tested_alone() -> None:
    cells = {cell.name: cell for cell in grids.leave_one_generator_out(Sides(whole()))}
    assert set(cells) == {"without g1", "without g2", "without g3"}
    assert seen(cells["without g2"], "generator") == ({"", "g1", "g3"}, {"", "g2"})


def test_the_source_left_out_is_trained_on_nowhere() -> None:
    cells = {cell.name: cell for cell in grids.leave_one_source_out(Sides(whole()))}
    assert seen(cells["without s1"], "source") == ({"s2", "s3"}, {"s1"})


def test_a_source_without_fakes_is_tested_against_all_fakes() -> None:
    rows = (*whole().rows, row(90, "", "s9", "", "test"), row(91, "", "s9", "", "train"))
    manifest = Manifest(rows, ROOT)
    cells = {cell.name: cell for cell in grids.leave_one_source_out(Sides(manifest))}
    test = manifest.take(cells["without s9"].test)
    assert {r.source for r in test if r.is_negative} == {"s9"}
    assert {r.source for r in test if not r.is_negative} == {"s1", "s2", "s3"}


def test_cross_forgery_stays_in_its_domain_and_cross_domain_in_its_family() -> None:
    forgery = {cell.name: cell for cell in grids.cross_forgery(Sides(whole()))}
    assert len(forgery) == 6
    cell = forgery["swap -> synthesis in s1"]
    assert seen(cell, "generator") == ({"", "g1", "g2"}, {"", "g3"})
    assert seen(cell, "source") == ({"s1"}, {"s1"})
    domain = {cell.name: cell for cell in grids.cross_domain(Sides(whole()))}
    assert len(domain) == 12
    cell = domain["swap: s1 -> s3"]
    assert seen(cell, "generator") == ({"", "g1", "g2"}, {"", "g1", "g2"})
    assert seen(cell, "source") == ({"s1"}, {"s3"})


def test_what_is_unknown_is_unseen_with_its_domain() -> None:
    rows = (
        *whole().rows,
        *(row(90 + i, "new", "s9", "", p) for i, p in enumerate(("train", "test"))),
        *(row(95 + i, "", "s9", "", p) for i, p in enumerate(("train", "test"))),
    )
    manifest = Manifest(rows, ROOT)
    (cell,) = grids.unknown(Sides(manifest), ["new"])
    assert cell.train is not None
    assert set(manifest.take(cell.train).column("source")) == {"s1", "s2", "s3"}
    assert set(manifest.take(cell.test).column("source")) == {"s9"}
    assert set(manifest.take(cell.test).column("generator")) == {"", "new"}
    with pytest.raises(UsageError, match="no generator 'old': there are g1, g2, g3, new"):
        list(grids.unknown(Sides(manifest), ["old"]))


def test_one_generator_against_all_the_others() -> None:
    cells = {cell.name: cell for cell in grids.one_vs_all(Sides(whole()))}
    assert seen(cells["g1 -> rest"], "generator") == ({"", "g1"}, {"", "g2", "g3"})


def test_a_cell_without_a_class_says_so() -> None:
    rows = tuple(row(i, "g1" if i % 2 else "", "s1", "", "test") for i in range(4))
    (cell,) = grids.leave_one_generator_out(Sides(Manifest(rows, ROOT)))
    assert cell.problem == "no negative rows to train on; no positive rows to train on"


def test_validation_rows_stay_out_and_the_stricter_side_takes_a_shared_group() -> None:
    rows = (
        row(0, "g1", "s1", "u", "train"),
        row(1, "", "s1", "u", "test"),
        row(2, "", "s1", "v", "val"),
        row(3, "", "s1", "w", "train"),
    )
    sides = Sides(Manifest(rows, ROOT))
    assert sides.train.tolist() == [False, False, False, True]
    assert sides.test.tolist() == [True, True, False, False]


def test_units_are_drawn_by_the_seed_and_the_share() -> None:
    rows = tuple(row(i, "g1" if i % 2 else "", "s1", f"u{i // 2}") for i in range(100))
    manifest = Manifest(rows, ROOT)
    sides = Sides(manifest, test_share=0.2, seed=1)
    assert sides.test.sum() == 20
    assert np.array_equal(sides.test, Sides(manifest, test_share=0.2, seed=1).test)
    assert not np.array_equal(sides.test, Sides(manifest, test_share=0.2, seed=2).test)


def test_half_filled_splits_are_refused() -> None:
    rows = (row(0, "g1", "s1", "", "train"), row(1, "", "s1", ""))
    with pytest.raises(UsageError, match="row 2 has no split, others do"):
        Sides(Manifest(rows, ROOT))
    with pytest.raises(UsageError, match="the column 'generator' is empty"):
        list(grids.cross(Sides(Manifest(rows[1:], ROOT))))


def test_the_degradation_matrix_tests_every_row_under_every_attack() -> None:
    cells = list(grids.degradation(whole(), {"jpeg": (0.2, 0.8), "crop:0.3+blur": (0.5,)}))
    assert [cell.attack for cell in cells] == ["", "jpeg:0.2", "jpeg:0.8", "crop:0.3+blur:0.5"]
    assert all(cell.train is None and len(cell.test) == len(whole()) for cell in cells)
    with pytest.raises(UsageError):
        list(grids.degradation(whole(), {"jpeg": (1.2,)}))


BY_NAME: dict[str, Callable[[], Iterator[Cell]]] = {
    "cross": lambda: grids.cross(Sides(whole())),
    "cross:source": lambda: grids.cross(Sides(whole()), "source"),
    "leave-one-generator-out": lambda: grids.leave_one_generator_out(Sides(whole())),
    "leave-one-source-out": lambda: grids.leave_one_source_out(Sides(whole())),
    "cross-forgery": lambda: grids.cross_forgery(Sides(whole())),
    "cross-domain:generator": lambda: grids.cross_domain(Sides(whole()), family="generator"),
    "unknown:g1": lambda: grids.unknown(Sides(whole()), ["g1"]),
    "one-vs-all": lambda: grids.one_vs_all(Sides(whole())),
    "degradation:jpeg": lambda: grids.degradation(whole(), {"jpeg": grids.STRENGTHS}),
}


@pytest.mark.parametrize("name", BY_NAME)
def test_a_grid_is_the_same_by_its_name(name: str) -> None:
    expected = list(BY_NAME[name]())
    found = grids.cells(name, whole())
    assert [cell.name for cell in found] == [cell.name for cell in expected]
    for a, b in zip(found, expected, strict=True):
        assert np.array_equal(a.test, b.test)
        assert (a.train is None and b.train is None) or np.array_equal(a.train, b.train)


def test_unknown_by_name_is_a_grid_for_each_generator() -> None:
    found = grids.cells("unknown", whole())
    assert [cell.name for cell in found] == ["unknown g1", "unknown g2", "unknown g3"]
    (alone,) = grids.unknown(Sides(whole()), ["g1"])
    assert np.array_equal(found[0].test, alone.test)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nosuch", "use one of"),
        ("one-vs-all:g1", "takes nothing behind a colon"),
        ("degradation", "name the attacks"),
        ("degradation:nosuch", "nosuch"),
        ("unknown:g9", "no generator 'g9'"),
        ("cross:nosuch", "no column 'nosuch'"),
    ],
)
def test_a_grid_that_there_is_not_is_refused(name: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        grids.cells(name, whole())
