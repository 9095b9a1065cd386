"""The patterns that nothing which is fitted, calibrated or chosen may ever see.

They answer "what about an edit nobody thought of?": reports may use them, code that fits may not.
``tests/bench/test_patterns.py`` reads ``train/``, ``match/`` and the seen edit kinds for their
names. The list only grows; a pattern that was ever used for fitting cannot come back.
"""

from __future__ import annotations

UNSEEN: tuple[str, ...] = (
    # geometry
    "swirl",
    "kaleidoscope",
    "tile-shuffle",
    # tone and texture
    "solarise",
    "dither",
    "pencil-sketch",
    "pixel-sort",
    # overlay
    "scribble",
    "tiled-watermark",
    "rain",
    "speech-bubble",
    "magnifier",
    # composite
    "polaroid",
    "tiled-repeat",
    "billboard",
)
