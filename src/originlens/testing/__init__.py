"""Conformance checks of every kind of method, for this package and for plugins.

    import pytest
    from originlens.core import registry
    from originlens.testing import checks

    METHOD = registry.method("detector", "my-detector")

    @pytest.mark.parametrize("check", checks(METHOD), ids=str)
    def test_conformance(check):
        check()

A check raises AssertionError that says what was broken and with which input; a method whose extra
is not installed raises MissingExtra. Method classes are made with their default options. An index
whose card states a threshold "recall" may miss neighbours; any other one equals brute force.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from originlens.core.errors import UsageError
from originlens.core.registry import Method
from originlens.testing import (
    _attack,
    _baseline,
    _comparator,
    _descriptor,
    _detector,
    _index,
    _matcher,
    _metric,
    _suite,
    _verifier,
    _watermark,
)
from originlens.testing._pictures import awkward_images, textured_image

__all__ = ["Check", "awkward_images", "checks", "textured_image"]


@dataclass(frozen=True, slots=True)
class Check:
    """A named check of one method; calling it runs it."""

    method: str
    name: str
    run: Callable[[], None]

    def __call__(self) -> None:
        """Run the check.

        Raises:
            AssertionError: the method does not conform; the message says how.
            MissingExtra: the method's extra is not installed.
        """
        self.run()

    def __str__(self) -> str:
        return f"{self.method}-{self.name}"


def checks(method: Method) -> Iterator[Check]:
    """Every check of the method's kind.

    Raises:
        UsageError: no checks exist for that kind.
    """
    kinds = {
        "descriptor": _descriptor.CHECKS,
        "matcher": _matcher.CHECKS,
        "watermark": _watermark.CHECKS,
        "baseline": _baseline.CHECKS,
        "comparator": _comparator.CHECKS,
        "suite": _suite.CHECKS,
        "verifier": _verifier.CHECKS,
        "index": _index.CHECKS,
        "detector": _detector.CHECKS,
        "attack": _attack.CHECKS,
        "metric": _metric.CHECKS,
    }
    if method.card.kind not in kinds:
        raise UsageError(f"no conformance checks for kind {method.card.kind!r}")
    for name, run in kinds[method.card.kind].items():
        yield Check(method.card.name, name, partial(run, method))
