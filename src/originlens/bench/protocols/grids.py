"""Grids of evaluation cells over a manifest: what is trained on, what is tested on.

Every unit (a group, or a row without one) is put on the train or the test side once, for the whole
grid: by the manifest's own ``split`` where all rows have one (``val`` rows stay out of both; a
group that reaches into several splits goes to the first of test, val, train), else by a seeded
draw. A cell then takes its train rows from the train side and its test rows from the test side, so
that no group can be on both sides, whatever the grid.

The protocols: train-on-A/test-on-B (Song et al. 2023, arXiv:2309.02218; Zhu et al. 2023,
arXiv:2306.08571), leave one generator or one real source out, cross-forgery, cross-domain, unknown
and one-versus-all (DF40, Yan et al. 2024, arXiv:2406.13495, protocols 1 to 4), and the degradation
matrix of attacks by strengths. :func:`cells` has them by name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from originlens.bench.chains import parse
from originlens.bench.protocols.manifest import Manifest
from originlens.core.errors import UsageError

#: Grids by name, each with what may stand behind a colon ("" for nothing).
GRIDS = {
    "none": "",
    "cross": "COLUMN",
    "leave-one-generator-out": "",
    "leave-one-source-out": "",
    "cross-forgery": "COLUMN",
    "cross-domain": "COLUMN",
    "unknown": "GENERATOR,...",
    "one-vs-all": "",
    "degradation": "ATTACK,...",
}
#: Strengths of a degradation matrix that is asked for by name.
STRENGTHS = (0.2, 0.4, 0.6, 0.8, 1.0)

Rows = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One evaluation.

    ``test`` (K,) and ``train`` (J,) are row numbers of the manifest, ascending; ``train`` is None
    where the grid asks for no training. ``attack`` is the expression applied to every test picture
    first ("" for none). ``problem`` says why the cell cannot be evaluated (a class is absent on a
    side); it is "" for a sound one, and such a cell is yielded all the same so that reports can
    name it.
    """

    name: str
    train: Rows | None
    test: Rows
    attack: str = ""
    problem: str = ""


class Sides:
    """Which units a grid trains on and which it tests on."""

    def __init__(self, manifest: Manifest, *, test_share: float = 0.3, seed: int = 0) -> None:
        """Put every unit on a side.

        Args:
            manifest: the rows.
            test_share: share in (0, 1) of the units to test on, where the manifest has no splits.
            seed: of the draw in that case.

        Raises:
            UsageError: some rows have a split and some have none.
        """
        if not 0 < test_share < 1:
            raise UsageError(f"the test share {test_share} does not lie in (0, 1)")
        self.manifest = manifest
        units = manifest.units()
        splits = manifest.column("split")
        if all(splits) and manifest.rows:
            sides = _by_split(units, splits)
        elif any(splits):
            number = splits.index("") + 1
            raise UsageError(
                f"row {number} has no split, others do: fill the split column or empty it"
            )
        else:
            sides = _by_draw(units, test_share, seed)
        self.train: Flags = np.array([sides[unit] == "train" for unit in units], dtype=bool)
        self.test: Flags = np.array([sides[unit] == "test" for unit in units], dtype=bool)
        self.negative: Flags = ~manifest.truth()

    def holds(self, column: str, value: str) -> Flags:
        """(N,) bool: rows that hold the value in a column."""
        return np.array([cell == value for cell in self.manifest.column(column)], dtype=bool)

    def cell(self, name: str, train: Flags, test: Flags) -> Cell:
        """The cell of the rows asked for, cut down to their sides."""
        train, test = self.train & train, self.test & test
        lacking = [
            f"no {kind} rows to {verb}"
            for verb, rows in (("train on", train), ("test on", test))
            for kind, flags in (("negative", self.negative), ("positive", ~self.negative))
            if not (rows & flags).any()
        ]
        return Cell(name, np.flatnonzero(train), np.flatnonzero(test), problem="; ".join(lacking))


