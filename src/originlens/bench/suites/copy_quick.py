"""Copy detection in short: the sixteen promised edits, a few pictures each.

Paper: protocol after Douze et al. 2021, DISC21 (arXiv:2106.09672). Why it works as a test: codec,
geometry, colour and composition are met once each, with strangers beside. Fails when: differences
between systems are smaller than its intervals; ``copy-full`` has more questions.
"""

from __future__ import annotations

from originlens.bench.copies import Edit
from originlens.bench.kinds import KINDS
from originlens.bench.suites._copy import CopySuite, copy_card
from originlens.core.registry import register


@register(
    copy_card(
        "copy-quick",
        "copy detection, quick",
        note="16 edits x 12 pictures, 120 strangers, 400 references",
        fails_when="differences between systems are smaller than its wide intervals",
    )
)
class CopyQuick(CopySuite):
    """The promised edits."""

    each, negatives, references = 12, 120, 400

    def edits(self) -> list[Edit]:
        """Those with a promised recall."""
        return [Edit.of(kind) for kind in KINDS if kind.goal is not None]
