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

_STRENGTHS = "0.4..0.8"
_SAVED = "+jpeg:0.1..0.3"


@register(
    copy_card(
        "copy-patterns",
        "copy detection, every attack alone",
        note="every attack x 12 pictures, 200 strangers, 600 references: 15 minutes on 2 cores",
        fails_when="an attack is mild at any strength: everything finds it",
    )
)
class CopyPatterns(CopySuite):
    """One edit per registered attack."""

    each, negatives, references = 12, 200, 600

    def edits(self) -> list[Edit]:
        """Every attack at strengths of 0.4 to 0.8, saved as JPEG afterwards.

        Those that need an extra are attacks on a model, no edits that people make.
        """
        return [
            Edit(m.card.name, f"{m.card.name}:{_STRENGTHS}{_SAVED}", unseen=m.card.name in UNSEEN)
            for m in methods("attack")
            if m.card.extra is None
        ]
