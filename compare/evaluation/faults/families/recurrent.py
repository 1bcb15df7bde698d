"""Faults of recurrent layers: what is carried on, the gates, and the way back through time."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.injection import (
    gradient,
    half,
    input_gradient,
    lent,
    output,
    patched,
)
from compare.evaluation.faults.networks import SEQUENCE, around
from scratch.naming import snake_case

OUT, DX, DR, DB = "output", "input_gradient", "recurrent_kernel_gradient", "bias_gradient"
KINDS = ("SimpleRNN", "LSTM", "GRU")
LAYERS = {name: around(name, shape=SEQUENCE, units=3, bias_initializer="random_normal",
                       return_sequences=True) for name in KINDS}
LAST = {name: around(name, shape=SEQUENCE, units=3, bias_initializer="random_normal")
        for name in KINDS}

DROPPING = {name: around(name, shape=SEQUENCE, units=3, dropout=0.4, return_sequences=True)
            for name in KINDS}


RECURRENTLY = {name: around(name, shape=SEQUENCE, units=3, dropout=0.3, recurrent_dropout=0.4,
                            return_sequences=True) for name in KINDS}


def stepping(change):
    """A step is change(layer, right, z, states)."""
    return lambda layer: patched(layer, step=change)


def stepping_back(change):
    """The way back through a step is change(layer, right, d_states, kept)."""
    return lambda layer: patched(layer, step_back=change)


def forgetful(layer, right, z, states):
    """No step knows of the one before it."""
    return right(z, [np.zeros_like(state) for state in states])


def truncated(layer, right, d_states, kept):
    """Nothing goes back to the step before."""
    dz, sent = right(d_states, kept)
    return dz, [np.zeros_like(each) for each in sent]


def without_cell(layer, right, d_states, kept):
    """The cell's gradient does not go back, the output's does."""
    dz, (dh, dc) = right(d_states, kept)
    return dz, [dh, np.zeros_like(dc)]


def transposed(layer, right, z, states):
    with lent(layer, {"recurrent_kernel": layer.params["recurrent_kernel"].T.copy()}):
        return right(z, states)


def exchanged(first, second):
    """Two gates lie in the other order in all weights."""
    def change(layer, right, z, states):
        order = np.arange(z.shape[1]).reshape(layer.gates, -1)
        order[[first, second]] = order[[second, first]]
        order = order.reshape(-1)
        own = {"recurrent_kernel": layer.params["recurrent_kernel"][:, order]}
        if layer.params["bias"].ndim == 2:  # the input's is in z
            own["bias"] = layer.params["bias"][:, order]
        with lent(layer, own):
            return right(z[:, order], states)

    return stepping(change)


def never_forgets(layer, right, z, states):
    (_, c), kept = right(z, states)
    before, c_before, zs, (i, f, g, o), *_ = kept
    c = c_before + i * g
    return [o * layer.activation.function(c), c], kept


def not_squashed(layer, right, z, states):
    (_, c), kept = right(z, states)
    return [kept[3][3] * c, c], kept


def one_more_on_forget(layer, right, z, states):
    """The ones that the bias of the forget gate begins with are added at every step."""
    z = z.copy()
    z[:, layer.units:2 * layer.units] += 1
    return right(z, states)


def update_inverted(layer, right, z, states):
    """1 - z and z are exchanged, as in the paper that had them so."""
    _, kept = right(z, states)
    before, _, (update, _), _, _, new = kept
    return [(1 - update) * before + update * new], kept


def reset_before(layer, right, z, states):
    """The reset gate acts on the state, not on its product."""
    _, kept = right(z, states)
    before, _, (update, reset), *_ = kept
    u = layer.units
    inner = (reset * before) @ layer.params["recurrent_kernel"][:, 2 * u:]
    inner = z[:, 2 * u:] + inner + layer.params["bias"][1, 2 * u:]
    return [update * before + (1 - update) * layer.activation.function(inner)], kept


def without_second_bias(layer, right, z, states):
    bias = layer.params["bias"].copy()
    bias[1] = 0
    with lent(layer, {"bias": bias}):
        return right(z, states)


def straight_through_update(layer, right, d_states, kept):
    """The state's own way past the gates is left out."""
    dz, (dh,) = right(d_states, kept)
    return dz, [dh - d_states[0] * kept[2][0]]


