"""An attack added as one file is in the command line, the documentation and the suites.

Done in a copy of the package, so that nothing that stands there beforehand can help.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image as Pillow

from originlens.testing import textured_image

ROOT = Path(__file__).resolve().parents[2]
ATTACK = '''
"""Every n-th row darkened: a toy.

Paper: none, made by a test. Why it works as a test: it changes pixels. Fails when: rows are black.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("dark-rows", "darken every fourth row", ms=1))
class DarkRows(Edit):
    """Rows 0, 4, 8 ... lose up to all of their light."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Row values x (1 - strength)."""
        out = pixels.copy()
        out[::4] = np.rint(out[::4] * (1 - strength)).astype(np.uint8)
        return same_frame(out)
'''
ASK = """
import importlib.util, json, sys
import originlens
from originlens.core.registry import make, method
from originlens.testing import checks

spec = importlib.util.spec_from_file_location("docs_generate", sys.argv[1])
docs = importlib.util.module_from_spec(spec)
spec.loader.exec_module(docs)
found = list(checks(method("attack", "dark-rows")))
for check in found:
    check()
edits = [e for e in make("suite", "copy-patterns").edits() if e.name == "dark-rows"]
print(json.dumps({
    "package": originlens.__file__,
    "row": [line for line in docs.methods().splitlines() if "`dark-rows`" in line],
    "strengths": [e.strength for e in edits],
    "expressions": [e.expression for e in edits],
    "checks": [check.name for check in found],
}))
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with one file more."""
    place = tmp_path_factory.mktemp("copy")
    shutil.copytree(
        ROOT / "src" / "originlens",
        place / "originlens",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    (place / "originlens" / "bench" / "attacks" / "dark_rows.py").write_text(ATTACK)
    return place


def ran(copy: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_line_has_it(copy: Path) -> None:
    source = copy / "in.png"
    source.write_bytes(textured_image(3, 40, 50).data)
    told = ran(copy, "-m", "originlens", "attack", "dark-rows:1", "in.png", "out.png", "--jsonl")
    assert json.loads(told)["attack"] == "dark-rows:1"
    before, after = (Pillow.open(copy / name).convert("L") for name in ("in.png", "out.png"))
    assert after.crop((0, 0, 50, 1)).getextrema() == (0, 0)
    assert after.crop((0, 1, 50, 4)).tobytes() == before.crop((0, 1, 50, 4)).tobytes()
    assert "darken every fourth row" in ran(copy, "-m", "originlens", "methods")


def test_the_documentation_the_suites_and_the_checks_have_it(copy: Path) -> None:
    told = json.loads(ran(copy, "-c", ASK, str(ROOT / "docs" / "generate.py")))
    assert Path(told["package"]).is_relative_to(copy)
    (row,) = told["row"]
    assert "darken every fourth row" in row
    assert "1 ms per megapixel" in row
    assert told["strengths"] == [0.25, 0.5, 0.75, 1.0]
    assert told["expressions"][1].startswith("dark-rows:0.5+")
    assert "strength-0-is-identity" in told["checks"]
