"""The registry refuses what breaks its contract and survives plugins that do."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from originlens.core import registry
from originlens.core.errors import ContractError, UsageError
from originlens.core.registry import Card, Cost, register
from originlens.testing import checks

CARD = Card(
    name="test-only",
    kind="detector",
    task="test",
    claims="test",
    paper="none",
    code_licence="Apache-2.0",
    reads=("pixels",),
    cost=Cost(1.0, 1.0),
    status="toy",
    scope="tests",
    fails_when="always",
)


class Detector:
    def inspect(self, image: object) -> None: ...


@pytest.fixture(autouse=True)
def _restore() -> Iterator[None]:
    registry.methods()
    known = dict(registry._methods)
    yield
    registry._methods.clear()
    registry._methods.update(known)


def test_registered_method_is_found_with_its_options() -> None:
    @register(CARD)
    class WithOptions:
        def __init__(self, *, size: int = 3) -> None:
            self.size = size

        def inspect(self, image: object) -> None: ...

    method = registry.method("detector", "test-only")
    assert method.cls is WithOptions
    assert method.options()["size"].default == 3
    assert registry.make("detector", "test-only", size=5).size == 5


def test_duplicate_name_is_refused() -> None:
    register(CARD)(Detector)
    with pytest.raises(ContractError, match="already registered by"):
        register(CARD)(type("Other", (Detector,), {}))


@pytest.mark.parametrize(
    "field", ["name", "task", "claims", "paper", "code_licence", "reads", "scope", "fails_when"]
)
def test_incomplete_card_is_refused(field: str) -> None:
    empty: object = () if field == "reads" else ""
    with pytest.raises(ContractError, match=f"lacks '{field}'"):
        register(replace(CARD, **{field: empty}))(Detector)


def test_missing_verb_wrong_name_and_unknown_kind_are_refused() -> None:
    with pytest.raises(ContractError, match="no method 'inspect'"):
        register(CARD)(type("Mute", (), {}))
    with pytest.raises(ContractError, match="kebab-case"):
        register(replace(CARD, name="Test_Only"))(Detector)
    with pytest.raises(ContractError, match="unknown kind"):
        register(replace(CARD, kind="oracle"))(Detector)


def test_unknown_method_lists_those_that_exist() -> None:
    with pytest.raises(UsageError, match=r"no index 'nothing'.*flat"):
        registry.method("index", "nothing")


def test_kinds_without_checks_are_refused() -> None:
    with pytest.raises(UsageError, match="no conformance checks"):
        list(checks(registry.Method(replace(CARD, kind="oracle"), Detector)))


BAD_METHODS = {
    "writes-into-its-input": "image.pixels.setflags(write=True); image.pixels[:] = 0",
    "not-a-number": "return Evidence('bad', 'c', score=float('nan'))",
    "random": "import random; return Evidence('bad', 'c', score=random.random())",
    "wrong-map": "return Evidence('bad', 'c', heatmap=np.zeros((3, 3), np.float32))",
    "map-leaves-range": (
        "return Evidence('bad', 'c', heatmap=np.full(image.pixels.shape[:2], 2, np.float32))"
    ),
    "mute": "return Evidence('bad', 'c', status='failed')",
}


@pytest.mark.parametrize("fault", sorted(BAD_METHODS))
def test_conformance_catches(fault: str) -> None:
    source = f"""
    import numpy as np
    from originlens.core.evidence import Evidence
    class Bad:
        def inspect(self, image):
            {BAD_METHODS[fault]}
            return Evidence('bad', 'c')
    """
    scope: dict[str, object] = {}
    exec(textwrap.dedent(source), scope)
    method = registry.Method(replace(CARD, name="bad"), scope["Bad"])  # type: ignore[arg-type]
    failures = 0
    for check in checks(method):
        try:
            check()
        except (AssertionError, ValueError):
            failures += 1
    assert failures >= 1


def distribution(folder: Path, name: str, module: str, source: str) -> None:
    """An installed distribution, as an installer would leave it, with one entry point."""
    (folder / f"{module}.py").write_text(textwrap.dedent(source))
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[originlens.methods]\n{name} = {module}\n")


GOOD = """
from originlens.core.evidence import Evidence
from originlens.core.registry import Card, Cost, register

@register(Card(name="from-afar", kind="detector", task="test", claims="test", paper="none",
    code_licence="MIT", reads=("pixels",), cost=Cost(1, 1), status="toy", scope="tests",
    fails_when="always"))
class FromAfar:
    def inspect(self, image):
        return Evidence("from-afar", "test", score=0.5)
"""
CLASH = GOOD.replace("from-afar", "exif").replace("FromAfar", "Exif")


def test_plugins_enter_by_the_same_door_and_broken_ones_are_skipped(tmp_path: Path) -> None:
    distribution(tmp_path, "good-plugin", "ol_good", GOOD)
    distribution(tmp_path, "broken-plugin", "ol_broken", "raise RuntimeError('out of order')")
    distribution(tmp_path, "clash-plugin", "ol_clash", CLASH)
    program = """
    import sys, warnings
    sys.path.insert(0, sys.argv[1])
    from originlens.core import registry
    from originlens.testing import checks
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        names = [m.card.name for m in registry.methods("detector")]
    assert "from-afar" in names and "exif" in names, names
    assert registry.method("detector", "exif").cls.__module__.startswith("originlens."), "replaced"
    for check in checks(registry.method("detector", "from-afar")):
        check()
    print(*sorted(str(w.message) for w in caught), sep="\\n")
    heavy = {"torch", "faiss", "onnxruntime"} & set(sys.modules)
    print("HEAVY", sorted(heavy))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("plugin 'broken-plugin'")
    assert "out of order" in lines[0]
    assert "already registered" in lines[1]
    assert lines[-1] == "HEAVY []"


def test_listing_methods_warns_of_nothing_and_is_sorted() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cards = [(m.card.kind, m.card.name) for m in registry.methods()]
    assert cards == sorted(cards)
    assert all(registry.method(kind, name).card.name == name for kind, name in cards)
