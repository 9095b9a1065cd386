"""Spread-spectrum watermark: every bit is the sign of a keyed pattern of low DCT coefficients.

Paper: Cox et al. 1997 (IEEE Trans. Image Processing 6(12)) put a noise-like mark into perceptually
significant coefficients; Malvar and Florencio 2003 (IEEE Trans. Signal Processing 51(4)) subtract
what the picture itself says to the reader, so that the original is not needed. Why it works: a
pattern spread over many coefficients survives the loss of some, and without the key no picture
prefers a sign, which makes the p-value exact. When it fails: crop, rotation, mirror and padding,
which move every coefficient; flat or clipped pictures, which cannot take the energy.
"""

from __future__ import annotations

import hashlib
import math
import sys
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from originlens.bench import Reading
from originlens.core.errors import InputError, UsageError
from originlens.core.image import Image, Pixels
from originlens.core.pixels import luma
from originlens.core.registry import Card, Cost, register

_SIDE = 256
#: Radii of the coefficients in use: above a picture's large shapes, below what coding drops.
_LOW, _HIGH = 6.0, 128.0
_SMALLEST = 64
#: Share of the coefficients that tell the presence of a mark; the payload's bits share the rest.
_PILOT = 0.3
#: Worst ratio of a sum of random signs' tail to the normal one (Bentkus, Dzindzalieta 2015).
_TAIL = 3.178
_ALPHA = 1e-6

Floats = npt.NDArray[np.float64]


@register(
    Card(
        name="spread-spectrum",
        kind="watermark",
        task="invisible watermark, baseline of the suites",
        claims="carries 4, 6 or 8 bytes and states a p-value",
        paper="Cox et al. 1997 (IEEE TIP 6(12)); Malvar, Florencio 2003 (IEEE TSP 51(4))",
        code_licence="Apache-2.0",
        reads=("pixels",),
        cost=Cost(ms_per_mpx=4.0, mb=30.0, note="reading; embedding 18 ms"),
        status="toy",
        scope="a baseline to compare with; whoever has the key can remove or forge it",
        fails_when="crop, rotation, mirror, padding; flat or clipped pictures",
        thresholds={"p_value": _ALPHA},
    )
)
class SpreadSpectrum:
    """Reads bits as signs of correlations with patterns of a key; a pilot tells the presence.

    Args:
        key: what the patterns follow from; reader and writer need the same.
        psnr: of the marked picture, in dB, as far as rounding and clipping let it.
    """

    payload_bytes = (4, 6, 8)

    def __init__(self, *, key: str = "originlens", psnr: float = 40.0) -> None:
        self.key = key
        self.psnr = psnr

    def embed(self, image: Image, payload: bytes) -> Pixels:
        """See :class:`originlens.bench.Watermark`.

        The weakest patterns are raised first, all to one level, until the energy is spent.
        """
        import cv2

        if len(payload) not in self.payload_bytes:
            raise UsageError(f"a payload has 4, 6 or 8 bytes, not {len(payload)}")
        if min(image.height, image.width) < _SMALLEST:
            raise InputError(f"a watermark needs {_SMALLEST} pixels of the shorter side")
        layout = _layout(self.key, len(payload))
        sent = np.unpackbits(np.frombuffer(payload, np.uint8))
        signs = np.concatenate([[1.0], sent * 2.0 - 1.0])
        energy = _SIDE**2 * 255.0**2 * 10 ** (-self.psnr / 10)
        raised = _raised(signs * layout.correlations(_features(image)), layout, energy)
        plane = np.zeros((_SIDE, _SIDE), np.float32)
        plane[_used()] = layout.signs * (signs * raised)[layout.patterns]
        size = (image.width, image.height)
        residual = cv2.resize(cv2.idct(plane), size, interpolation=cv2.INTER_CUBIC)
        marked = np.rint(image.pixels + residual[..., None])
        return np.clip(marked, 0, 255).astype(np.uint8)

    def read(self, image: Image) -> Reading:
        """See :class:`originlens.bench.Watermark`; ``score`` is the pilot's in standard deviations.

        The p-value bounds the chance under a random key, for the three lengths tried together.
        """
        if min(image.height, image.width) < _SMALLEST:
            return Reading(np.zeros(0, np.uint8), None, 0.0, 1.0)
        features = _features(image)
        layouts = {length: _layout(self.key, length) for length in self.payload_bytes}
        scores = {n: layout.pilot(features) for n, layout in layouts.items()}
        length = max(scores, key=lambda n: scores[n])
        score = scores[length]
        chance = len(scores) * _TAIL * 0.5 * math.erfc(score / math.sqrt(2))
        p_value = min(1.0, max(chance, sys.float_info.min))
        said = layouts[length].correlations(features)[1:]
        bits = (said > 0).astype(np.uint8)
        payload = np.packbits(bits).tobytes() if p_value <= _ALPHA else None
        return Reading(bits, payload, score, p_value)


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """Which pattern each coefficient in use belongs to (0: the pilot), and its sign there."""

    patterns: npt.NDArray[np.intp]
    signs: Floats
    counts: Floats

    def correlations(self, features: Floats) -> Floats:
        """(1 + bits,) mean of signed features by pattern."""
        return np.bincount(self.patterns, features * self.signs) / self.counts

    def pilot(self, features: Floats) -> float:
        """The pilot's sum in standard deviations of a random key's."""
        own = self.patterns == 0
        spread = math.sqrt(float(np.square(features[own]).sum()))
        return float((features * self.signs)[own].sum()) / spread if spread else 0.0


