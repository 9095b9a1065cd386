"""The product itself: retrieve, verify, decide, in an index of the references.

Papers: those of :mod:`originlens.match.search`. Why it works, and when it fails: see there.
"""

from __future__ import annotations

from collections.abc import Sequence

from originlens.core.evidence import Match
from originlens.core.image import Image
from originlens.core.registry import Card, Cost, register


@register(
    Card(
        name="originlens",
        kind="matcher",
        task="copy detection",
        claims="which reference a picture was made from, after hashes, views and verification",
        paper="Black et al. 2022 (arXiv:2206.14245), Wang et al. 2021 (arXiv:2111.07090); own code",
        code_licence="Apache-2.0",
        reads=("collection", "pixels"),
        cost=Cost(
            250.0, 300.0, "at 100 000 references, two cores, before local features", per="query"
        ),
        status="stable",
        scope="photographs; the index's own calibrated threshold decides",
        fails_when="under a tenth of the original is left; many strong edits at once",
    )
)
class OriginLens:
    """``originlens search`` on an index of the references.

    Args:
        thorough: more views of the query and more verified candidates.
    """

    def __init__(self, *, thorough: bool = False) -> None:
        self.thorough = thorough

    def enrol(self, references: Sequence[str], folder: str) -> list[str]:
        """Index the files; those that cannot be read are returned."""
        from originlens.match.index import Index

        with Index(folder, mode="w") as index:
            events = list(index.add(references))
        return [event.path or "" for event in events if event.error is not None]

    def open(self, folder: str) -> None:
        """Open what :meth:`enrol` made, for this process."""
        from originlens.match.index import Index

        self._index = Index(folder)
        self._index.searcher.warm_up()

    def match(self, image: Image, *, top: int = 10) -> list[Match]:
        """The best candidates, best first."""
        return list(self._index.search(image, top=top, thorough=self.thorough).matches)
