"""The names that ``import originlens`` promises, and what importing costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import originlens


def test_every_public_name_exists() -> None:
    for name in originlens.__all__:
        assert getattr(originlens, name) is not None
    assert dir(originlens) == sorted(originlens.__all__)


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'serach'"):
        originlens.serach  # noqa: B018


def test_import_loads_nothing_heavy() -> None:
    script = (
        "import sys, originlens; originlens.__version__; "
        "print([m for m in ('numpy', 'PIL', 'cv2', 'faiss', 'onnxruntime') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
