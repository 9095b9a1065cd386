"""The small network that turns deviations of an aligned pair into "changed here" per pixel.

Shipped weights, made by ``train/change_map/train.py`` from seen edits of photographs (model card in
``docs/models/change_map.md``). It sees only normalised deviations, never the pictures themselves,
so what it learned is where deviations of what shape are an edit.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from originlens.core import weights
from originlens.core.registry import Weights
from originlens.match._deviation import Deviation

if TYPE_CHECKING:
    import onnxruntime

Floats = npt.NDArray[np.float32]

WEIGHTS = Weights(
    file="change_map.onnx",
    sha256="6ffd98561c104d429d807c95dce45d37163344f0653da49a255f58fe1b2dec58",
    bytes=104007,
    licence="Apache-2.0",
    training_data="seen edits of the train split of 18 public collections of photographs",
)


@lru_cache(maxsize=1)
def _session() -> onnxruntime.InferenceSession:
    import onnxruntime

    data = weights.read(WEIGHTS, Path(__file__).parent / "weights")
    options = onnxruntime.SessionOptions()
    # A map takes a tenth of a second: more threads would cost more than they save, and the result
    # must not depend on their count.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def change_logits(found: Deviation) -> Floats:
    """Logits of "locally changed", (h, w) float32, for the features of an aligned pair.

    Raises:
        WeightsError: the weight file is absent or its checksum is wrong.
    """
    height, width = found.fine.shape[:2]
    # The network halves twice: pad to multiples of four by repeating the rim.
    tall, wide = -height % 4, -width % 4
    fine = np.pad(found.fine, ((0, tall), (0, wide), (0, 0)), mode="edge")
    short = (fine.shape[0] // 2 - found.coarse.shape[0], fine.shape[1] // 2 - found.coarse.shape[1])
    coarse = np.pad(found.coarse, ((0, short[0]), (0, short[1]), (0, 0)), mode="edge")
    feeds = {
        "fine": np.ascontiguousarray(fine.transpose(2, 0, 1))[None],
        "coarse": np.ascontiguousarray(coarse.transpose(2, 0, 1))[None],
    }
    logits = _session().run(None, feeds)[0]
    return np.asarray(logits[0, 0, :height, :width], dtype=np.float32)