def carried_over(layer):
    """The first state is the last one of the batch before."""
    def step(self, right, z, states):
        if not self._kept and getattr(self, "last", None) is not None \
                and self.last[0].shape == states[0].shape:
            states = self.last
        states, kept = right(z, states)
        self.last = states
        return states, kept

    patched(layer, step=step)


TABLE = [
    *[(kind, *line) for kind in KINDS for line in (
        ("forgetful", "no step knows of the one before it", OUT,
         "state-not-carried", stepping(forgetful)),
        ("truncated", "the gradient stops at every step", DX,
         "gradient-not-carried", stepping_back(truncated)))],
    ("SimpleRNN", "transposed", "the recurrent kernel is turned", OUT,
     "transposed-weights", stepping(transposed)),
    ("LSTM", "gates-i-f-o-g", "the last two gates lie in the other order", OUT,
     "gate-order", exchanged(2, 3)),
    ("LSTM", "never-forgets", "the cell adds up and forgets nothing", OUT,
     "gate-formula", stepping(never_forgets)),
    ("LSTM", "not-squashed", "the cell comes out without its activation", OUT,
     "activation-missing", stepping(not_squashed)),
    ("LSTM", "forget-bias-again", "1 is added to the forget gate at every step", OUT,
     "gate-formula", stepping(one_more_on_forget)),
    ("LSTM", "cell-gradient", "the gradient of the cell does not go back", DX,
     "gradient-not-carried", stepping_back(without_cell)),
    ("GRU", "gates-r-z", "the first two gates lie in the other order, as PyTorch has them", OUT,
     "gate-order", exchanged(0, 1)),
    ("GRU", "update-inverted", "the update gate and 1 less it are exchanged", OUT,
     "gate-formula", stepping(update_inverted)),
    ("GRU", "reset-before", "the reset gate acts before the product", OUT,
     "reset-gate", stepping(reset_before)),
    ("GRU", "one-bias", "the bias of the state before is left out", OUT,
     "recurrent-bias", stepping(without_second_bias)),
    ("GRU", "past-the-gates", "the gradient past the gates is left out", DX,
     "gradient-not-carried", stepping_back(straight_through_update)),
    *[(kind, "carried-over", "the state of the batch before is where the next one begins", OUT,
       "state-leak", carried_over) for kind in KINDS],
    ("LSTM", "float16", "the output is rounded to float16", OUT, "low-precision",
     output(lambda layer, y, x: half(y))),
    ("GRU", "bias-alike", "both rows of the bias get the gradient of the first", DB,
     "recurrent-bias", gradient("bias", lambda layer, g, dy: np.stack([g[0], g[0]]))),
    ("LSTM", "recurrent-mean", "the recurrent kernel's gradient is a mean over the steps", DR,
     "scale", gradient("recurrent_kernel", lambda layer, g, dy: g / layer._read[0].shape[1])),
]


TWO_WAYS = around("Bidirectional", shape=SEQUENCE, layer={
    "class_name": "GRU", "config": {"name": "inside", "units": 2, "return_sequences": True}})


def not_turned_back(layer, y, x):
    """The states of the layer that reads backwards stay in the order in which they were made."""
    return np.concatenate([y[..., :2], y[:, ::-1, 2:]], axis=-1)


BOTH = [
    ("not-turned-back", "the second layer's states are not turned back", OUT, "directions",
     output(not_turned_back)),
    ("exchanged", "the second layer's states come first", OUT, "directions",
     output(lambda layer, y, x: np.roll(y, 2, axis=-1)), ("axes-permuted", "flatten-order")),
    ("one-way", "only the first layer sends a gradient back", DX, "directions",
     input_gradient(lambda layer, dx, dy: layer.layer.backward(np.ascontiguousarray(
         dy[..., :2]))), ("stale-weights",)),
    ("last-way", "the second layer's recurrent kernel gets the first one's gradient",
     "backward_layer/recurrent_kernel_gradient", "directions",
     gradient("backward_layer/recurrent_kernel",
              lambda layer, g, dy: layer.layer.grads["recurrent_kernel"]), ("stale-weights",)),
]


def first_step(layer):
    """The first step's state comes out, not the last one's."""
    def forward(self, right, x, training=False):
        self.return_sequences = True
        try:
            return np.array(right(x, training)[:, 0])
        finally:
            self.return_sequences = False

    patched(layer, forward=forward)


def every_step(layer):
    """The features are dropped anew at every step."""
    patched(layer, draw=lambda self, right, rng, shape: np.where(
        rng.random(shape) >= self.dropout, 1 / (1 - self.dropout), 0))


