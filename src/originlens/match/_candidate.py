"""What a search knows of one asset that may be the query's original."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from originlens.core.evidence import Match
from originlens.match import Geometry, decision, views
from originlens.match.local import voting


@dataclass(slots=True)
class Candidate:
    """``view`` numbers the query's vector that speaks most for it (0: the whole query),
    ``negative`` tells whether the query's photographic negative speaks for it, too. ``votes`` are
    those of local features, which see it in ``voted_box``."""

    row: int
    similarity: float = 0.0
    excess: float = 0.0
    view: int = 0
    pdq_distance: int | None = None
    negative: bool = False
    votes: float = 0.0
    voted_box: views.Box = views.WHOLE
    identical: bool = False
    geometry: Geometry = field(default_factory=lambda: Geometry(transform=None))
    verified: bool = False
    lacked: str = ""

    @property
    def support(self) -> decision.Support:
        """The decision model's view of this candidate."""
        return decision.Support(self.similarity, self.excess, self.pdq_distance, self.geometry)

    @property
    def prior(self) -> float:
        """Rank for verification: the best of excess similarity, closeness of hashes and votes."""
        if self.identical:
            return 10.0
        return max(self.excess, self._closeness, self._voted)

    def box(self, boxes: Sequence[views.Box]) -> views.Box:
        """Which part of the query speaks most for it; ``boxes`` are those of its vectors."""
        if self._voted > max(self.excess, self._closeness):
            return self.voted_box
        return views.WHOLE if self._closeness > self.excess else boxes[self.view]

    @property
    def _voted(self) -> float:
        """Votes as a prior: 0 where chance reaches, 0.6 at most, as a pasted copy's view has."""
        return 0.6 * (1 - math.exp(-max(0.0, self.votes - voting.CHANCE) / 1.5))

    @property
    def _closeness(self) -> float:
        return 0.0 if self.pdq_distance is None else max(0.0, 1 - self.pdq_distance / 100)


def why(match: Match, c: Candidate) -> str:
    g = c.geometry
    if match.relation == "identical":
        return "same bytes or same decoded pixels"
    if not c.verified:
        reason = c.lacked or "not among the candidates that were verified"
        distance = "" if c.pdq_distance is None else f"; PDQ distance {c.pdq_distance} of 256 bits"
        return f"{reason}{distance}"
    measured = (
        f"{g.inliers} matching points, {g.agreement:.0%} of the overlap agrees, "
        f"the overlap is {g.coverage_query:.0%} of the query"
    )
    if match.relation == "copy":
        is_weak = match.probability < 0.5
        return f"weak, but enough at this false-positive rate: {measured}" if is_weak else measured
    if g.transform is None:
        return f"no common geometry: descriptor similarity {c.similarity:.2f} only"
    if match.relation == "related":
        return f"shares content but too few pixels agree to be a copy: {measured}"
    return f"too little support: {measured}"
