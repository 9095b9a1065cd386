"""The demo does what it promises: every answer right, a report, and the files it says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[1] / "examples" / "demo.py"


@pytest.mark.slow
def test_demo(tmp_path: Path) -> None:
    pytest.importorskip("skimage", reason="the photographs come with originlens[demo]")
    pytest.importorskip("sklearn", reason="the photographs come with originlens[demo]")
    out = tmp_path / "out"
    done = subprocess.run(
        [sys.executable, str(DEMO), "--out", str(out), "--no-browser"],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "14 of 14 answers are right" in done.stdout
    assert str(out / "report.html") in done.stdout.replace("\n", "")
    assert (out / "report.html").stat().st_size < 8_000_000
    assert len(list((out / "found").iterdir())) == 14
