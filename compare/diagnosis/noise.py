"""What is wrong with a random layer's draws: their distribution, or that they go together."""

import numpy as np

from compare.checks import even_draws, noise_distribution, randomness
from compare.diagnosis.finding import Cause
from compare.oracle.layers.augmentation import ChosenImages, EvenlyDrawn
from compare.oracle.layers.blur import RandomGaussianBlur
from compare.oracle.layers.noise import Dropout, GaussianNoise


def cause_of_noise(layer, part, oracle) -> Cause:
    """Why a layer's draws failed the tests of `compare.checks.noise_distribution`.

    Draws that are true more often than they should be look as if they went together, too: the
    products of two have another mean. So here each is held against the share of true ones among
    them, not against that which is asked for. What then still goes together is not independent.

    Args:
        layer: the candidate's.
        part: the reference's, of a trace.
        oracle: of the layer.
    """
    noise = noise_distribution.draws(layer, noise_distribution.blank(part))
    if noise is None:
        return Cause("noise-distribution", "the layer draws nothing")
    shape = noise.shape[1:] if oracle.merges else noise_distribution.shape_of_draws(part)
    oracle, _, noise, shape = noise_distribution.of_samples(oracle, oracle.config, noise, shape)
    for what, heads in _true_or_false(oracle, noise, shape):
        share = float(heads.mean())
        if not 0 < share < 1:
            continue
        names = (even_draws.NAMES if isinstance(oracle, EvenlyDrawn) and heads.ndim == 5
                 else noise_distribution.along(heads.ndim))
        found = randomness.independence(heads, share, names, 2)
        worst = max(found, key=lambda each: each.used)
        if worst.used > 1:
            return Cause("noise-not-independent", what + worst.said)
    return Cause("noise-distribution", _distribution(oracle, noise))


def _true_or_false(oracle, noise, shape) -> list[tuple[str, np.ndarray]]:
    """(what they are, draws that are true or false), (calls, N, ...)."""
    if isinstance(oracle, GaussianNoise):
        size = np.abs(noise)
        return [("signs: ", noise > 0), ("sizes: ", size < np.median(size))]
    if isinstance(oracle, RandomGaussianBlur):
        return [("", noise[..., :1] != 0)]
    if isinstance(oracle, EvenlyDrawn):
        draws = [np.abs(each) if oracle.turned else each
                 for each in np.moveaxis(noise, -1, 0)[:1 if oracle.alike else None]]
        return [("halves: ", np.stack([each > np.median(each) for each in draws], axis=-1))]
    shared = oracle.shared_axes(len(shape)) if isinstance(oracle, Dropout) else set()
    parts = oracle.parts_of_noise(shape)
    if parts is not None:
        return [(f"of {100 * rate:.4g} %: ", noise[..., place] != 0) for rate, place, _ in parts]
    if isinstance(oracle, ChosenImages):
        shared = set(range(1, len(shape)))
    drawn, _ = noise_distribution.shared_draws(noise, shape, shared)
    return [("", drawn != 0)]


def _distribution(oracle, noise) -> str:
    if isinstance(oracle, EvenlyDrawn):
        return f"numbers from {noise.min():.3g} to {noise.max():.3g}"
    if isinstance(oracle, GaussianNoise):
        return f"a mean of {noise.mean():.3g} and a deviation of {noise.std():.3g}"
    other = noise[noise != 0]
    low, high = (other.min(), other.max()) if other.size else (0.0, 0.0)
    return (f"{100 * (noise == 0).mean():.4g} % are 0, the others from {low:.4g} "
            f"to {high:.4g}")
