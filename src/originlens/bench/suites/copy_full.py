"""Copy detection in full: every named edit kind, sixty pictures each, a thousand references.

Paper: protocol after Douze et al. 2021, DISC21 (arXiv:2106.09672). Why it works as a test: kinds
that nothing was fitted on are marked, and intervals are a few points wide. Fails when: the pictures
given are fewer than about 1 500; it then asks what there is.
"""

from __future__ import annotations

from originlens.bench.copies import Edit
from originlens.bench.kinds import KINDS
from originlens.bench.suites._copy import CopySuite, copy_card
from originlens.core.registry import register


@register(
    copy_card(
        "copy-full",
        "copy detection, all named kinds",
        note="44 kinds x 60 pictures, 600 strangers, 1 000 references",
        fails_when="fewer than about 1 500 pictures are given: intervals widen",
    )
)
class CopyFull(CopySuite):
    """All kinds but those that only change a part of the picture.

    By default against every peer that answers in milliseconds; one whose environment is not there
    is named in the report.
    """

    systems = (
        "originlens", "descriptor", "pdq", "pdqhash", "phash", "dhash", "imagededup-phash",
        "imagededup-dhash", "imagededup-ahash", "imagededup-whash",
    )  # fmt: skip
    each, negatives, references = 60, 600, 1000

    def edits(self) -> list[Edit]:
        """Every kind whose question is where the picture comes from."""
        return [Edit.of(kind) for kind in KINDS if kind.group != "local"]
