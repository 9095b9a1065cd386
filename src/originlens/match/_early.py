"""The explanation of a search's best copy, begun before the search is over."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from originlens.match import Homography
from originlens.match._candidate import Candidate
from originlens.match._query import Query
from originlens.match.originals import asset_pixels

if TYPE_CHECKING:
    from originlens.match.edits import Explanation
    from originlens.store import AssetRow, Store


class Early:
    """Explains the best certain copy of the first round that has one, beside the later rounds.

    A search ends with the explanation of its best copy, which takes one CPU; begun as soon as that
    copy is known, it fills the gaps that verification leaves on the others.
    """

    def __init__(self, pool: ThreadPoolExecutor, looked: Query, store: Store) -> None:
        self._pool, self._looked, self._store = pool, looked, store
        self._begun: tuple[int, Future[Explanation | None]] | None = None

    def begin(self, c: Candidate, row: AssetRow) -> None:
        """Start on a candidate, if none was started."""
        if self._begun is None and c.geometry.transform is not None and not c.identical:
            task = self._pool.submit(self._explain, row, c.geometry.transform)
            self._begun = (c.row, task)

    def result(self, row: AssetRow, transform: Homography) -> Explanation | None:
        """The explanation of an asset's match; None without pixels of it."""
        if self._begun is not None and self._begun[0] == row.row:
            return self._begun[1].result()
        return self._explain(row, transform)

    def _explain(self, row: AssetRow, transform: Homography) -> Explanation | None:
        from originlens.match import edits

        pixels = asset_pixels(self._store, row)
        if pixels is None:
            return None
        return edits.explain(self._looked.image, pixels, (row.height, row.width), transform)
