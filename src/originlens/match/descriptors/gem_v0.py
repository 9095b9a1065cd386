"""GeM v0: one learned 256-dimensional vector per picture, found again after strong edits.

Papers: MobileNetV2 (Sandler et al., CVPR 2018) as the trunk; generalised-mean pooling and learned
whitening (Radenovic, Tolias, Chum, TPAMI 2019, arXiv 1711.02512).

Why it works: pooled features of a classification network, from its last map and from four earlier
stages, say which things of which look are in the picture, almost wherever they are; a whitening
learned from (photograph, edited copy) pairs damps the directions in which edits move them.

When it fails: a picture pasted small into another one (send crops of the query as further views),
crops below about a tenth of the area, flat graphics and text pages, and different photographs of
the same object, which are near by design: a verifier has to decide.

The graph (shipped, made by ``train/global_descriptor/train.py``; model card in
``docs/models/gem_v0.md``) takes pixels and holds the normalisation, trunk, pooling and whitening.
"""

from __future__ import annotations

from originlens.core.registry import Card, Cost, Weights, register
from originlens.match.descriptors._pooled import Pooled

WEIGHTS = Weights(
    file="gem_v0.onnx",
    sha256="b7c3a485be0358270f7c0d6bcecd770c7e3dd6c82eb6e0b8066e8638c04225d3",
    bytes=5445346,
    licence="Apache-2.0; trunk: ImageNet MobileNetV2 of torchvision, BSD-3-Clause",
    training_data="trunk: ImageNet-1k; whitening: 4 676 photographs of public collections, edited",
)


@register(
    Card(
        name="gem-v0",
        kind="descriptor",
        task="copy detection",
        claims="the same picture after crops, overlays, colour, turns: near among thousands",
        paper="Sandler et al., CVPR 2018; Radenovic, Tolias, Chum, TPAMI 2019 (1711.02512)",
        code_licence="Apache-2.0",
        reads=("pixels",),
        cost=Cost(ms_per_mpx=9.5, mb=60.0, per="picture"),
        status="stable",
        scope="own weights: photographs",
        fails_when="small pasted pictures, crops below a tenth, flat graphics, same-object photos",
        weights=(WEIGHTS,),
    )
)
class GemV0(Pooled):
    """The descriptor ``gem-v0``; see :class:`~originlens.match.descriptors._pooled.Pooled`."""

    weights = WEIGHTS
    input_side = 224
