"""Fixtures of all tests."""

from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture
def rng() -> np.random.Generator:
    """A seeded source of randomness, fresh for each test."""
    return np.random.default_rng(20240229)
