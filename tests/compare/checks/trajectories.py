"""Right networks trained in lockstep: how many give an alarm, and what they use of the limit.

    python -m tests.compare.checks.trajectories --count 500

Half of them are drawn as `parity fuzz` draws its own. The others are made to be hard: saturated
activations, sums that cancel, gradients that are nothing but rounding, numbers below the smallest
normal one, ties; under every optimizer, above all those that divide a gradient by its own size.
"""

import argparse
import sys
import time
from typing import NamedTuple

import numpy as np

import scratch
from compare.checks import training_trajectory
from compare.evaluation.fuzzing.generator import draw
from compare.evaluation.fuzzing.specification import batch_of, sample_weights_of, targets_of
from compare.inputs import twins

STEPS = 5
OPTIMIZERS = (
    lambda: scratch.Adam(0.001), lambda: scratch.AdamW(0.002), lambda: scratch.RMSprop(0.001),
    lambda: scratch.SGD(0.01, momentum=0.9), lambda: scratch.Adam(0.01, amsgrad=True),
    lambda: scratch.Adagrad(0.01), lambda: scratch.RMSprop(0.01, centered=True, momentum=0.5),
    lambda: scratch.SGD(0.05, momentum=0.9, nesterov=True, clipnorm=1.0))


class Case(NamedTuple):
    """A compiled network and the batch it is trained from."""

    title: str
    model: object
    x: np.ndarray
    y: np.ndarray
    sample_weight: np.ndarray | None = None


def drawn(number: int) -> Case | None:
    """A network of the fuzzer's; None for one without a loss."""
    specification = draw(7, number)
    if specification.loss is None:
        return None
    model = specification.build()
    output = (specification.batch, *model.output_shape[1:])
    return Case(f"drawn {number}", model, batch_of(specification),
                targets_of(specification, output), sample_weights_of(specification, output))


def made(number: int) -> Case:
    """A network of one of the hard kinds."""
    make = HARD[number % len(HARD)]
    number //= len(HARD)
    optimizer = OPTIMIZERS[number % len(OPTIMIZERS)]()
    scratch.set_random_seed(number)
    layers, loss, x, y = make(np.random.default_rng(number))
    model = scratch.Sequential([scratch.Input(x.shape[1:]), *layers])
    model.compile(optimizer, loss)
    title = f"{make.__name__} {number} {type(optimizer).__name__}"
    if make is near_zero:
        model.set_weights([np.abs(w) * 1e-6 for w in model.get_weights()])
    return Case(title, model, x.astype("float32"), y)


def saturated(rng):
    """Images of 0 to 255 that nobody divided by 255."""
    kind = str(rng.choice(["tanh", "sigmoid"]))
    x = rng.integers(0, 256, (8, 8, 7, 1)) * (rng.random((8, 8, 7, 1)) < 0.5)
    return ([scratch.Conv2D(4, 3, activation=kind), scratch.MaxPooling2D(2), scratch.Flatten(),
             scratch.Dense(16, activation=kind), scratch.Dense(10, activation="softmax")],
            "sparse_categorical_crossentropy", x, rng.integers(0, 10, 8))


def half_saturated(rng):
    """Vectors of a scale at which some activations are saturated and others not."""
    x = rng.standard_normal((6, 9)) * 10 ** rng.uniform(0, 2.4)
    kinds = rng.permutation(["tanh", "sigmoid", "softsign", "gelu", "selu", "softplus"])[:2]
    return ([scratch.Dense(11, activation=str(kinds[0])),
             scratch.Dense(7, activation=str(kinds[1])), scratch.Dense(3)],
            "mse", x, rng.standard_normal((6, 3)))


def large_mean(rng):
    """Layer normalization of what hardly differs."""
    x = 10 ** rng.uniform(2, 5.5) + rng.standard_normal((8, 12))
    free = bool(rng.random() < 0.5)
    return ([scratch.LayerNormalization(center=free, scale=free), scratch.Dense(3)], "mse", x,
            rng.standard_normal((8, 3)))


def near_zero(rng):
    """Mean squared logarithmic error where log(1 + p) is p."""
    samples = int(rng.choice([1, 4]))
    return ([scratch.Dense(2, activation="relu")], "mean_squared_logarithmic_error",
            np.abs(rng.standard_normal((samples, 5))), np.zeros((samples, 2)))


