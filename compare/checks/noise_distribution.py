"""Whether a random layer draws what Keras's layer of that name draws: the right numbers, as often,
and each independently of the others.

Both networks are compared with the same noise, so a layer that drew the wrong noise would pass
everywhere else. Here the candidate's layer draws for many batches of its own. What it may draw is
known: a dropout 0 or 1 / (1 - rate), an alpha dropout 0 or 1, the former with probability `rate`,
and one number for a whole feature map where it drops maps; a Gaussian noise normal numbers around
0, a Gaussian dropout normal numbers around 1. A flip draws 0 or 1 for each image, equally often,
other augmentations numbers that are spread evenly between two limits (`even_draws`). Draws of
different calls, samples, pixels and channels must not go together. Limits are proved: see
`compare.checks.randomness`.
"""

import copy
import math

import numpy as np

from compare.checks import randomness
from compare.checks.even_draws import even
from compare.checks.gate import Gate
from compare.checks.randomness import Outcome
from compare.checks.row import Row, judge, mismatch
from compare.oracle.base import Chain, Oracle
from compare.oracle.expected import oracle_of
from compare.oracle.layers.attention import ScoredAttention
from compare.oracle.layers.augmentation import ChosenImages, EvenlyDrawn
from compare.oracle.layers.blur import RandomGaussianBlur
from compare.oracle.layers.multi_head_attention import MultiHeadAttention
from compare.oracle.layers.noise import AlphaDropout, Dropout, GaussianDropout, GaussianNoise
from compare.oracle.layers.time_distributed import TimeDistributed
from compare.oracle.low_precision import policy_of
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.configs import layer_config
from compare.tracing.layer_error import RAISED
from compare.tracing.ops import untouched_generator
from compare.tracing.trace import Part, Trace, layer_parts
from compare.tracing.types import Arrays, Config, Layer, Network

CALLS = 200  # fewer where that would be more than MOST numbers, but
FEWEST = 8
NUMBERS = 2_000  # of each call, at least
MOST = 4_000_000  # of all calls
QUARTILE = 0.6744897501960817  # half of all normal numbers lie within so many deviations


def rows(model: Network, reference: Trace) -> list[Row]:
    """A row 'noise' for each random layer of the candidate, a scratch model."""
    found = []
    for layer, (first, *_) in zip(model.layers, layer_parts(reference)):
        part = reference.parts[first]
        if part.noise is None:
            continue
        noise = draws(layer, blank(part))
        if noise is None:
            found.append(mismatch(Gate.FORWARD, part.name, "noise", None, part.noise))
            continue
        oracle, config, noise, shape = of_samples(
            oracle_of(reference, part), layer_config(reference, part.layer), noise,
            shape_of_draws(part))
        row = _of_one(part.name, oracle, config, noise, shape)
        if row is not None:
            found.append(row)
    return found


def of_samples(oracle: Oracle, config: Config, noise: np.ndarray, shape: tuple[int, ...]
               ) -> tuple[Oracle, Config, np.ndarray, tuple[int, ...]]:
    """(oracle, config, draws, shape of the inputs) of the layer inside one that is run on every
    step, whose samples are the steps; of others as they are."""
    if isinstance(oracle, Chain):
        oracle = oracle.oracles[0]
    if not isinstance(oracle, TimeDistributed):
        return oracle, config, noise, shape
    samples = noise.shape[1] * noise.shape[2]
    return of_samples(oracle.inner, config["layer"]["config"],
                      noise.reshape(len(noise), samples, *noise.shape[3:]),
                      (shape[0] * shape[1], *shape[2:]))