def _by_split(units: Sequence[str], splits: Sequence[str]) -> dict[str, str]:
    rank = {"test": 0, "val": 1, "train": 2}
    sides: dict[str, str] = {}
    for unit, split in zip(units, splits, strict=True):
        # What is tested on must not have been trained on: the stricter side takes the whole unit.
        sides[unit] = min(sides.get(unit, split), split, key=rank.__getitem__)
    return sides


def _by_draw(units: Sequence[str], test_share: float, seed: int) -> dict[str, str]:
    names = sorted(set(units))
    order = np.random.default_rng(seed).permutation(len(names))
    count = round(test_share * len(names))
    return {names[i]: "test" if rank < count else "train" for rank, i in enumerate(order)}


def _any(sides: Sides, column: str, value: str) -> Flags:
    """Rows of a value, with the rows to which the column does not apply (real ones, mostly)."""
    return sides.holds(column, value) | sides.holds(column, "")


def _pairs(sides: Sides, column: str) -> tuple[str, ...]:
    values = sides.manifest.values(column)
    if not values:
        raise UsageError(f"the column {column!r} is empty: this grid needs it filled")
    return values


def whole(sides: Sides) -> Iterator[Cell]:
    """One cell: train on the whole train side, test on the whole test side."""
    everything = np.ones(len(sides.manifest), bool)
    yield sides.cell("whole test side", everything, everything)


def cross(sides: Sides, column: str = "generator") -> Iterator[Cell]:
    """Train on A, test on B for all values A, B of a column, A = B among them.

    Rows without a value (real pictures, where the column is ``generator``) are on their side of
    every cell.
    """
    values = _pairs(sides, column)
    for a in values:
        for b in values:
            yield sides.cell(f"{a} -> {b}", _any(sides, column, a), _any(sides, column, b))


def leave_one_generator_out(sides: Sides) -> Iterator[Cell]:
    """Train on every generator but one, test on that one; real pictures on both sides."""
    for name in _pairs(sides, "generator"):
        held = sides.holds("generator", name)
        yield sides.cell(f"without {name}", ~held, held | sides.negative)


def leave_one_source_out(sides: Sides) -> Iterator[Cell]:
    """Train without one source of real pictures, test on it.

    Tested are the real pictures of that source with the positive rows of that source, or with all
    positive rows where none has it. Rows of the source are trained on nowhere.
    """
    sources = {row.source for row in sides.manifest.rows if row.is_negative and row.source}
    if not sources:
        raise UsageError("no negative row has a source: this grid needs the column filled")
    for name in sorted(sources):
        held = sides.holds("source", name)
        positives = held & ~sides.negative
        if not (positives & sides.test).any():
            positives = ~sides.negative
        yield sides.cell(f"without {name}", ~held, (held & sides.negative) | positives)


def cross_forgery(
    sides: Sides, *, family: str = "forgery", domain: str = "source"
) -> Iterator[Cell]:
    """Same data domain, different forgery family (DF40 protocol 1): A in domain d to B in d."""
    for place in _pairs(sides, domain):
        here = sides.holds(domain, place)
        for a in _pairs(sides, family):
            for b in sides.manifest.values(family):
                if a != b:
                    yield sides.cell(
                        f"{a} -> {b} in {place}",
                        here & _any(sides, family, a),
                        here & _any(sides, family, b),
                    )


def cross_domain(
    sides: Sides, *, family: str = "forgery", domain: str = "source"
) -> Iterator[Cell]:
    """Same forgery family, different data domain (DF40 protocol 2): F in d to F in e."""
    for kind in _pairs(sides, family):
        same = _any(sides, family, kind)
        for a in _pairs(sides, domain):
            for b in sides.manifest.values(domain):
                if a != b:
                    yield sides.cell(
                        f"{kind}: {a} -> {b}",
                        same & sides.holds(domain, a),
                        same & sides.holds(domain, b),
                    )


