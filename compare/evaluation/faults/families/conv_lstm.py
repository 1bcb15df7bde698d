"""Faults of convolutional LSTMs: the states' convolution, the gates, and the way back."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.families.recurrent import (
    carried_over,
    forgetful,
    never_forgets,
    not_squashed,
    stepping,
    stepping_back,
    truncated,
)
from compare.evaluation.faults.injection import gradient, half, lent, output, patched
from compare.evaluation.faults.networks import VOLUME, around

OUT, DX, DK, DR = "output", "input_gradient", "kernel_gradient", "recurrent_kernel_gradient"
ALL_STEPS = around("ConvLSTM2D", shape=VOLUME, filters=3, kernel_size=(3, 2), padding="same",
                   bias_initializer="random_normal", return_sequences=True)
LAST_STEP = around("ConvLSTM2D", shape=VOLUME, filters=2, kernel_size=2, strides=(2, 1),
                   bias_initializer="random_normal")
LINES = around("ConvLSTM1D", shape=(4, 6, 2), filters=2, kernel_size=3, return_sequences=True)
BODIES = around("ConvLSTM3D", shape=(3, 2, 5, 4, 1), filters=2, kernel_size=(1, 2, 2))


def with_state_kernel(change):
    """The states' convolution works with change(kernel, layer)."""
    def from_state(layer, right, before):
        with lent(layer, {"recurrent_kernel": change(layer.params["recurrent_kernel"], layer)}):
            return right(before)

    return lambda layer: patched(layer, state_product=from_state)


def flipped(kernel, layer):
    return np.flip(kernel, tuple(range(layer.rank)))


def turned(kernel, layer):
    """Gate by gate, channels in and out exchanged."""
    return np.concatenate([part.swapaxes(-2, -1) for part in np.split(kernel, 4, axis=-1)], axis=-1)


def gates_exchanged(layer, right, z, states):
    """The last two gates lie in the other order in all weights."""
    u = layer.units
    order = np.r_[:2 * u, 3 * u:4 * u, 2 * u:3 * u]
    with lent(layer, {"recurrent_kernel": layer.params["recurrent_kernel"][..., order]}):
        return right(z[..., order], states)


def padded_behind(layer, right, before):
    """An even kernel's padding stands on the other side of the states."""
    axes = tuple(range(1, 1 + layer.rank))  # the mirror image of a mirror image's convolution
    kernel = flipped(layer.params["recurrent_kernel"], layer)
    with lent(layer, {"recurrent_kernel": np.ascontiguousarray(kernel)}):
        return np.flip(right(np.ascontiguousarray(np.flip(before, axes))), axes)


def back_unflipped(layer, right, dz, wants_input_gradient):
    """The gradient goes back to the input through the kernel as it is, not turned."""
    right(dz, False)
    kept, part = dict(layer.grads), layer._of_input
    own = part.params["kernel"]
    part.params = {"kernel": np.ascontiguousarray(flipped(own, layer))}
    try:
        return right(dz, wants_input_gradient)
    finally:
        part.params, layer.grads = {"kernel": own}, kept


def first_step(layer):
    """The first step's state comes out, not the last one's."""
    def forward(self, right, x, training=False):
        self.return_sequences = True
        try:
            return np.array(right(x, training)[:, 0])
        finally:
            self.return_sequences = False

    patched(layer, forward=forward)


TABLE = [
    ("forgetful", "no step knows of the one before it", ALL_STEPS, OUT, "state-not-carried",
     stepping(forgetful)),
    ("state-kernel-flipped", "the states are convolved, not correlated", ALL_STEPS, OUT,
     "kernel-flipped", with_state_kernel(flipped)),
    ("state-kernel-turned", "the states' kernel has its channels in and out exchanged", ALL_STEPS,
     OUT, "transposed-weights", with_state_kernel(turned)),
    ("state-padding", "an even kernel's padding of the states stands on the other side", ALL_STEPS,
     OUT, "padding-side", lambda layer: patched(layer, state_product=padded_behind)),
    ("gates-i-f-o-g", "the last two gates lie in the other order", ALL_STEPS, OUT, "gate-order",
     stepping(gates_exchanged)),
    ("never-forgets", "the cell adds up and forgets nothing", ALL_STEPS, OUT, "gate-formula",
     stepping(never_forgets)),
    ("not-squashed", "the cell comes out without its activation", ALL_STEPS, OUT,
     "activation-missing", stepping(not_squashed)),
    ("float16", "the output is rounded to float16", ALL_STEPS, OUT, "low-precision",
     output(lambda layer, y, x: half(y))),
    ("carried-over", "the state of the batch before is where the next one begins", ALL_STEPS, OUT,
     "state-leak", carried_over),
    ("first-step", "the first step's state comes out, not the last one's", LAST_STEP, OUT,
     "other-step", first_step),
    ("truncated", "the gradient stops at every step", LAST_STEP, DX, "gradient-not-carried",
     stepping_back(truncated)),
    ("dx-unflipped", "the gradient goes back through the kernel as it is, not turned", ALL_STEPS,
     DX, "kernel-flipped", lambda layer: patched(layer, _through_kernel_back=back_unflipped)),
    ("recurrent-mean", "the recurrent kernel's gradient is a mean over the steps", ALL_STEPS, DR,
     "scale", gradient("recurrent_kernel", lambda layer, g, dy: g / layer._read[0].shape[1])),
    ("dk-flipped", "the gradient of the kernel comes out turned", ALL_STEPS, DK, "kernel-flipped",
     gradient("kernel", lambda layer, g, dy: flipped(g, layer))),
]
OTHERS = [
    ("ConvLSTM1D", "forgetful", "no step knows of the one before it", LINES, OUT,
     "state-not-carried", stepping(forgetful)),
    ("ConvLSTM1D", "state-kernel-flipped", "the states are convolved, not correlated", LINES, OUT,
     "kernel-flipped", with_state_kernel(flipped)),
    ("ConvLSTM3D", "first-step", "the first step's state comes out, not the last one's", BODIES,
     OUT, "other-step", first_step),
    ("ConvLSTM3D", "truncated", "the gradient stops at every step", BODIES, DX,
     "gradient-not-carried", stepping_back(truncated)),
]


def faults():
    """All of them."""
    for kind, name, sentence, network, tensor, cause, inject in (
            *[("ConvLSTM2D", *line) for line in TABLE], *OTHERS):
        layer = kind.lower().replace("lstm", "_lstm")
        yield single("Recurrent", f"{layer.replace('_', '-')}-{name}", sentence, network, layer,
                     tensor, cause, inject)