def _of_one(name: str, oracle: Oracle, config: Config, noise: np.ndarray,
            shape: tuple[int, ...]) -> Row | None:
    """The row for draws (calls, ...) of a layer, for inputs of that shape; None for one whose draws
    nobody knows."""
    parts = oracle.parts_of_noise(shape)
    if parts is not None:
        rows = []
        for rate, place, gates in parts:
            own = noise[..., place]
            own = own.reshape(*own.shape[:-1], gates, -1)  # one for all steps
            rows.append(dropped(name, own, rate, (*shape[:2], *own.shape[3:]), {1}))
        return _worst(rows)
    if isinstance(oracle, GaussianNoise):
        return normal(name, noise, config["stddev"])
    if isinstance(oracle, GaussianDropout):
        return normal(name, noise - 1, math.sqrt(config["rate"] / (1 - config["rate"])))
    if isinstance(oracle, (ScoredAttention, MultiHeadAttention)):
        return dropped(name, noise, config["dropout"], noise.shape[1:], set())
    if isinstance(oracle, RandomGaussianBlur):
        return _of_blur(name, oracle, noise, shape)
    if isinstance(oracle, EvenlyDrawn):
        return _judged(*even(name, noise, oracle, shape))
    if isinstance(oracle, ChosenImages):
        return dropped(name, noise, 1 - oracle.probability, shape, set(range(1, len(shape))), 1.0,
                       "stay as it is")
    if isinstance(oracle, Dropout):
        shared = oracle.shared_axes(len(shape))
        kept = 1.0 if isinstance(oracle, AlphaDropout) else None
        policy = policy_of(config)
        return dropped(name, noise, oracle.rate, shape, shared, kept,
                       precision=policy.compute if policy.low else "")
    return None


def _of_blur(name: str, oracle: RandomGaussianBlur, noise: np.ndarray, shape: tuple[int, ...]
             ) -> Row:
    """The row for which images are blurred and by what, (calls, N, 1, 1, 3)."""
    if noise.shape[2:] != (1, 1, 3):
        return _judged(*even(name, noise, oracle, shape))  # which says so
    row, found = even(name, noise[:, :1, ..., 1:], oracle, shape)
    if not (noise[..., 1:] == noise[:, :1, ..., 1:]).all():
        found = [*found, Outcome(np.inf, "expected one kernel for a batch, received several")]
    chosen = dropped(name, noise[..., :1], 1 - oracle.probability, shape,
                     set(range(1, len(shape))), 1.0, "stay as it is")
    return _worst([chosen, _judged(row, found)])


def _worst(rows: list[Row]) -> Row:
    """Of several rows for one layer's draws that which is told."""
    return max(rows, key=lambda row: (not row.passed, row.used))


def shape_of_draws(part: Part) -> tuple[int, ...]:
    """Of the inputs for which a layer draws: samples like the batch's, as many as suffice."""
    x = part.inputs[0]
    return (max(2, math.ceil(NUMBERS / x[0].size)), *x.shape[1:])


def blank(part: Part) -> Arrays:
    """Inputs of zeros for which a layer draws, as many samples as suffice."""
    batch = shape_of_draws(part)[0]
    made = tuple(np.zeros((batch, *x.shape[1:]), x.dtype) for x in part.inputs)
    return made if isinstance(part.input, tuple) else made[0]


