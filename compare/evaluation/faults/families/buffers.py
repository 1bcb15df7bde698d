"""Faults of memory: work buffers that are shared, inputs and weights kept from an earlier call."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.fault import LOSS, OPTIMIZER, TRAINING
from compare.evaluation.faults.injection import gradient, input_gradient, lent, output, patching
from compare.evaluation.faults.networks import around

FAMILY = "Buffers"
OUT, DX, DK = "output", "input_gradient", "kernel_gradient"
DENSE = around("Dense", units=3)
UNBIASED = around("Dense", units=3, use_bias=False)
CONV = around("Conv2D", filters=3, kernel_size=(3, 2), padding="same")
RELU = around("ReLU")
POOL = around("MaxPooling2D", pool_size=(2, 3), strides=(2, 2))
STEPS = 5


def same_memory(name: str):
    """What comes out lies in the memory of the first call's result of that shape."""
    def change(layer, result, _):
        kept = layer.__dict__.setdefault(name, {})
        buffer = kept.setdefault(result.shape, result)
        buffer[...] = result
        return buffer

    return change


def first_input(self, right, x):
    """The way back finds the input of the first call."""
    y = right(x)
    kept = self.__dict__.setdefault("first", {})
    self._x = kept.setdefault(x.shape, x.copy())
    return y


def first_kernel(self, right, x):
    """The kernel is copied at the first call, and that copy used ever after."""
    if not hasattr(self, "first"):
        self.first = self.kernel.copy()
    with lent(self, {"kernel": self.first}):
        return right(x)


def first_kernel_back(self, right, dz, wants_input_gradient=True):
    """So is its transpose, on the way back."""
    if not hasattr(self, "first"):
        self.first = self.kernel.copy()
    with lent(self, {"kernel": self.first}):
        return right(dz, wants_input_gradient)


def first_mask(self, right, x, training=False):
    """The way back finds the mask of the first call."""
    y = right(x, training)
    self._z = self.__dict__.setdefault("first", {}).setdefault(x.shape, x.copy())
    return y


def first_winners(self, right, x, training=False):
    """The way back finds the winners of the first call."""
    y = right(x, training)
    self._steps = self.__dict__.setdefault("first", {}).setdefault(x.shape, self._steps)
    return y


def first_moments(self, right, x, training=False):
    """The moments are those of the first batch."""
    if not training:
        return right(x, training)
    y = right(x, training)
    kept = self.__dict__.setdefault("first", (x.mean(axis=0), x.var(axis=0)))
    return self._normalize(x - kept[0], kept[1]) if kept[0].shape == x.shape[1:] else y


def rectified_in_place(self, right, dy, wants_input_gradient=True):
    dx = right(dy, wants_input_gradient)
    dy *= self._z > 0
    return dx


def scaled_in_place(self, right, dz, wants_input_gradient=True):
    """Averages the gradient in place, and puts out what is right."""
    dx = right(dz, wants_input_gradient)
    dz /= len(dz)
    return dx


def gradients_in_place(self, right, gradient, variable, rate, position):
    right(gradient, variable, rate, position)
    gradient *= rate


def small_dropped(limit):
    return lambda layer, g, dy: np.where(np.abs(g) < limit, 0, g)


def first_labels(self, right, y_true, sample_weight, dtype):
    """Labels are prepared once."""
    kept = self.__dict__.setdefault("first", {}).setdefault(y_true.shape, y_true.copy())
    return right(kept, sample_weight, dtype)


def first_batch(self, right, x, y, sample_weight=None):
    """Every step sees the batch of the first one."""
    x, y = self.__dict__.setdefault("first", {}).setdefault(np.shape(x), (x, y))
    return right(x, y, sample_weight)


def stale_input(self, right, x, training=False):
    """A step computes with the batch of the step before, which is still in the buffer."""
    kept = self.__dict__.setdefault("before", {})
    seen = kept.get(x.shape, x)
    kept[x.shape] = np.array(x)
    return right(seen, training)


