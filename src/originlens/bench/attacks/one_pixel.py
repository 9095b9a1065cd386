"""One to five pixels set to the colours that move the perceptual signature most.

Paper: Su et al. 2019, One pixel attack for fooling deep neural networks, IEEE TEVC 23(5),
arXiv:1710.08864; own code. Why it works as a test: the smallest change in number of pixels. Fails
when: the picture has many pixels: each weighs little in a signature.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._gradient import SIDE, dct_rows
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "Su et al. 2019, IEEE TEVC 23(5), arXiv:1710.08864; own code"

#: Weights of red, green and blue in luma (BT.601).
LUMA = np.array([0.299, 0.587, 0.114])


@register(attack_card("one-pixel", "change the most harmful pixels", ms=19, paper=PAPER))
class OnePixel(Edit):
    """Differential evolution over places and colours; queries only, no gradients, no PyTorch."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """1 to 5 pixels; 40 candidates through 30 generations."""
        import cv2

        h, w = pixels.shape[:2]
        count = max(1, round(5 * strength))
        luma = (pixels @ LUMA).astype(np.float32)
        cells = np.asarray(cv2.resize(luma, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
        low, high = np.zeros(5), np.array([w, h, 256, 256, 256]) - 1e-6
        population = rng.uniform(low, high, (40, count, 5))
        fitness = _harm(luma, cells, population)
        for _ in range(30):
            # rand/1 without crossover, as in the paper; what leaves the range is drawn anew.
            a, b, c = (population[rng.permutation(40)] for _ in range(3))
            trial = a + 0.5 * (b - c)
            inside = (trial >= low) & (trial <= high)
            trial = np.where(inside, trial, rng.uniform(low, high, trial.shape))
            score = _harm(luma, cells, trial)
            better = score > fitness
            population[better], fitness[better] = trial[better], score[better]
        best = population[int(fitness.argmax())].astype(int)
        # Two changes of one place: the later one counts.
        best = np.array(list({(x, y): row for row in best.tolist() for x, y in [row[:2]]}.values()))
        out = pixels.copy()
        mask = np.zeros((h, w), bool)
        out[best[:, 1], best[:, 0]] = best[:, 2:]
        mask[best[:, 1], best[:, 0]] = True
        gained = float(_harm(luma, cells, best[None])[0])
        return same_frame(out, mask, changes=best.tolist(), objective=gained)


def _harm(luma: np.ndarray, cells: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Squared distance of the signature for each of (P, K, 5) rows x, y, red, green, blue.

    Luma (H, W) is averaged over SIDE x SIDE cells, so a pixel moves one cell by its share of it.
    """
    h, w = luma.shape
    rows = dct_rows()
    x, y = (candidates[..., i].astype(int) for i in (0, 1))
    change = candidates[..., 2:].astype(int) @ LUMA - luma[y, x]
    change = change * min(1.0, SIDE / h) * min(1.0, SIDE / w)
    moved = np.repeat(cells[None], len(candidates), axis=0)
    index = np.arange(len(candidates))[:, None]
    np.add.at(moved, (index, y * SIDE // h, x * SIDE // w), change)
    both = np.concatenate([cells[None], moved])
    low = (rows @ both @ rows.T).reshape(len(both), -1)[:, 1:]
    low /= np.linalg.norm(low, axis=1, keepdims=True) + 1e-6
    return np.asarray(((low[1:] - low[0]) ** 2).sum(axis=1))
