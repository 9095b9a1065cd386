"""Weight files: read once, checked, and refused when they are not what the card says."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from originlens.core import registry, weights
from originlens.core.errors import WeightsError
from originlens.core.registry import Weights

DATA = b"some weights"
RECORD = Weights("model.bin", hashlib.sha256(DATA).hexdigest(), len(DATA), "Apache-2.0", "none")


def test_file_is_read_once_and_checked(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(DATA)
    assert weights.read(RECORD, tmp_path) == DATA
    (tmp_path / "model.bin").unlink()
    assert weights.read(RECORD, tmp_path) == DATA


def test_absent_and_changed_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"cannot be read .*reinstall"):
        weights.read(RECORD, tmp_path)
    (tmp_path / "model.bin").write_bytes(DATA[::-1])
    with pytest.raises(WeightsError, match="not the file its card describes"):
        weights.read(RECORD, tmp_path)
    (tmp_path / "model.bin").write_bytes(DATA)
    with pytest.raises(WeightsError, match="not the file its card describes"):
        weights.read(replace(RECORD, bytes=1), tmp_path)


def test_every_shipped_weight_file_is_that_of_its_card() -> None:
    package = Path(registry.__file__).parents[1]
    records = [w for method in registry.methods() for w in method.card.weights]
    assert records
    for record in records:
        (found,) = package.rglob(record.file)
        assert weights.read(record, found.parent)