def unknown(sides: Sides, generators: Collection[str], *, domain: str = "source") -> Iterator[Cell]:
    """Open set: forgery and domain both unseen (DF40 protocol 3), a cell for each generator.

    Trained on is whatever is neither made by one of ``generators`` nor of a domain they occur in;
    tested are the generator's rows with the real ones of its domains (all real ones, if it has
    none).

    Raises:
        UsageError: a generator that the manifest does not have.
    """
    known = sides.manifest.values("generator")
    strange = sorted(set(generators) - set(known))
    if strange or not generators:
        raise UsageError(f"no generator {', '.join(strange)!r}: there are {', '.join(known)}")
    places = sides.manifest.column(domain)
    made = {name: sides.holds("generator", name) for name in sorted(generators)}
    domains = {
        name: {places[i] for i in np.flatnonzero(rows)} - {""} for name, rows in made.items()
    }
    closed = set().union(*domains.values())
    seen = np.array([place not in closed for place in places], dtype=bool)
    for rows in made.values():
        seen &= ~rows
    for name, rows in made.items():
        home = np.array([place in domains[name] for place in places], dtype=bool)
        real = sides.negative & (home if domains[name] else True)
        yield sides.cell(f"unknown {name}", seen, rows | real)


def one_vs_all(sides: Sides) -> Iterator[Cell]:
    """Train on one generator, test on all the others at once (DF40 protocol 4)."""
    for name in _pairs(sides, "generator"):
        alone = sides.holds("generator", name)
        yield sides.cell(f"{name} -> rest", _any(sides, "generator", name), ~alone)


def degradation(manifest: Manifest, attacks: Mapping[str, Sequence[float]]) -> Iterator[Cell]:
    """Every attack at every strength over all rows, after one cell of untouched pictures.

    ``attacks`` maps an attack's name, or a chain without strengths of which the last step takes
    the strength, to strengths in [0, 1]. The cells name no rows to train on: systems that learn do
    so on untouched pictures, of the other side of a split.

    Raises:
        UsageError: an unknown attack, or a strength outside [0, 1].
    """
    expressions = [
        f"{name}:{strength:g}" for name, strengths in attacks.items() for strength in strengths
    ]
    for expression in expressions:
        parse(expression)
    everything = np.arange(len(manifest))
    for expression in ("", *expressions):
        yield Cell(expression or "untouched", None, everything, attack=expression)


def cells(name: str, manifest: Manifest, *, seed: int = 0) -> list[Cell]:
    """The cells of a grid by its name in :data:`GRIDS`.

    Behind a colon: the column that ``cross`` crosses (``generator``), the column of the families in
    ``cross-forgery`` and ``cross-domain`` (``forgery``), the generators of ``unknown`` (each in
    turn), the attacks of ``degradation`` (at :data:`STRENGTHS`).

    Args:
        name: such as ``cross``, ``cross:source``, ``unknown:sdxl,flux``, ``degradation:jpeg``.
        manifest: the rows.
        seed: puts units on sides where the manifest has no splits.

    Raises:
        UsageError: no such grid, the manifest lacks what it needs, or its labels are of one class.
    """
    grid, _, given = name.partition(":")
    if grid not in GRIDS:
        raise UsageError(f"no grid {grid!r}: use one of {', '.join(GRIDS)}")
    if given and not GRIDS[grid]:
        raise UsageError(f"{name}: {grid} takes nothing behind a colon")
    if grid == "degradation":
        if not given:
            raise UsageError("degradation: name the attacks, such as degradation:jpeg,blur")
        manifest.require_both_classes()
        return list(degradation(manifest, dict.fromkeys(given.split(","), STRENGTHS)))
    sides = Sides(manifest, seed=seed)
    manifest.require_both_classes()
    if grid == "unknown":
        made = _each_unknown(sides, given)
    elif grid == "cross":
        made = cross(sides, given or "generator")
    elif grid in ("cross-forgery", "cross-domain"):
        by_family = cross_forgery if grid == "cross-forgery" else cross_domain
        made = by_family(sides, family=given or "forgery")
    else:
        plain = {
            "none": whole,
            "leave-one-generator-out": leave_one_generator_out,
            "leave-one-source-out": leave_one_source_out,
            "one-vs-all": one_vs_all,
        }
        made = plain[grid](sides)
    return list(made)


def _each_unknown(sides: Sides, given: str) -> Iterator[Cell]:
    """A grid of its own for each generator, so that the others may be trained on."""
    for generator in given.split(",") if given else _pairs(sides, "generator"):
        yield from unknown(sides, [generator])
