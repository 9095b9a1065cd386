"""Copy detection pattern by pattern: every registered attack on its own.

Paper: in the spirit of AnyPattern (Wang et al. 2024, arXiv:2404.13788). Why it works as a test: a
new attack is one file and appears here by itself; those reserved as unseen are marked. Fails when:
an attack at this strength leaves the picture all but unchanged, then everything finds it.
"""

from __future__ import annotations

from originlens.bench.attacks._unseen import UNSEEN
from originlens.bench.copies import Edit
from originlens.bench.suites._copy import CopySuite, copy_card
from originlens.core.registry import methods, register

_STRENGTHS = (0.25, 0.5, 0.75, 1.0)
_SAVED = "+jpeg:0.1..0.3"


@register(
    copy_card(
        "copy-patterns",
        "copy detection, every attack alone",
        note="every attack at 4 strengths x 3 pictures, 200 strangers",
        fails_when="an attack is mild at any strength: everything finds it",
    )
)
class CopyPatterns(CopySuite):
    """One edit per registered attack, at several strengths."""

    each, negatives, references = 3, 200, 600

    def edits(self) -> list[Edit]:
        """Every attack at four strengths, saved as JPEG afterwards.

        Those that need an extra are attacks on a model, no edits that people make.
        """
        return [
            Edit(
                m.card.name,
                f"{m.card.name}:{strength}{_SAVED}",
                unseen=m.card.name in UNSEEN,
                strength=strength,
            )
            for m in methods("attack")
            if m.card.extra is None
            for strength in _STRENGTHS
        ]
