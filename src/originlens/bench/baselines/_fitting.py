"""What every fitted baseline refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core.errors import UsageError


def both_classes(truth: npt.NDArray[np.bool_]) -> None:
    """Refuse labels of one class.

    Raises:
        UsageError: a class is absent.
    """
    if truth.all() or not truth.any():
        raise UsageError("both classes are needed to fit a baseline")


def fitted(model: Any, name: str) -> Any:
    """The model, if there is one.

    Raises:
        UsageError: it was not fitted.
    """
    if model is None:
        raise UsageError(f"{name} was not fitted: call fit first")
    return model
