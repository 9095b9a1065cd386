"""Error level analysis: what a picture loses when it is saved as JPEG once more.

Paper: Krawetz 2007, A Picture's Worth: Digital Image Analysis and Forensics (Black Hat). Why it
works: a part that was compressed less often than the rest loses more when all is saved again. When
it fails: mostly. Edges and texture lose more than smooth parts whoever made them, a smooth
inpainted patch shows darker than the rest, and after a save of the whole picture at low quality all
parts are alike. It is here because everybody uses it.
"""

from __future__ import annotations

import io

import numpy as np

from originlens.core.evidence import Evidence
from originlens.core.image import Image
from originlens.core.registry import Card, Cost, register

_QUALITY, _WINDOW = 90, 16


@register(
    Card(
        name="ela",
        kind="baseline",
        task="edits",
        claims="parts that lose more than the rest when saved as JPEG again",
        paper="Krawetz 2007, A Picture's Worth (Black Hat)",
        code_licence="Apache-2.0",
        reads=("pixels",),
        cost=Cost(65.0, 28.0),
        status="stable",
        scope="the peer that everybody uses; a view, no evidence",
        fails_when="texture and edges light up by themselves; smooth patches stay dark; the whole "
        "picture was saved again",
        thresholds={"score": 0.8},
    )
)
class Ela:
    """The mean absolute error of a save at quality 90, averaged over 16 x 16 pixels.

    The map is scaled so that the largest error is 1, as the tools show it. The score is the largest
    error as a share of itself and the median one: 0.5 where all parts lose alike, 0.8 where one
    loses four times the median, which is called an edit.
    """

    def inspect(self, image: Image) -> Evidence:
        """The map and its contrast."""
        import cv2
        from PIL import Image as Pillow

        buffer = io.BytesIO()
        Pillow.fromarray(image.pixels).save(buffer, "JPEG", quality=_QUALITY)
        saved = Image(buffer.getvalue()).pixels
        error = np.abs(image.pixels.astype(np.float32) - saved).mean(axis=2)
        error = np.asarray(cv2.blur(error, (_WINDOW, _WINDOW), borderType=cv2.BORDER_REFLECT))
        largest, median = float(error.max()), float(np.median(error))
        heat = (error / max(largest, 1e-6)).astype(np.float32)
        score = largest / max(largest + median, 1e-6)
        return Evidence("ela", "edits", score=score, heatmap=np.clip(heat, 0, 1))
