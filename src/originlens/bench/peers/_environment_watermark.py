"""What the watermarks share that run in environments: bits over a pipe, as their readers give them.

None of them says whether a picture is marked: a reader returns as many bits as it is told to, from
any picture. So ``payload`` is always what was read, ``score`` is 0 and there is no p-value; whoever
knows the payload counts equal bits.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from originlens.bench import Reading
from originlens.bench.environments import environment
from originlens.core.errors import UsageError
from originlens.core.image import Image, Pixels
from originlens.core.registry import Card, Cost

#: Seconds of a call, and more per megapixel: the slowest of them takes ten.
_CALL, _PER_MEGAPIXEL = 60.0, 30.0


def watermark_card(
    name: str, claims: str, paper: str, package: str, *, ms: float, mb: float, note: str, fails: str
) -> Card:
    """The card of such a watermark; ``ms`` per megapixel of reading, ``note`` of embedding."""
    return Card(
        name=name,
        kind="watermark",
        task="invisible watermark, a peer to compare with",
        claims=claims,
        paper=paper,
        code_licence=f"Apache-2.0; the watermark is the package {package}",
        reads=("pixels",),
        cost=Cost(ms_per_mpx=ms, mb=mb, note=note),
        status="stable",
        scope="states no presence: it reads something from every picture; in its own environment",
        fails_when=fails,
    )


class EnvironmentWatermark:
    """A watermark whose reader must be told how many bits there are.

    Args:
        length: bytes of the payload.

    Raises:
        UsageError: ``length`` is below 1.
    """

    card: ClassVar[Card]
    peer: ClassVar[str]
    method: ClassVar[str] = ""

    def __init__(self, *, length: int = 4) -> None:
        if length < 1:
            raise UsageError(f"a payload has at least one byte, not {length}")
        self.length = length

    @property
    def payload_bytes(self) -> tuple[int, ...]:
        """The one length that its reader was told."""
        return (self.length,)

    def embed(self, image: Image, payload: bytes) -> Pixels:
        """See :class:`originlens.bench.Watermark`."""
        if len(payload) != self.length:
            raise UsageError(f"a payload has {self.length} bytes here, not {len(payload)}")
        bits = np.unpackbits(np.frombuffer(payload, np.uint8)).tolist()
        header = {"method": self.method, "bits": bits}
        timeout = _timeout(image)
        _, marked = environment(self.peer).call("embed", header, image.pixels, timeout=timeout)
        assert marked is not None
        return marked

    def read(self, image: Image) -> Reading:
        """See :class:`originlens.bench.Watermark`; ``payload`` is never None."""
        header = {"method": self.method, "length": 8 * self.length}
        timeout = _timeout(image)
        reply, _ = environment(self.peer).call("read", header, image.pixels, timeout=timeout)
        bits = np.array(reply["bits"], np.uint8)
        return Reading(bits, np.packbits(bits).tobytes(), score=0.0)


def _timeout(image: Image) -> float:
    return _CALL + _PER_MEGAPIXEL * image.width * image.height / 1e6