def draws(layer: Layer, x: Arrays) -> np.ndarray | None:
    """What a copy of the layer draws in some calls, (calls, ...); None if it shows nothing."""
    made = []
    size = sum(each.size for each in x) if isinstance(x, tuple) else x.size
    calls = min(CALLS, max(FEWEST, MOST // size))
    with untouched_generator():
        layer = copy.deepcopy(layer)
        for _ in range(calls):
            try:
                layer.forward(list(x) if isinstance(x, tuple) else x, training=True)
            except RAISED:  # somebody's own layer, of which other rows tell
                return None
            if layer.noise is None:
                return None
            made.append(np.array(layer.noise))
    return np.stack(made)


def dropped(name: str, noise: np.ndarray, rate: float, shape: tuple[int, ...],
            shared: set[int], kept: float | None = None, what: str = "be dropped",
            precision: str = "") -> Row:
    """The row for a dropout's noise, drawn for inputs of that shape.

    Args:
        noise: (calls, ...), each of a shape that broadcasts to the input's.
        shared: the axes of the input along which one number counts for all.
        kept: the noise where the input is kept; None for 1 / (1 - rate).
        what: happens where the noise is 0, in words.
        precision: in which the factor is rounded, where that is not the noise's own.
    """
    rounding = Rounding.of(precision or noise.dtype)
    scale = kept or (1 / (1 - rate) if rate < 1 else 0.0)
    right = np.where(noise == 0, 0.0, scale)
    # rate, 1 - rate and the quotient are rounded; the first counts as often as it is in the second
    error = rounding.gamma(3) * scale * (1 + rate * scale) * (right != 0)
    row = judge(Gate.FORWARD, name, "noise", noise, right.astype(noise.dtype),
                Bounded(right, rounding, error))
    row.candidate_error = row.reference_error = None  # no one's arithmetic is measured here
    drawn, alike = shared_draws(noise, shape, shared)
    found = []
    if not alike:
        found.append(Outcome(np.inf, f"expected one draw along the axes {sorted(shared)}, received "
                                     "several"))
    elif 0 < rate < 1:
        stay = drawn != 0
        found.append(Outcome(
            randomness.frequency(stay, 1 - rate),
            f"expected {100 * rate:.4g} % to {what}, received {100 * (~stay).mean():.4g} % of "
            f"{stay.size}"))
        found += randomness.independence(stay, 1 - rate, along(stay.ndim), fields=1)
    return _judged(row, found)


def shared_draws(noise: np.ndarray, shape: tuple[int, ...], shared: set[int]
                 ) -> tuple[np.ndarray, bool]:
    """(the draws (calls, N, ...) with one number along the axes of the input that share it, whether
    it is the same along these)."""
    noise = noise.reshape(len(noise), *(1,) * (len(shape) + 1 - noise.ndim), *noise.shape[1:])
    spread = np.broadcast_to(noise, (len(noise), *shape))
    drawn = spread[(slice(None), *(slice(1) if axis in shared else slice(None)
                                   for axis in range(len(shape))))]
    return drawn, np.array_equal(spread, np.broadcast_to(drawn, spread.shape))


def normal(name: str, noise: np.ndarray, stddev: float) -> Row:
    """The row for a Gaussian noise, (calls, N, ...)."""
    mean, deviation = float(noise.mean()), float(noise.std())
    # The mean of normal numbers is normal. Their squares are chi-squared (Laurent and Massart,
    # 2000, lemma 1); the deviation is taken from the mean of these draws, hence its limit besides.
    confidence = math.log(6 / randomness.FALSE_ALARM)
    widest = stddev * math.sqrt(2 * confidence / noise.size)
    spread = widest + stddev * (math.sqrt(confidence / noise.size) + confidence / noise.size)
    row = Row(Gate.FORWARD, name, "noise", passed=True, shape=noise.shape, size=noise.size,
              kind="normwise", actual=deviation, expected=stddev, allowed=spread,
              max_abs=abs(deviation - stddev), max_rel=abs(deviation / stddev - 1))
    units = noise / stddev
    found = [
        Outcome(abs(mean) / widest,
                f"expected a mean of 0, received {mean:.4g} over {noise.size} draws"),
        Outcome(abs(deviation - stddev) / spread,
                f"expected a deviation of {stddev:.4g}, received {deviation:.4g}"),
        Outcome(randomness.distribution(units, _normal_distribution),
                "the draws are not normally distributed, though their mean and deviation may be "
                "right"),
    ]
    names = along(units.ndim)
    for what, field in (("signs", units > 0), ("sizes", np.abs(units) < QUARTILE)):
        found += [Outcome(used, f"{what}: {said}")
                  for used, said in randomness.independence(field, 0.5, names, fields=2)]
    return _judged(row, found)


def along(rank: int) -> tuple[str, ...]:
    """What stands along each axis of an array of draws, (calls, N, ...)."""
    return ("calls", "samples", *(f"places along axis {axis} of the input"
                                  for axis in range(1, rank - 1)))


def _normal_distribution(x: np.ndarray) -> np.ndarray:
    """The standard normal distribution function, from a table that is exact to 1e-7."""
    grid = np.linspace(-7, 7, 14_001)
    table = np.array([0.5 * math.erfc(-z / math.sqrt(2)) for z in grid])
    return np.asarray(np.interp(x, grid, table))


def _judged(row: Row, found: list[Outcome]) -> Row:
    """The row with what the tests used of their limits, failed if there is anything to be said."""
    row.error = None  # what counts is the distribution of many numbers, not one of them
    row.used = max([row.used, *(finding.used for finding in found)])
    said = [finding.said for finding in found if finding.used > 1]
    if said:
        row.passed, row.off, row.actual = False, "candidate", None
        row.note = "; ".join(said)
    return row
