"""Published operating points of two watermark benchmarks, in terms of our attacks and chains.

WAVES (An et al. 2024, arXiv:2401.08573) combines its distortions at one relative strength each;
W-Bench (Lu et al. 2024, VINE, arXiv:2410.18775) lists 25 distortions by their absolute parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

GEOMETRIC = ("waves-rotation", "waves-resizedcrop", "waves-erasing")
PHOTOMETRIC = ("waves-brightness", "waves-contrast")
DEGRADATION = ("waves-blurring", "waves-noise", "waves-compression")


@dataclass(frozen=True, slots=True)
class Combo:
    """A WAVES combination: its distortions in their order, all at one relative strength (0, 1]."""

    name: str
    attacks: tuple[str, ...]
    strength: float

    @property
    def expression(self) -> str:
        """The chain as text, for :func:`originlens.bench.chains.parse`."""
        return "+".join(f"{attack}:{self.strength:g}" for attack in self.attacks)


@dataclass(frozen=True, slots=True)
class Point:
    """One published setting: an attack at the strength whose ``parameter`` becomes ``value``."""

    name: str
    attack: str
    strength: float
    parameter: str
    value: float

    @property
    def expression(self) -> str:
        """The attack as a chain of one step; ``repr`` keeps every digit of the strength."""
        return f"{self.attack}:{self.strength!r}"


_ALL = (*GEOMETRIC, *PHOTOMETRIC, *DEGRADATION)
_COMBOS = (
    Combo("dist-com-geo", GEOMETRIC, 0.15),
    Combo("dist-com-photo", PHOTOMETRIC, 0.15),
    Combo("dist-com-deg", DEGRADATION, 0.15),
    Combo("dist-com-all-mild", _ALL, 0.04),
    Combo("dist-com-all", _ALL, 0.2),
)

#: Attack, its reported parameter, W-Bench's values, and how the strength follows from a value.
_WBENCH = (
    ("brightness", "factor", (1.2, 1.4, 1.6, 1.8, 2.0), lambda value: value - 1),
    ("contrast", "factor", (1.2, 1.4, 1.6, 1.8, 2.0), lambda value: value - 1),
    ("blurring", "radius", (1, 3, 5, 7, 9), lambda value: value / 20),
    ("noise", "sigma", (0.02, 0.04, 0.06, 0.08, 0.1), lambda value: value / 0.1),
    ("compression", "quality", (10, 25, 40, 55, 70), lambda value: (90 - value) / 80),
)


def waves_combos() -> tuple[Combo, ...]:
    """Dist-Com-Geo, -Photo, -Deg at 0.15 and -All at 0.04 ("mild") and 0.2, as WAVES shows them."""
    return _COMBOS


def wbench_points() -> tuple[Point, ...]:
    """The 25 distortion points of W-Bench, five of each of five distortions."""
    return tuple(
        Point(
            name=f"wbench-{distortion}-{value:g}",
            attack=f"waves-{distortion}",
            strength=round(strength(value), 12),
            parameter=parameter,
            value=float(value),
        )
        for distortion, parameter, values, strength in _WBENCH
        for value in values
    )
