"""Conditioning a search on a few examples of a trick: (original, replica) pairs, no training.

After AnyPattern and its ImageStacker (Wang et al. 2024, arXiv:2404.13788): a pattern of tampering
that nobody trained for is told to the matcher in context. There the pairs are stacked onto the
query as prompts of a network; here three things are estimated from them in closed form, in a second
or two, and go into the search of every query:

- where the pattern moves descriptors: the mean difference of the replicas' and originals' vectors
  is taken from the query's, as further views of it;
- how it is undone: a linear restoration of the pixels, used only if it brings held-out replicas
  nearer to their originals;
- what its copies look like to the verifier: the decision model is moved towards the examples, its
  bias such that chance exceeds the threshold as often as before.

Why it works: what fails under a new pattern is rarely everything. A warp that no plane explains
leaves the descriptor right, a relief hides the picture from it but is nearly a linear filter. When
it fails: patterns that leave little of the picture, whose parameters differ in every replica, or
that an original undergoes only where the examples do not show it. A pattern that bends pictures
makes other photographs of the same thing pass more easily, as they differ by bends, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from originlens.core.image import Image
from originlens.match.decision import DecisionModel
from originlens.match.in_context._restoration import Restoration

Example = tuple[Image, Image]
"""An original and its replica."""

MOST_EXAMPLES = 20


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """What examples taught.

    ``shift`` (D,) float32 is what the pattern adds to a descriptor, ``restoration`` undoes it in
    the pixels (None: none that helps), ``model`` decides.
    """

    shift: npt.NDArray[np.float32]
    restoration: Restoration | None
    model: DecisionModel
