"""Faults of masks: padding that is taken in, put out otherwise, or counted."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.fault import LOSS
from compare.evaluation.faults.injection import input_gradient, output, patched
from compare.evaluation.faults.networks import SEQUENCE, SGD, SOFT, around, ended
from compare.evaluation.fuzzing.specification import Node, Specification
from scratch.naming import snake_case

OUT, DX = "output", "input_gradient"
STEPS = "steps-mask"


def padded(class_name: str, **arguments):
    """The layer behind an embedding that takes class 0 for padding."""
    words = Node("Embedding", {"name": "embedding", "input_dim": 4, "output_dim": 4,
                               "mask_zero": True}, [-1])
    layer = Node(class_name, {"name": snake_case(class_name), **arguments}, [0])
    nodes = [words, layer]
    if arguments.get("return_sequences"):
        nodes.append(Node("GlobalAveragePooling1D", {"name": "mean"}, [1]))
    return ended(nodes, (6,), SOFT, SGD, 5, "float32", 1, False, None)


def with_mask(change):
    """The layer's forward pass on another mask, change(mask)."""
    def forward(layer, right, x, training=False):
        return right([x[0], change(np.asarray(x[1] != 0))], training)

    return lambda layer: patched(layer, forward=forward)


def zeroed(layer, right, state, t):
    """A masked step puts out zeros, although what the step before did is asked for."""
    return np.where(layer._counts[:, t], state, state.dtype.type(0))


def repeated(layer, right, state, t):
    """A masked step puts out what the step before did, although zeros are asked for."""
    return state




def of_all_steps(layer, y, x):
    return y * x[1].mean(axis=1, keepdims=True, dtype=y.dtype)


def masking(condition):
    """Steps are left out on another condition: of x and the value, true where they count."""
    return output(lambda layer, y, x: np.where(condition(x, layer.mask_value), x, x.dtype.type(0)))


RNN = {name: padded(name, units=3, return_sequences=True) for name in ("SimpleRNN", "LSTM", "GRU")}
LAST = {name: padded(name, units=3) for name in ("SimpleRNN", "LSTM", "GRU")}
ZEROS = padded("LSTM", units=3, return_sequences=True, zero_output_for_mask=True)
MEAN = padded("GlobalAveragePooling1D")
NORMAL = padded("BatchNormalization")
MASKING = around("Masking", shape=SEQUENCE)
TABLE = [
    *[(name, "ignored", "padding is read as any other step", LAST[name], OUT,
       with_mask(np.ones_like)) for name in LAST],
    *[(name, "inverted", "padding alone is read", LAST[name], OUT,
       with_mask(np.logical_not)) for name in LAST],
    ("LSTM", "late", "the mask is one step late", RNN["LSTM"], OUT,
     with_mask(lambda mask: np.roll(mask, 1, axis=1))),
    ("GRU", "turned", "the mask is read from the other end", RNN["GRU"], OUT,
     with_mask(lambda mask: mask[:, ::-1])),
    ("SimpleRNN", "zeros", "masked steps put out zeros", RNN["SimpleRNN"], OUT,
     lambda layer: patched(layer, _put_out=zeroed)),
    ("LSTM", "repeated", "masked steps put out what the step before did", ZEROS, OUT,
     lambda layer: patched(layer, _put_out=repeated)),
    ("GlobalAveragePooling1D", "ignored", "padding has a share in the mean", MEAN, OUT,
     with_mask(np.ones_like)),
    ("GlobalAveragePooling1D", "all-steps", "the sum is divided by the number of all steps", MEAN,
     OUT, output(of_all_steps)),
    ("BatchNormalization", "ignored", "padding has a share in mean and variance", NORMAL, OUT,
     with_mask(np.ones_like)),
    ("BatchNormalization", "late", "the mask is one step late", NORMAL, OUT,
     with_mask(lambda mask: np.roll(mask, 1, axis=1))),
    ("Masking", "any", "one number that is the mask's is enough", MASKING, OUT,
     masking(lambda x, value: ~(x == value).any(axis=-1, keepdims=True))),
    ("Masking", "inverted", "all other steps are left out", MASKING, OUT,
     masking(lambda x, value: (x == value).all(axis=-1, keepdims=True))),
    ("Masking", "gradient", "masked steps send a gradient back", MASKING, DX,
     input_gradient(lambda layer, dx, dy: dy)),
]


def sequence(loss, activation):
    """A network that puts out a number of classes for each step, whose mask reaches the loss."""
    nodes = [Node("Embedding", {"name": "embedding", "input_dim": 4, "output_dim": 4,
                                "mask_zero": True}, [-1]),
             Node("GRU", {"name": "gru", "units": 3, "return_sequences": True}, [0]),
             Node("Dense", {"name": "last", "units": 3, "activation": activation}, [1])]
    return Specification([6], nodes, loss, SGD, dtype="float32", batch=5, weighted=False,
                         seed=[1, 2])


def every_step_counts(self, right, y_true, sample_weight, dtype, mask=None):
    """The mask is not looked at."""
    return right(y_true, sample_weight, dtype, None)


def other_steps_count(self, right, y_true, sample_weight, dtype, mask=None):
    """Padding alone is learned from."""
    return right(y_true, sample_weight, dtype, None if mask is None else ~mask)


def mean_of_all_steps(self, right, y_true, sample_weight, dtype, mask=None):
    """Masked steps have no loss, but are counted where the sum is divided."""
    batch = right(y_true, sample_weight, dtype, mask)
    if mask is not None:
        batch.factors = batch.factors * batch.factors.dtype.type(mask.mean())
    return batch


CLASSES_OF_STEPS = sequence(*SOFT)
NUMBERS_OF_STEPS = sequence(["MeanSquaredError", {}], "linear")
LOSSES = [
    ("ignored", "padding counts in the loss", CLASSES_OF_STEPS, every_step_counts, ()),
    ("inverted", "padding alone counts in the loss", CLASSES_OF_STEPS, other_steps_count, ()),
    ("all-steps", "the sum of losses is divided by the number of all steps", CLASSES_OF_STEPS,
     mean_of_all_steps, ("scale",)),
    ("numbers-ignored", "padding counts in a squared error", NUMBERS_OF_STEPS, every_step_counts,
     ()),
]


def faults():
    """All of them."""
    for name, sentence, network, weigh, also in LOSSES:
        yield single("Masks", f"mask-loss-{name}", sentence, network, LOSS, "value", STEPS,
                     lambda loss, f=weigh: patched(loss, weigh=f), also)
    for class_name, name, sentence, network, tensor, inject in TABLE:
        layer = snake_case(class_name)
        yield single("Masks", f"mask-{layer.replace('_', '-')}-{name}", sentence, network, layer,
                     tensor, STEPS, inject)
