"""The shipped conformance checks, run over every registered method."""

from __future__ import annotations

import pytest

from originlens.core import registry
from originlens.core.errors import MissingExtra
from originlens.testing import Check, checks

CHECKS = [
    pytest.param(check, id=f"{method.card.kind}-{check}")
    for method in registry.methods()
    for check in checks(method)
]


@pytest.mark.parametrize("check", CHECKS)
def test_conformance(check: Check) -> None:
    try:
        check()
    except MissingExtra as missing:
        pytest.skip(str(missing))


def test_every_kind_is_covered() -> None:
    kinds = {method.card.kind for method in registry.methods()}
    assert kinds == set(registry.KINDS)
    assert len(CHECKS) > 100
