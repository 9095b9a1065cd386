"""Copy v2: one learned 256-dimensional vector per picture, trained to find edited copies.

Papers: SSCD (Pizzi et al., CVPR 2022, arXiv:2202.10261) for the objective, cross-batch memory
(Wang et al., CVPR 2020, arXiv:1912.06798) for its negatives, subtraction of a background (Yokoo
2021, arXiv:2112.04323, section 3.4) for scores that compare across queries; MobileNetV2 (Sandler et
al., CVPR 2018) as the trunk.

Why it works: from stage 4 on the trunk is trained so that an edited view lies nearest to the view
as it was among thousands, while an entropy term spreads unrelated pictures over the sphere; what a
vector shares with a background of photographs is taken off, so that a picture which resembles
everything is near to nothing.

When it fails: a picture pasted small into another one (send crops of the query as further views),
crops below about a tenth of the area, flat graphics and text pages, and different photographs of
the same object, which are near by design: a verifier has to decide.

The graph (shipped, made by ``train/copy_descriptor``; model card in ``docs/models/copy_v2.md``)
takes pixels and holds normalisation, trunk, pooling, projection and background.
"""

from __future__ import annotations

from originlens.core.registry import Card, Cost, Weights, register
from originlens.match.descriptors._pooled import Pooled

WEIGHTS = Weights(
    file="copy_v2.onnx",
    sha256="960670031ef070e1fa20f8db4158df76d6d92d9977cd2de5a4bbe9d042b7a6cb",
    bytes=7542861,
    licence="Apache-2.0; trunk: ImageNet MobileNetV2 of torchvision, BSD-3-Clause",
    training_data="trunk: ImageNet-1k; then 4 676 photographs of public collections, edited",
)


@register(
    Card(
        name="copy-v2",
        kind="descriptor",
        task="copy detection",
        claims="the same picture after crops, overlays, colour, turns: nearest among thousands",
        paper="Pizzi et al., CVPR 2022 (2202.10261); Wang et al., CVPR 2020 (1912.06798)",
        code_licence="Apache-2.0",
        reads=("pixels",),
        cost=Cost(ms_per_mpx=6.5, mb=60.0, per="picture"),
        status="stable",
        scope="own weights: photographs",
        fails_when="small pasted pictures, crops below a tenth, flat graphics, same-object photos",
        weights=(WEIGHTS,),
    )
)
class CopyV2(Pooled):
    """The descriptor ``copy-v2``; see :class:`~originlens.match.descriptors._pooled.Pooled`."""

    weights = WEIGHTS
    input_side = 192
