"""Faults of noise whose values and shares look right: patterns, copies, other distributions."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.injection import patched
from compare.evaluation.faults.networks import around
from scratch.naming import snake_case

IMAGE, LARGE = (6, 5, 4), (7, 6, 4)
DROPOUT = around("Dropout", shape=IMAGE, rate=0.5, batch=5)
DROPOUT_30 = around("Dropout", shape=IMAGE, rate=0.3, batch=5)
SPATIAL = around("SpatialDropout2D", shape=LARGE, rate=0.5, batch=5)
GAUSSIAN = around("GaussianNoise", shape=IMAGE, stddev=0.5, batch=5)


def drawing(draw):
    """The layer draws draw(layer, rng, shape)."""
    return lambda layer: patched(layer, draw=lambda self, right, rng, shape: np.asarray(
        draw(self, rng, shape), self.dtype))


def mask(rng, shape, rate):
    return np.where(rng.random(shape) >= rate, 1 / (1 - rate), 0)


def checkerboard(layer, rng, shape):
    return np.indices(shape).sum(axis=0) % 2 * 2


def same_every_call(layer, rng, shape):
    return mask(np.random.default_rng(0), shape, layer.rate)


def same_for_all_samples(layer, rng, shape):
    return np.broadcast_to(mask(rng, shape[1:], layer.rate), shape)


def channels_in_pairs(layer, rng, shape):
    half = mask(rng, (*shape[:-1], shape[-1] // 2), layer.rate)
    return np.repeat(half, 2, axis=-1)


def columns_alike(layer, rng, shape):
    return np.broadcast_to(mask(rng, (*shape[:2], 1, shape[3]), layer.rate), shape)


def exact_count(layer, rng, shape):
    size = int(np.prod(shape))
    kept = np.arange(size) >= round(layer.rate * size)
    return (rng.permutation(kept) / (1 - layer.rate)).reshape(shape)


def complements(layer, rng, shape):
    """Every second sample keeps what the one before it drops."""
    drawn = mask(rng, shape, layer.rate)
    pairs = len(drawn) // 2
    drawn[1:2 * pairs:2] = 2 - drawn[:2 * pairs:2]
    return drawn


def periodic(layer, rng, shape):
    """64 draws over and over."""
    return np.resize(mask(rng, 64, layer.rate), shape)


def flipped_every_second_call(layer, rng, shape):
    drawn = mask(np.random.default_rng(0), shape, layer.rate)
    layer.calls = getattr(layer, "calls", 0) + 1
    return drawn if layer.calls % 2 else 2 - drawn


def all_channels_of_a_map(layer, rng, shape):
    """A sample's feature maps are all dropped or all kept."""
    return np.broadcast_to(mask(rng, (shape[0], 1, 1, 1), layer.rate), (shape[0], 1, 1, shape[3]))


def maps_of_all_samples(layer, rng, shape):
    return np.broadcast_to(mask(rng, (1, 1, 1, shape[3]), layer.rate), (shape[0], 1, 1, shape[3]))


def normal(layer, rng, shape):
    """Numbers around 1 with a dropout's variance."""
    return rng.normal(1, np.sqrt(layer.rate / (1 - layer.rate)), shape)


def neighbours_averaged(layer, rng, shape):
    drawn = rng.normal(0, layer.stddev, shape)
    return (drawn + np.roll(drawn, 1, axis=1)) / np.sqrt(2)


def shared_magnitude(layer, rng, shape):
    """One magnitude for all, of which each takes its own sign."""
    return np.abs(rng.normal(0, layer.stddev)) * rng.choice([-1.0, 1.0], shape)


def truncated(layer, rng, shape):
    """What lies beyond two deviations is drawn again."""
    drawn = rng.normal(0, layer.stddev, shape)
    while (beyond := np.abs(drawn) > 2 * layer.stddev).any():
        drawn[beyond] = rng.normal(0, layer.stddev, int(beyond.sum()))
    return drawn