def one_sample(rng):
    """Batch normalization of a single sample, whose variance is 0."""
    x = rng.standard_normal((1, 6)) * 10 ** rng.uniform(-1, 2)
    return ([scratch.Dense(5), scratch.BatchNormalization(), scratch.Activation("tanh"),
             scratch.Dense(3)], "mse", x, rng.standard_normal((1, 3)))


def denormal(rng):
    """Inputs below the smallest normal number."""
    x = rng.standard_normal((5, 6)) * 10 ** rng.uniform(-44, -37)
    return ([scratch.Dense(5, activation="tanh"), scratch.Dense(3, activation="softmax")],
            "sparse_categorical_crossentropy", x, rng.integers(0, 3, 5))


def ties(rng):
    """Mostly black images, whose windows have many equal maxima, and biases of 0."""
    x = np.round(rng.random((6, 9, 8, 1)) ** 8, 1)
    return ([scratch.Conv2D(5, 3, padding="same", activation="relu"), scratch.MaxPooling2D(2),
             scratch.Conv2D(4, 2), scratch.ReLU(), scratch.MaxPooling2D((2, 3), strides=1),
             scratch.Flatten(), scratch.Dense(4, activation="softmax")],
            "sparse_categorical_crossentropy", x, rng.integers(0, 4, 6))


def deep(rng):
    """Many rectifiers and batch normalizations one after another: kinks, and a long way."""
    layers = []
    for _ in range(4):
        layers += [scratch.Conv2D(6, 3, padding="same", use_bias=False),
                   scratch.BatchNormalization(), scratch.ReLU()]
    return ([*layers, scratch.GlobalAveragePooling2D(), scratch.Dense(5, activation="softmax")],
            "sparse_categorical_crossentropy", rng.standard_normal((4, 7, 6, 2)),
            rng.integers(0, 5, 4))


def certain(rng):
    """A softmax that is sure of itself, right or wrong."""
    x = rng.standard_normal((6, 8)) * 10 ** rng.uniform(1, 2)
    return ([scratch.Dense(9, activation="relu"), scratch.Dense(4, activation="softmax")],
            "sparse_categorical_crossentropy", x, rng.integers(0, 4, 6))


def cancelling(rng):
    """Penalties that pull weights to 0, and a loss of absolute values at its kink."""
    x = rng.standard_normal((5, 7))
    return ([scratch.Dense(6, kernel_regularizer="l1", activity_regularizer="l2"),
             scratch.BatchNormalization(), scratch.Dense(2, bias_regularizer="l1")], "mae", x,
            np.round(rng.standard_normal((5, 2))))


HARD = (saturated, half_saturated, large_mean, near_zero, one_sample, denormal, ties, deep, certain,
        cancelling)


def cases(count: int, first: int = 0):
    """`count` networks, drawn and made in turn."""
    number = first
    while count:
        case = drawn(number // 2) if number % 2 else made(number // 2)
        number += 1
        if case is not None:
            count -= 1
            yield case


def run(case: Case):
    """The trajectory of a network and its twin."""
    model, twin = twins.twins(case.model)
    return training_trajectory.run(model, twin, case.x, case.y, STEPS,
                                   sample_weight=case.sample_weight)


def main(count: int, first: int) -> int:
    """Train them; tell of each alarm, then how much was used by all."""
    began, used, alarms = time.perf_counter(), [], 0
    for case in cases(count, first):
        with np.errstate(all="ignore"):
            row = run(case).row()
        used.append(row.used)
        if not row.passed:
            alarms += 1
            print(f"ALARM {case.title}: {row.off} off, {row.used:.3g} times what is allowed "
                  f"({row.note})", flush=True)
        print(f"{len(used)} of {count}: {case.title}: {row.used:.2g}", file=sys.stderr, flush=True)
    shares = ", ".join(f"{share:.0%} {np.quantile(used, share):.2g}"
                       for share in (0.5, 0.9, 0.99, 1))
    print(f"{alarms} alarms in {count} networks of {STEPS} steps, "
          f"{(time.perf_counter() - began) / count:.1f} s each; quantiles of what they used: "
          f"{shares}")
    return 1 if alarms else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--first", type=int, default=0, help="the number of the first network")
    options = parser.parse_args()
    sys.exit(main(options.count, options.first))
