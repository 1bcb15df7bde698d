"""Faults of layers of several inputs."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.injection import half, input_gradient, output, patched, rotated
from compare.evaluation.faults.networks import joined

OUT, FIRST, SECOND = "output", "input_gradient_1", "input_gradient_2"
NETWORKS = {name: joined(name) for name in ("Add", "Average", "Subtract", "Multiply", "Maximum",
                                            "Minimum")}
NETWORKS["Concatenate"] = joined("Concatenate", second=3)
EVEN = joined("Concatenate")


def second_sum(layer, y, x):
    return x[0] - x[1]


def to_the_second(a_wins):
    """Where both are equal, the second gets the gradient."""
    return lambda self, right, dy, a, b: (dy * a_wins(a, b), dy * ~a_wins(a, b))


def swapped(layer, dx, dy):
    return dx[::-1]


def split_early(layer, dx, dy):
    """Cuts one channel too early, and fills up from the other side."""
    whole = np.roll(dy, 1, axis=-1)
    return np.split(whole, layer._ends[:-1], axis=-1)


TABLE = [
    ("Add", "second-lost", "the second input gets no gradient", SECOND,
     "gradient-missing", input_gradient(lambda layer, dx, dy: [dx[0], 0 * dx[1]])),
    ("Add", "as-subtract", "the second input is taken away", OUT, "merge-other",
     output(second_sum)),
    ("Add", "first-lost", "the second input alone comes through", OUT, "merge-other",
     output(lambda layer, y, x: x[1])),
    ("Add", "halved", "the mean in place of the sum", OUT, "scale",
     output(lambda layer, y, x: y / 2), ("merge-other",)),
    ("Add", "dx-rotated", "the gradient of the first input is the sample's before", FIRST,
     "batch-mixed", input_gradient(lambda layer, dx, dy: [rotated(dx[0]), dx[1]])),
    ("Average", "sum", "the sum in place of the mean", OUT, "scale",
     output(lambda layer, y, x: y * 2), ("merge-other",)),
    ("Average", "dx-not-divided", "each input gets the whole gradient", FIRST, "scale",
     input_gradient(lambda layer, dx, dy: [dy, dy]), ("merge-other",)),
    ("Subtract", "reversed", "the first input is taken from the second", OUT,
     "inputs-swapped", output(lambda layer, y, x: -y), ("sign",)),
    ("Subtract", "dx-sign", "the second input's gradient is not negated", SECOND, "sign",
     input_gradient(lambda layer, dx, dy: [dx[0], -dx[1]]), ("merge-other", "inputs-swapped")),
    ("Multiply", "dx-swapped", "each input's gradient is multiplied by itself, not the other",
     FIRST, "inputs-swapped", input_gradient(swapped), ("merge-other",)),
    ("Multiply", "float16", "the output is rounded to float16", OUT, "low-precision",
     output(lambda layer, y, x: half(y))),
    ("Maximum", "as-minimum", "the smaller in place of the larger", OUT, "merge-other",
     output(lambda layer, y, x: np.minimum(*x))),
    ("Maximum", "ties-second", "where both are equal the second gets the gradient", FIRST,
     "pool-ties", lambda layer: patched(layer, combine_backward=to_the_second(np.greater))),
    ("Minimum", "dx-both", "both inputs get the gradient", FIRST, "merge-other",
     input_gradient(lambda layer, dx, dy: [dy, dy]), ("mask-missing",)),
    ("Concatenate", "other-order", "the inputs stand the other way round", OUT,
     "inputs-swapped", output(lambda layer, y, x: np.concatenate(x[::-1], axis=-1))),
    ("Concatenate", "interleaved", "channels of the inputs take turns", OUT, "axes-permuted",
     output(lambda layer, y, x: np.stack(x, axis=-1).reshape(y.shape)), ("flatten-order",)),
    ("Concatenate", "dx-split-early", "the gradient is cut one channel too early", FIRST,
     "shifted", input_gradient(split_early), ("axes-permuted",)),
]


def faults():
    """All of them."""
    for class_name, name, sentence, tensor, cause, inject, *also in TABLE:
        layer = class_name.lower()
        network = EVEN if name == "interleaved" else NETWORKS[class_name]
        yield single("Merging", f"{layer}-{name}", sentence, network, layer, tensor, cause, inject,
                     *also)
