"""What gradient attacks aim at: a differentiable target, its objective, steps along its gradient.

The target is the user's TorchScript file or, without one, the low-frequency DCT signature on which
perceptual hashes such as pHash and PDQ threshold: no weights, and a real target of evasion.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.bench.attacks._base import clipped
from originlens.core.errors import MissingExtra
from originlens.core.image import Pixels

#: Largest change of a channel at strength 1, of the range [0, 1] (WAVES goes up to 16/255).
LARGEST = 16 / 255
#: The signature: luma at SIDE x SIDE, its LOW x LOW lowest frequencies without the mean.
SIDE, LOW = 64, 16

Target = Callable[[Any], Any]


def dct_rows() -> npt.NDArray[np.float32]:
    """The (LOW, SIDE) float32 lowest basis vectors of the orthonormal DCT-II."""
    k, n = np.arange(LOW)[:, None], np.arange(SIDE)
    rows = np.sqrt(2 / SIDE) * np.cos(np.pi * k * (2 * n + 1) / (2 * SIDE))
    rows[0] /= np.sqrt(2)
    return rows.astype(np.float32)


def target(model: str | None) -> Target:
    """A function of a (1, 3, H, W) tensor in [0, 1] that returns (1, D).

    ``model`` is the path of a TorchScript file that takes such a tensor and does its own resizing
    and normalisation.

    Raises:
        MissingExtra: PyTorch is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtra("torch", "torch") from error
    if model is not None:
        loaded = torch.jit.load(model, map_location="cpu").eval()
        return lambda x: loaded(x).flatten(1)
    rows = torch.from_numpy(dct_rows())
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)

    def signature(x: Any) -> Any:
        luma = torch.nn.functional.adaptive_avg_pool2d((x * weights).sum(1, keepdim=True), SIDE)
        low = (rows @ luma[:, 0] @ rows.T).flatten(1)[:, 1:]
        return low / (low.norm(dim=1, keepdim=True) + 1e-6)

    return signature


def objective(output: Any, clean: Any) -> Any:
    """What an attack raises: a single score's way to the other side, else squared distance."""
    if clean.shape[1] == 1:
        return -(clean.sign() * output).sum()
    return ((output - clean) ** 2).sum()


def as_tensor(pixels: Pixels) -> Any:
    """(1, 3, H, W) float32 in [0, 1] of (H, W, 3) uint8."""
    import torch

    # A copy: PyTorch would share memory with an array that must not be written to.
    return torch.from_numpy(np.array(pixels.transpose(2, 0, 1)[None], dtype=np.float32)) / 255


def climbed(
    pixels: Pixels,
    model: str | None,
    rng: np.random.Generator,
    *,
    epsilon: float,
    step: float,
    count: int,
) -> tuple[Pixels, float, float]:
    """Pixels after ``count`` signed-gradient steps within +-epsilon, objective before and after.

    Starts at random in the budget (at the picture itself the distance has no slope). ``epsilon``
    and ``step`` are in units of the range [0, 1].
    """
    f = target(model)  # says what is missing where PyTorch is
    import torch

    x = as_tensor(pixels)
    with torch.no_grad():
        clean = f(x)
        before = float(objective(clean, clean))
    start = rng.uniform(-epsilon, epsilon, tuple(x.shape)).astype(np.float32)
    delta = torch.from_numpy(start)
    for _ in range(count):
        delta.requires_grad_(True)
        objective(f((x + delta).clamp(0, 1)), clean).backward()
        with torch.no_grad():
            delta = (delta + step * delta.grad.sign()).clamp(-epsilon, epsilon)
    out = clipped((x + delta.detach())[0].numpy().transpose(1, 2, 0) * 255)
    # Rounding must not leave the budget.
    limit = max(1, int(epsilon * 255 + 1e-6))
    moved = np.clip(out.astype(np.int16) - pixels, -limit, limit)
    out = (pixels + moved).astype(np.uint8)
    with torch.no_grad():
        after = float(objective(f(as_tensor(out)), clean))
    return out, before, after