def not_scaled(layer):
    patched(layer, _noise_for=lambda self, right, x: right(x) * self.dtype.type(1 - self.dropout))


def dx_not_dropped(layer):
    """The input's gradient passes by the mask."""
    def backward(self, right, dy, wants_input_gradient=True):
        noise, self._input_noise = self._input_noise, [None]
        try:
            return right(dy, wants_input_gradient)
        finally:
            self._input_noise = noise

    patched(layer, backward=backward)


def anew(layer):
    """The state is dropped by a mask drawn for each step, not by one for all of them."""
    def step(self, right, z, states):
        kept, self._state_noise = self._state_noise, [
            None if each is None else np.roll(each, len(self._kept), axis=0)
            for each in self._state_noise]
        try:
            return right(z, states)
        finally:
            self._state_noise = kept

    patched(layer, step=step)


def one_for_all_gates(layer):
    """Every gate reads what the first one's dropout leaves."""
    patched(layer, _noise_by_gate=lambda self, right, features: tuple(
        [each[0]] * len(each) for each in right(features)))


def states_kept(layer):
    """What goes into the recurrent kernel is not dropped."""
    patched(layer, _noise_by_gate=lambda self, right, features: (right(features)[0], [None]))


def shared_draws(layer):
    """One draw serves all gates."""
    def draw(self, right, rng, shape):
        noise, gates = right(rng, shape), self.gates
        parts = np.split(noise, [gates * shape[2]], axis=2)
        return np.concatenate([np.tile(each[..., :each.shape[2] // gates], gates)
                               for each in parts], axis=2)

    patched(layer, draw=draw)


def same_at_all_steps(layer):
    """All steps are dropped by one draw, which Keras makes anew for each."""
    patched(layer, fresh_noise=lambda self, right, shape: np.broadcast_to(
        right(shape)[:, :1], shape))


STEPWISE = around("TimeDistributed", shape=SEQUENCE, layer={
    "class_name": "Dropout", "config": {"name": "inside", "rate": 0.4}})
STATES = [
    ("SimpleRNN", "recurrent-dropout-anew", "the state is dropped by another mask at every step",
     OUT, "mask-wrong-tensor", anew),
    ("LSTM", "recurrent-dropout-left-out", "the state is not dropped", OUT, "mask-missing",
     states_kept),
    ("GRU", "recurrent-dropout-shared", "every gate reads what the first one's dropout leaves", OUT,
     "mask-wrong-tensor", one_for_all_gates),
    ("LSTM", "recurrent-dropout-one-draw", "one draw serves all gates", "noise",
     "noise-not-independent", shared_draws),
]
DROPOUTS = [
    ("GRU", "dropout-every-step", "the features are dropped anew at every step", "noise",
     "noise-distribution", every_step),
    ("LSTM", "dropout-not-scaled", "what is kept is not made larger", OUT, "scale", not_scaled),
    ("SimpleRNN", "dropout-dx", "the gradient passes by the dropout's mask", DX, "mask-missing",
     dx_not_dropped),
]


def faults():
    """All of them."""
    for kind, name, sentence, tensor, cause, inject in DROPOUTS:
        yield _made(kind, name, sentence, DROPPING, tensor, cause, inject)
    for kind, name, sentence, tensor, cause, inject in STATES:
        yield _made(kind, name, sentence, RECURRENTLY, tensor, cause, inject)
    yield single("Recurrent", "time-distributed-dropout-shared", "one draw serves all steps",
                 STEPWISE, "time_distributed", "noise", "noise-not-independent", same_at_all_steps)
    for kind, name, sentence, tensor, cause, inject in TABLE:
        yield _made(kind, name, sentence, LAYERS, tensor, cause, inject)
    for kind in KINDS:
        yield _made(kind, "first-step", "the first step's state comes out, not the last one's",
                    LAST, OUT, "other-step", first_step)
    for name, sentence, tensor, cause, inject, *also in BOTH:
        yield single("Recurrent", f"bidirectional-{name}", sentence, TWO_WAYS, "bidirectional",
                     tensor, cause, inject, *also)


def _made(kind, name, sentence, networks, tensor, cause, inject):
    layer = snake_case(kind)
    return single("Recurrent", f"{layer.replace('_', '-')}-{name}", sentence, networks[kind],
                  layer, tensor, cause, inject)
