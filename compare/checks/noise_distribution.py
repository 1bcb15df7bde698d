"""Whether a random layer draws what Keras's layer of that name draws: the right numbers, as often.

Both networks are compared with the same noise, so a layer that drew the wrong noise would pass
everywhere else. Here the candidate's layer draws for a large batch of its own. What it may draw is
known: a dropout 0 or 1 / (1 - rate), the former with probability `rate`, and one number for a whole
feature map where it drops maps; a Gaussian noise normal numbers. Frequencies, means and deviations
may be off by `DEVIATIONS` standard errors, which one right layer in 500 million would exceed.
"""

import copy
import math

import numpy as np

from compare.checks.row import Row, judge, mismatch
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.configs import layer_config
from compare.tracing.ops import untouched_generator
from compare.tracing.trace import Trace, layer_parts

GATE = "forward"
NUMBERS = 20_000
DEVIATIONS = 6


def rows(model, reference: Trace) -> list[Row]:
    """A row 'noise' for each random layer of the candidate, a scratch model."""
    found = []
    for layer, (first, *_) in zip(model.layers, layer_parts(reference)):
        part = reference.parts[first]
        if part.noise is None:
            continue
        x = np.zeros((math.ceil(NUMBERS / part.input[0].size), *part.input.shape[1:]),
                     part.input.dtype)
        with untouched_generator():
            layer = copy.deepcopy(layer)
            layer.forward(x, training=True)
        config = layer_config(reference, part.layer)
        if layer.noise is None:
            found.append(mismatch(GATE, part.name, "noise", None, part.noise))
        elif part.class_name == "GaussianNoise":
            found.append(normal(part.name, np.asarray(layer.noise), config["stddev"]))
        else:
            shared = shared_axes(part.class_name, config, x.ndim)
            found.append(dropped(part.name, np.asarray(layer.noise), config["rate"], x.shape,
                                 shared))
    return found


def dropped(name: str, noise: np.ndarray, rate: float, shape: tuple, shared) -> Row:
    """The row for a dropout's noise, drawn for inputs of that shape.

    Args:
        shared: the axes along which one number counts for all.
    """
    rounding = Rounding.of(noise.dtype)
    scale = 1 / (1 - rate) if rate < 1 else 0.0
    right = np.where(noise == 0, 0.0, scale)
    # rate, 1 - rate and the quotient are rounded; the first counts as often as it is in the second
    error = rounding.gamma(3) * scale * (1 + rate * scale) * (right != 0)
    row = judge(GATE, name, "noise", noise, right.astype(noise.dtype),
                Bounded(right, rounding, error))
    row.candidate_error = row.reference_error = None  # no one's arithmetic is measured here
    spread = np.broadcast_to(noise, shape)
    drawn = spread[tuple(slice(1) if axis in shared else slice(None)
                         for axis in range(len(shape)))]
    share, width = float((drawn == 0).mean()), math.sqrt(rate * (1 - rate) / drawn.size)
    said = []
    if not np.array_equal(spread, np.broadcast_to(drawn, shape)):
        said.append(f"expected one draw along the axes {sorted(shared)}, received several")
    if abs(share - rate) > DEVIATIONS * width:
        said.append(f"expected {100 * rate:.4g} % to be dropped, received {100 * share:.4g} % "
                    f"of {drawn.size}")
    return _failed(row, said)


def normal(name: str, noise: np.ndarray, stddev: float) -> Row:
    """The row for a Gaussian noise."""
    mean, deviation = float(noise.mean()), float(noise.std())
    widest = DEVIATIONS * stddev / math.sqrt(noise.size)
    row = Row(GATE, name, "noise", passed=True, shape=noise.shape, size=noise.size,
              kind="normwise", actual=deviation, expected=stddev, allowed=widest,
              max_abs=abs(deviation - stddev), max_rel=abs(deviation / stddev - 1),
              used=max(abs(mean), math.sqrt(2) * abs(deviation - stddev)) / widest)
    said = []
    if abs(mean) > widest:
        said.append(f"expected a mean of 0, received {mean:.4g} over {noise.size} draws")
    if math.sqrt(2) * abs(deviation - stddev) > widest:
        said.append(f"expected a deviation of {stddev:.4g}, received {deviation:.4g}")
    return _failed(row, said)


def shared_axes(class_name: str, config: dict, rank: int) -> set[int]:
    """The axes of the input along which a dropout draws one number for all."""
    if class_name.startswith("SpatialDropout"):
        channel = 1 if config.get("data_format") == "channels_first" else rank - 1
        return set(range(1, rank)) - {channel}
    sizes = config.get("noise_shape") or ()
    return {rank - len(sizes) + i for i, size in enumerate(sizes) if size == 1}


def _failed(row: Row, said: list[str]) -> Row:
    """The row, failed if there is anything to be said against the draws."""
    if said:
        row.passed, row.off, row.actual = False, "candidate", None
        row.used = max(row.used, np.nextafter(1, 2))
        row.note = "; ".join(said)
    return row
