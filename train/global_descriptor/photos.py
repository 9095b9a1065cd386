"""The photographs of a split and their resized pixels."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[2]


def shared_folder() -> Path:
    """The folder with ``data/``: $ORIGINLENS_SHARED, else ``shared`` beside the checkout."""
    return Path(os.environ.get("ORIGINLENS_SHARED", REPOSITORY.parent / "shared"))


def rows(split: str, *, shippable: bool) -> list[Path]:
    """Paths of the photographs of a split, sorted; ``shippable`` leaves out ship_ok = no."""
    data = shared_folder() / "data"
    with open(data / "manifest.csv", newline="") as file:
        chosen = [
            row["path"]
            for row in csv.DictReader(file)
            if row["path"].startswith("photos/")
            and row["split"] == split
            and not (shippable and row["ship_ok"] == "no")
        ]
    return [data / path for path in sorted(chosen)]


def read(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB."""
    import cv2

    return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