@lru_cache(maxsize=64)
def _layout(key: str, length: int) -> _Layout:
    """The patterns of a key for payloads of ``length`` bytes."""
    digest = hashlib.sha256(f"{length}:{key}".encode()).digest()
    rng = np.random.default_rng(int.from_bytes(digest, "big"))
    count, bits = len(_used()[0]), 8 * length
    pilots = round(_PILOT * count)
    patterns = np.concatenate([np.zeros(pilots, np.intp), 1 + np.arange(count - pilots) % bits])
    patterns = rng.permutation(patterns)
    signs = rng.choice(np.array([-1.0, 1.0]), count)
    return _Layout(patterns, signs, np.bincount(patterns).astype(np.float64))


@lru_cache(maxsize=1)
def _used() -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Rows and columns of the coefficients in use."""
    found = np.nonzero((_radii() >= _LOW) & (_radii() < _HIGH))
    return found[0], found[1]


@lru_cache(maxsize=1)
def _radii() -> Floats:
    return np.asarray(np.hypot(*np.indices((_SIDE, _SIDE))), dtype=np.float64)


def _features(image: Image) -> Floats:
    """The coefficients in use, whitened: a photograph's fall off with the radius.

    Those beyond three robust standard deviations are cut, so that no edge outweighs the rest.
    """
    import cv2

    size = (_SIDE, _SIDE)
    plane = cv2.resize(luma(image.pixels), size, interpolation=cv2.INTER_AREA)
    features = (cv2.dct(plane)[_used()] * _radii()[_used()]).astype(np.float64)
    limit = 3 * 1.4826 * float(np.median(np.abs(features)))
    return np.clip(features, -limit, limit) if limit else features


def _raised(said: Floats, layout: _Layout, energy: float) -> Floats:
    """What is added to each pattern's coefficients, in the direction of its bit.

    ``said`` are the correlations in that direction: all below one level are raised to it, the
    highest that ``energy`` (sum of squares) allows.
    """
    gains = np.bincount(layout.patterns, _radii()[_used()]) / layout.counts

    def spent(level: float) -> Floats:
        return np.asarray(np.clip(level - said, 0, None) / gains)

    low, high = float(said.min()), float(said.max() + gains.max() * math.sqrt(energy))
    for _ in range(50):
        middle = (low + high) / 2
        enough = float((layout.counts * spent(middle) ** 2).sum()) <= energy
        low, high = (middle, high) if enough else (low, middle)
    return spent(low)