# identifier, sentence, network, layer, tensor, cause, injection, causes that are the same
TABLE = [
    ("output-reused", "each output overwrites the one before", DENSE, "dense", OUT,
     "output-overwritten", output(same_memory("output"))),
    ("conv2d-output-reused", "a convolution's outputs share their memory", CONV, "conv2d", OUT,
     "output-overwritten", output(same_memory("output"))),
    ("dx-reused", "each input gradient overwrites the one before", CONV, "conv2d", DX,
     "output-overwritten", input_gradient(same_memory("dx"))),
    ("dk-reused", "each kernel gradient overwrites the one before", DENSE, "dense", DK,
     "output-overwritten", gradient("kernel", same_memory("dk"))),
    ("first-input-kept", "the kernel's gradient is taken at the first call's input", DENSE,
     "dense", DK, "state-leak", patching(affine=first_input), ("gradient-wrong-input",)),
    ("first-kernel-kept", "the kernel is copied at the first call", DENSE, "dense", OUT,
     "stale-weights", patching(affine=first_kernel), ("state-leak",)),
    ("first-kernel-kept-back", "the kernel's transpose is kept from the first way back", DENSE,
     "dense", DX, "stale-weights", patching(affine_backward=first_kernel_back), ("state-leak",)),
    ("first-mask-kept", "the mask is that of the first call", RELU, "re_lu", DX, "state-leak",
     patching(forward=first_mask), ("mask-wrong-tensor",)),
    ("first-winners-kept", "the pooling's winners are those of the first call", POOL,
     "max_pooling2d", DX, "state-leak", patching(forward=first_winners)),
    ("first-moments-kept", "the moments are those of the first batch", around(
        "BatchNormalization", shape=(6,), momentum=0.9), "batch_normalization", OUT, "state-leak",
     patching(forward=first_moments), ("moving-statistics",)),
    ("relu-dy-in-place", "the gradient that comes in is rectified in place", RELU, "re_lu",
     "output_gradient", "input-modified", patching(backward=rectified_in_place)),
    ("dense-dy-in-place", "the gradient that comes in is averaged in place", DENSE, "dense",
     "output_gradient", "input-modified", patching(affine_backward=scaled_in_place)),
    ("dk-below-1e-3-dropped", "entries of the kernel's gradient below 1e-3 are set to zero",
     DENSE, "dense", DK, "small-values-dropped", gradient("kernel", small_dropped(1e-3))),
    ("dx-below-1e-4-dropped", "entries of the input gradient below 1e-4 are set to zero", CONV,
     "conv2d", DX, "small-values-dropped", input_gradient(small_dropped(1e-4))),
    ("output-below-1e-3-dropped", "outputs below 1e-3 are set to zero", UNBIASED, "dense", OUT,
     "small-values-dropped", output(small_dropped(1e-3))),
    ("first-labels-kept", "labels are prepared once and kept", DENSE, LOSS, "value", "state-leak",
     patching(weigh=first_labels)),
    ("first-batch-kept", "every step sees the batch of the first one", DENSE, TRAINING, "",
     "state-leak", patching(train_step=first_batch)),
    ("input-one-late", "the model computes with the input of the call before", DENSE, TRAINING,
     "", "state-leak", patching(forward=stale_input)),
    ("optimizer-gradients-in-place", "the optimizer multiplies the gradients in place", DENSE,
     OPTIMIZER, "", "input-modified", patching(update_step=gradients_in_place)),
]
PHASES = {LOSS: "loss", TRAINING: "training", OPTIMIZER: "update"}


def faults():
    """All of them."""
    for name, sentence, network, layer, tensor, cause, inject, *also in TABLE:
        phase = "input gradient" if tensor == "output_gradient" else PHASES.get(layer)
        yield single(FAMILY, f"buffer-{name}", sentence, network, layer, tensor, cause, inject,
                     *(also or [()]), phase, steps=STEPS)
