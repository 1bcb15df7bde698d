"""Faults of a layer on every step."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.injection import gradient, half, input_gradient, output, patching
from compare.evaluation.faults.networks import IMAGE, SEQUENCE, around

OUT, DX, DW, DB = "output", "input_gradient", "kernel_gradient", "bias_gradient"
STEPS = around("TimeDistributed", shape=SEQUENCE, layer={
    "class_name": "Dense", "config": {"name": "inside", "units": 3,
                                      "bias_initializer": "random_normal"}})

STEPS_OF_A_BATCH = around("TimeDistributed", shape=IMAGE, layer={
    "class_name": "BatchNormalization", "config": {
        "name": "inside", "momentum": 0.7, "beta_initializer": "random_normal"}})


def first_step_everywhere(layer, y, x):
    return np.broadcast_to(y[:, :1], y.shape)


def steps_for_samples(layer, y, x):
    """Samples and steps are merged in the other order, and parted as if they were not."""
    n, t, c = y.shape
    return np.ascontiguousarray(y.transpose(1, 0, 2)).reshape(n, t, c)


def last_step(layer, name, dy):
    """The gradient of the last step alone: each step's replaces that of the one before."""
    dz = dy[:, -1]
    seen = layer.seen.reshape(*dy.shape[:2], -1)[:, -1]
    return seen.T @ dz if name == "kernel" else dz.sum(axis=0)


def keeping_last(name):
    def inject(layer):
        def changed(self, g, dy):
            self.seen = self.layer._x
            return last_step(self, name, dy)

        gradient(name, changed)(layer)

    return inject


def all_at_once(self, right, inputs, steps):
    """Steps are samples in training, too: one batch, by which the averages move once."""
    (x,) = inputs
    self._calls = [self.layer]
    y = self.layer.forward(x.reshape(-1, *x.shape[2:]), True)
    self._before = self.layer._before
    return y.reshape(*x.shape[:2], *y.shape[1:])


def one_step_moves(self, right, inputs, steps):
    """The moving averages follow the last step alone."""
    y = right(inputs, steps)
    for name, before in self._before.items():
        self.params[name][...] = before
    self.layer.another_call(self.layer.name).forward(inputs[0][:, -1], True)
    return y


TABLE = [
    ("first-step", "every step gets the first one's output", OUT, "other-step",
     output(first_step_everywhere)),
    ("steps-for-samples", "steps and samples are merged in one order and parted in the other", OUT,
     "batch-mixed", output(steps_for_samples), ("batch-mixed", "flatten-order")),
    ("reversed", "the steps come out in reverse", OUT, "axes-permuted",
     output(lambda layer, y, x: y[:, ::-1]), ("axes-permuted",)),
    ("float16", "the output is rounded to float16", OUT, "low-precision",
     output(lambda layer, y, x: half(y))),
    ("dw-last-step", "the kernel's gradient is that of the last step alone", DW, "other-step",
     keeping_last("kernel")),
    ("db-last-step", "the bias's gradient is that of the last step alone", DB, "other-step",
     keeping_last("bias"), ("bias-untied",)),
    ("dw-mean", "the kernel's gradient is a mean over the steps", DW, "scale",
     gradient("kernel", lambda layer, g, dy: g / dy.shape[1])),
    ("dx-last-step", "only the last step's gradient goes back", DX, "other-step",
     input_gradient(lambda layer, dx, dy: np.where(
         np.arange(dx.shape[1])[:, None] == dx.shape[1] - 1, dx, 0))),
]


OF_BATCHES = [
    ("norm-all-steps", "batch normalization takes all steps for one batch", OUT,
     "moments-of-all-steps", patching(_step_after_step=all_at_once)),
    ("norm-last-step", "the moving averages follow the last step alone", "moving_mean",
     "other-step", patching(_step_after_step=one_step_moves)),
]


def faults():
    """All of them."""
    for name, sentence, tensor, cause, inject in OF_BATCHES:
        yield single("TimeDistributed", f"time-distributed-{name}", sentence, STEPS_OF_A_BATCH,
                     "time_distributed", tensor, cause, inject)
    for name, sentence, tensor, cause, inject, *more in TABLE:
        yield single("TimeDistributed", f"time-distributed-{name}", sentence, STEPS,
                     "time_distributed", tensor, cause, inject, *more)
