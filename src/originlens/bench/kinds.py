"""The named edit kinds of the main-job benchmark, in two halves: seen and held out.

Code that fits, calibrates or chooses anything (``train/``, query views, decision rules) asks for
``kinds("seen")`` only; the held-out half is for reports. Nothing that fits may import or name a
held-out kind: the two halves are reported apart so that a reader sees what carries over.

Strengths mean what the attack's own file says (crop:0.25 keeps 75 % of the area, jpeg:0.9 is
quality 10, paste:0.5 covers half of the host). Every kind that does not end in its own codec is
saved as JPEG quality 80-95 at the end, as people save pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from originlens.bench import Attacked
from originlens.bench.chains import Chain, parse
from originlens.core.errors import UsageError
from originlens.core.image import Image

Split = Literal["seen", "held-out"]
Group = Literal["codec", "colour", "geometry", "effect", "overlay", "composite", "chain", "local"]
Others = Literal["none", "unrelated", "indexed"]

SAVED = "+jpeg:0.05..0.2"
CODECS = ("jpeg", "webp")


@dataclass(frozen=True, slots=True)
class Kind:
    """A named kind of edit: an expression whose parameters are drawn from ranges.

    ``others`` says which pictures serve as hosts, donors or neighbours: "unrelated" ones that are
    not indexed, or "indexed" ones. ``goal`` is the recall that the project promises for this kind
    (None: reported without a promise). ``benign`` kinds leave every local detail alone, so their
    change map should stay dark; kinds of group "local" have a mask that it should show.
    """

    name: str
    expression: str
    split: Split
    group: Group
    others: Others = "none"
    goal: float | None = None

    @property
    def benign(self) -> bool:
        """Whether every pixel is explained by the original up to benign change."""
        return self.group in ("codec", "colour")

    @property
    def chain(self) -> Chain:
        """The edits, with the final save."""
        last = self.expression.rsplit("+", 1)[-1].partition(":")[0]
        return parse(self.expression if last in CODECS else self.expression + SAVED)

    def apply(
        self, image: Image, rng: np.random.Generator, *, others: Sequence[Image] = ()
    ) -> Attacked:
        """An example of this kind; see :meth:`originlens.bench.chains.Chain.apply`."""
        return self.chain.apply(image, rng, others=others)


HEAVY = "crop:0.4+mirror+colour:0.5+rotate:0..0.056+text:0.4+paste:0.5+resize:0.4+jpeg:0.7"

KINDS: tuple[Kind, ...] = (
    # The kinds with a promised recall, shared out so that each family is met on both sides.
    Kind("jpeg-q10", "jpeg:0.9", "seen", "codec", goal=0.95),
    Kind("resize-25", "resize:0.75", "held-out", "codec", goal=0.95),
    Kind("crop-75", "crop:0.25", "seen", "geometry", goal=0.95),
    Kind("crop-50", "crop:0.5", "held-out", "geometry", goal=0.95),
    Kind("crop-25", "crop:0.75", "seen", "geometry", goal=0.95),
    Kind("rotate-15", "rotate:0.07..0.09", "seen", "geometry", goal=0.95),
    Kind("rotate-90", "rotate90", "held-out", "geometry", goal=0.95),
    Kind("mirror", "mirror", "seen", "geometry", goal=0.95),
    Kind("strong-colour", "colour:0.7..1", "held-out", "colour", goal=0.95),
    Kind("text", "text:0.2..0.7", "seen", "overlay", goal=0.95),
    Kind("border", "border:0.2..0.6", "seen", "composite", goal=0.95),
    Kind("screenshot", "screenshot:0.3..0.7", "held-out", "composite", goal=0.95),
    Kind("pip-50", "paste:0.45..0.55", "seen", "composite", "unrelated", goal=0.95),
    Kind("pip-50-indexed", "paste:0.45..0.55", "held-out", "composite", "indexed", goal=0.95),
    Kind("perspective", "perspective:0.3..0.7", "held-out", "geometry", goal=0.95),
    Kind("heavy", HEAVY, "held-out", "chain", "unrelated", goal=0.95),
    # Without a promise: seen.
    Kind("webp-q20", "webp:0.75..0.9", "seen", "codec"),
    Kind("stretch", "stretch:0.3..0.8", "seen", "geometry"),
    Kind("greyscale", "greyscale:1", "seen", "colour"),
    Kind("blur", "blur:0.3..0.7", "seen", "colour"),
    Kind("noise", "noise:0.3..0.7", "seen", "effect"),
    Kind("vignette", "vignette:0.3..0.9", "seen", "colour"),
    Kind("sticker", "sticker:0.3..0.7", "seen", "overlay"),
    Kind("meme", "meme:0.3..0.7", "seen", "composite"),
    Kind("shear", "shear:0.3..0.8", "seen", "geometry"),
    Kind("crop-12", "crop:0.88", "seen", "geometry"),
    Kind("crop-resize", "crop:0.3..0.6+resize:0.3..0.6+jpeg:0.4..0.7", "seen", "chain"),
    Kind("repost", "border:0.3+text:0.3+resize:0.4+jpeg:0.6..0.8", "seen", "chain"),
    Kind("splice", "splice:0.15..0.6", "seen", "local", "unrelated"),
    Kind("removal", "removal:0.15..0.6", "seen", "local"),
    Kind("local-recolour", "local-recolour:0.15..0.6", "seen", "local"),
    Kind("splice-recompressed", "splice:0.2..0.6+jpeg:0.4..0.7", "seen", "local", "unrelated"),
    # Without a promise: held out.
    Kind("flip", "flip", "held-out", "geometry"),
    Kind("rotate-any", "rotate:0.1..0.9", "held-out", "geometry"),
    Kind("sharpen", "sharpen:0.3..0.8", "held-out", "colour"),
    Kind("tint", "tint:0.6..1", "held-out", "colour"),
    Kind("posterise", "posterise:0.5..0.8", "held-out", "effect"),
    Kind("halftone", "halftone:0.4..0.8", "held-out", "effect"),
    Kind("pixelate", "pixelate:0.3..0.6", "held-out", "effect"),
    Kind("invert", "invert", "held-out", "effect"),
    Kind("logo", "logo:0.3..0.8", "held-out", "overlay"),
    Kind("overlay", "overlay:0.4..0.8", "held-out", "overlay", "unrelated"),
    Kind("stripes", "stripes:0.3..0.7", "held-out", "overlay"),
    Kind("rounded-corners", "rounded-corners:0.3..1", "held-out", "composite"),
    Kind("collage", "collage:0.3..0.9", "held-out", "composite", "unrelated"),
    Kind("pip-20", "paste:0.75..0.85", "held-out", "composite", "unrelated"),
    Kind("pip-10", "paste:0.88..0.92", "held-out", "composite", "unrelated"),
    Kind("recapture", "recapture:0.3..0.8", "held-out", "chain"),
    Kind("copy-move", "copy-move:0.15..0.6", "held-out", "local"),
    Kind("local-blur", "local-blur:0.15..0.6", "held-out", "local"),
    Kind("local-warp", "local-warp:0.3..0.8", "held-out", "local"),
    Kind("text-replaced", "text-replaced:0.15..0.6", "held-out", "local"),
    Kind(
        "splice-resized",
        "splice:0.2..0.6+resize:0.3..0.5+jpeg:0.2..0.5",
        "held-out",
        "local",
        "unrelated",
    ),
)


def kinds(split: Split | None = None) -> tuple[Kind, ...]:
    """The kinds of one half ("seen" for everything that fits), or all of them for a report."""
    return tuple(kind for kind in KINDS if split in (None, kind.split))


def kind(name: str) -> Kind:
    """The kind of that name.

    Raises:
        UsageError: there is none; the message lists them.
    """
    for known in KINDS:
        if known.name == name:
            return known
    raise UsageError(f"no edit kind {name!r}: use one of {', '.join(k.name for k in KINDS)}")
