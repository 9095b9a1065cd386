"""docs/how-to/peers.md: what it says of the peers, and its example, done as it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from originlens.bench.environments import environments
from originlens.core.registry import methods

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "how-to" / "peers.md").read_text(encoding="utf-8")
CHECK = """
from originlens.bench.environments import environment
from originlens.core.errors import MissingPeer
from originlens.core.registry import method
from originlens.testing import checks

found = list(checks(method("matcher", "toy-hash")))
try:
    found[0]()
except MissingPeer as missing:
    print(missing)
environment("toy-hash").install()
for check in found:
    check()
print(len(found), "checks")
"""


def test_every_peer_stands_in_the_table():
    table = PAGE.partition("| environment |")[2].partition("\n\n")[0]
    rows = {row.split("`")[1]: row for row in table.splitlines() if row.startswith("| `")}
    for each in environments():
        row = rows[each.name]
        assert each.recipe.licence in row
        assert each.recipe.installs[-1].split("==")[1] in row
        own = [m.card.name for m in methods() if getattr(m.cls, "peer", None) == each.name]
        assert own, f"no method asks {each.name}"
        for name in own:
            assert f"`{name}`" in row or f"`-{name.rsplit('-')[-1]}`" in row


def test_the_example_is_a_peer(tmp_path):
    """In a copy of the package, so that nothing that stands there beforehand can help."""
    (recipe,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    script, method = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    copy = tmp_path / "originlens"
    shutil.copytree(ROOT / "src" / "originlens", copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "bench" / "environments" / "toy-hash.toml").write_text(recipe)
    (copy / "bench" / "environments" / "toy_hash.py").write_text(script)
    (copy / "bench" / "peers" / "toy_hash.py").write_text(method)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHECK],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "ORIGINLENS_PEERS": str(tmp_path / "p")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, last = done.stdout.splitlines()
    assert "toy-hash: its environment is not installed" in first
    assert last == "5 checks"