DEPENDENT, OTHER = "noise-not-independent", "noise-distribution"
# class, identifier, sentence, network, cause, what is drawn
TABLE = [
    ("Dropout", "checkerboard", "drops every second number, as on a chessboard", DROPOUT,
     DEPENDENT, checkerboard),
    ("Dropout", "same-every-call", "the generator starts anew in every call", DROPOUT, DEPENDENT,
     same_every_call),
    ("Dropout", "same-for-all-samples", "all samples share one mask", DROPOUT, DEPENDENT,
     same_for_all_samples),
    ("Dropout", "channels-in-pairs", "two neighbouring channels share their draws", DROPOUT_30,
     DEPENDENT, channels_in_pairs),
    ("Dropout", "columns-alike", "all columns of a row share their draws", DROPOUT_30, DEPENDENT,
     columns_alike),
    ("Dropout", "exact-count", "exactly the rate's share is dropped", DROPOUT_30, DEPENDENT,
     exact_count),
    ("Dropout", "complements", "every second sample keeps what the one before drops", DROPOUT,
     DEPENDENT, complements),
    ("Dropout", "periodic", "64 draws are used over and over", DROPOUT_30, DEPENDENT, periodic),
    ("Dropout", "flipped-every-second-call", "one mask and its complement take turns", DROPOUT,
     DEPENDENT, flipped_every_second_call),
    ("Dropout", "rate-0.51", "drops 51 of 100 where half is asked for", DROPOUT, OTHER,
     lambda layer, rng, shape: 2 * (rng.random(shape) >= 0.51)),
    ("Dropout", "divided-by-rate", "what is kept is divided by the rate", DROPOUT_30, OTHER,
     lambda layer, rng, shape: (rng.random(shape) >= layer.rate) / layer.rate),
    ("Dropout", "normal", "multiplies by normal numbers of the same variance", DROPOUT_30, OTHER,
     normal),
    ("SpatialDropout2D", "all-maps", "all maps of a sample share one draw", SPATIAL, DEPENDENT,
     all_channels_of_a_map),
    ("SpatialDropout2D", "all-samples", "a map is dropped in all samples or in none", SPATIAL,
     DEPENDENT, maps_of_all_samples),
    ("GaussianNoise", "uniform", "uniform numbers of the same variance", GAUSSIAN, OTHER,
     lambda layer, rng, shape: (rng.random(shape) - 0.5) * layer.stddev * np.sqrt(12)),
    ("GaussianNoise", "two-values", "plus or minus the deviation", GAUSSIAN, OTHER,
     lambda layer, rng, shape: rng.choice([-1.0, 1.0], shape) * layer.stddev),
    ("GaussianNoise", "laplace", "Laplace's distribution of the same variance", GAUSSIAN, OTHER,
     lambda layer, rng, shape: rng.laplace(0, layer.stddev / np.sqrt(2), shape)),
    ("GaussianNoise", "truncated", "nothing beyond two deviations", GAUSSIAN, OTHER, truncated),
    ("GaussianNoise", "mean-off", "a mean of a hundredth", GAUSSIAN, OTHER,
     lambda layer, rng, shape: rng.normal(0.01, layer.stddev, shape)),
    ("GaussianNoise", "deviation-off", "a deviation that is 2 % larger", GAUSSIAN, OTHER,
     lambda layer, rng, shape: rng.normal(0, 1.02 * layer.stddev, shape)),
    ("GaussianNoise", "shared-magnitude", "one magnitude for all, each with its own sign",
     GAUSSIAN, DEPENDENT, shared_magnitude),
    ("GaussianNoise", "neighbours", "neighbouring rows are averaged", GAUSSIAN, DEPENDENT,
     neighbours_averaged),
    ("GaussianNoise", "same-every-call", "the generator starts anew in each call", GAUSSIAN,
     DEPENDENT, lambda layer, rng, shape: np.random.default_rng(0).normal(
         0, layer.stddev, shape)),
    ("GaussianNoise", "channels-alike", "all channels of a pixel share their noise", GAUSSIAN,
     DEPENDENT, lambda layer, rng, shape: np.broadcast_to(
         rng.normal(0, layer.stddev, (*shape[:-1], 1)), shape)),
]


def faults():
    """All of them."""
    for class_name, name, sentence, network, cause, draw in TABLE:
        layer = snake_case(class_name)
        yield single("Noise patterns", f"pattern-{layer.replace('_', '-')}-{name}", sentence,
                     network, layer, "noise", cause, drawing(draw))
