"""A small smooth displacement found by gradient ascent, in place of a change of tone.

Paper: Xiao et al. 2018, Spatially transformed adversarial examples, ICLR, arXiv:1801.02612; own
code. Why it works as a test: pixels keep their colours but move; no norm of differences sees it.
Fails when: the picture is smooth.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._displace import displaced, places
from originlens.bench.attacks._gradient import as_tensor, objective, target
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "Xiao et al. 2018, stAdv, ICLR, arXiv:1801.02612; own code"


@register(attack_card("st-adv", "perturb by a small warp", ms=1780, paper=PAPER, extra="torch"))
class StAdv(Edit):
    """Optimise a flow field on a coarse grid by Adam."""

    def __init__(self, *, model: str | None = None) -> None:
        self.model = model

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """No pixel moves by more than 1 % x strength of the short side on each axis."""
        f = target(self.model)  # says what is missing where PyTorch is
        import torch

        h, w = pixels.shape[:2]
        x = as_tensor(pixels)
        reach = 0.01 * min(h, w) * strength
        # The flow lives on a grid of up to 32 x 32 nodes: smooth by construction, so that no
        # penalty on its roughness has to be weighed.
        nodes = (min(32, h), min(32, w))
        start = rng.normal(0, 0.3, (1, 2, *nodes)).astype(np.float32)
        flow = torch.from_numpy(start).requires_grad_(True)
        optimiser = torch.optim.Adam([flow], lr=0.1)
        span = torch.tensor([2 / max(1, w), 2 / max(1, h)]).view(1, 2, 1, 1)
        base = torch.nn.functional.affine_grid(torch.eye(2, 3)[None], [1, 3, h, w], False)
        with torch.no_grad():
            clean = f(x)
        for _ in range(30):
            field = _enlarged(flow, (h, w)).tanh() * reach
            grid = base + (field * span).permute(0, 2, 3, 1)
            moved = torch.nn.functional.grid_sample(x, grid, "bilinear", "reflection", False)
            optimiser.zero_grad()
            (-objective(f(moved), clean)).backward()
            optimiser.step()
        with torch.no_grad():
            shift = (_enlarged(flow, (h, w)).tanh() * reach)[0].numpy()
        own_x, own_y = places((h, w))
        out, mask = displaced(pixels, own_x + shift[0], own_y + shift[1])
        with torch.no_grad():
            ends = [float(objective(output, clean)) for output in (clean, f(as_tensor(out)))]
        return same_frame(out, mask, reach=reach, objective=ends)


def _enlarged(flow: Any, size: tuple[int, int]) -> Any:
    """The (1, 2, h, w) flow at (height, width) ``size``, bilinearly."""
    import torch

    return torch.nn.functional.interpolate(flow, size, mode="bilinear", align_corners=False)
