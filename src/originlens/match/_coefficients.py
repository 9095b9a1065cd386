"""Coefficients that a recipe of ``train/`` fitted and the package ships as JSON."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib import resources
from typing import Any


def read(file: str, recipe: str, features: Sequence[str]) -> tuple[dict[str, Any], str]:
    """The contents of a file beside this module, and a name of this fit (12 hexadecimal digits).

    Args:
        file: its name.
        recipe: the folder of ``train/`` that makes it.
        features: the inputs that the code computes, in order.

    Raises:
        ValueError: it was fitted for other inputs.
    """
    text = resources.files("originlens.match").joinpath(file).read_text("utf-8")
    data: dict[str, Any] = json.loads(text)
    if tuple(data["features"]) != tuple(features):
        raise ValueError(f"{file} was fitted for other features: run train/{recipe}")
    return data, hashlib.sha256(text.encode()).hexdigest()[:12]
