"""Faults of the states that a recurrent layer is called on, and of those that it puts out."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.fault import TRAINING
from compare.evaluation.faults.injection import patched
from compare.evaluation.faults.networks import SEQUENCE, SGD, SOFT, around, ended, front
from compare.evaluation.fuzzing.specification import Node

OUT, DX = "output", "input_gradient"
FIRST, SECOND = "first", "second"
UNITS = 3


def handed_on(class_name: str, **arguments):
    """A layer on whose states another one of its kind begins, both on the same steps."""
    own = {"units": UNITS, "bias_initializer": "random_normal", **arguments}
    count = 2 if class_name == "LSTM" else 1
    nodes = [front(SEQUENCE, "front", -1),
             Node(class_name, {"name": FIRST, "return_state": True, **own}, [0]),
             Node(class_name, {"name": SECOND, **own}, [0, *[1] * count],
                  places=[0, *range(1, 1 + count)]),
             Node("Add", {"name": "both"}, [1, 2])]
    return ended(nodes, SEQUENCE, SOFT, SGD, 4, "float32", 1, False, None)


def both_ways():
    """The same of a layer in two directions."""
    inner = {"class_name": "GRU", "config": {"name": "inside", "units": 2}}
    nodes = [front(SEQUENCE, "front", -1),
             Node("Bidirectional", {"name": FIRST, "layer": {**inner, "config": {
                 **inner["config"], "return_state": True}}}, [0]),
             Node("Bidirectional", {"name": SECOND, "layer": inner}, [0, 1, 1], places=[0, 1, 2]),
             Node("Add", {"name": "both"}, [1, 2])]
    return ended(nodes, SEQUENCE, SOFT, SGD, 4, "float32", 1, False, None)


def called_on(change):
    """The forward pass begins with change(states)."""
    def forward(layer, right, x, training=False):
        return right([x[0], *change(list(x[1:]))], training)

    return lambda layer: patched(layer, forward=forward)


def zeros(states):
    return [np.zeros_like(state) for state in states]


def returning(change):
    """The states that come out are change(layer, states)."""
    def side_by_side(layer, right, outputs, states):
        return right(outputs, change(layer, states))

    return lambda layer: patched(layer, side_by_side=side_by_side)


def first_step(layer):
    """The states after the first step come out, not those after the last one."""
    def step(self, right, z, states):
        made, kept = right(z, states)
        if not self._kept:
            self.after_first = made
        return made, kept

    patched(layer, step=step, side_by_side=lambda self, right, outputs, states: right(
        outputs, self.after_first))


def sent_back(change):
    """The way back begins with change(the gradients of the states that are put out)."""
    def apart(layer, right, dy):
        outputs, states = right(dy)
        return outputs, change(states)

    return lambda layer: patched(layer, apart=apart)


def to_states(change):
    """The gradients of the initial states are change(those that are right)."""
    def backward(layer, right, dy, wants_input_gradient=True):
        dx, *states = right(dy, wants_input_gradient)
        return [dx, *change(states)]

    return lambda layer: patched(layer, backward=backward)


def forgets(model):
    for layer in model.layers:
        if getattr(layer, "stateful", False):
            patched(layer, carry=lambda self, right, states: None)


def turned(states):
    return states[::-1]


NETWORKS = {name: handed_on(name) for name in ("SimpleRNN", "LSTM", "GRU")}
BOTH = both_ways()
TABLE = [
    *[(kind, "initial-ignored", "the layer begins with zeros, whatever it is called on", SECOND,
       OUT, "initial-state", called_on(zeros)) for kind in NETWORKS],
    ("LSTM", "initial-exchanged", "the cell begins with the output's state, and that with the cell",
     SECOND, OUT, "initial-state", called_on(turned)),
    ("LSTM", "initial-cell", "the cell begins with zeros", SECOND, OUT, "initial-state",
     called_on(lambda states: [states[0], *zeros(states[1:])])),
    ("LSTM", "returned-exchanged", "the cell comes out first", FIRST, OUT, "returned-state",
     returning(lambda layer, states: states[::-1])),
    ("GRU", "returned-first", "the state after the first step comes out", FIRST, OUT,
     "returned-state", first_step),
    ("LSTM", "returned-first", "the states after the first step come out", FIRST, OUT,
     "returned-state", first_step),
    ("GRU", "returned-gradient", "what comes of the state that is put out does not go back", FIRST,
     DX, "state-gradient", sent_back(zeros)),
    ("LSTM", "returned-cell-gradient", "what comes of the cell that is put out does not go back",
     FIRST, DX, "state-gradient", sent_back(lambda states: [states[0], *zeros(states[1:])])),
    ("LSTM", "initial-gradients-exchanged", "each initial state gets the other one's gradient",
     SECOND, f"{DX}_2", "state-gradient", to_states(turned)),
    ("GRU", "initial-gradient-twice", "the initial state gets its gradient twice", SECOND,
     f"{DX}_2", "scale", to_states(lambda states: [2 * state for state in states])),
]
WAYS = [
    ("initial-exchanged", "each direction begins with the other one's state", SECOND, OUT,
     "initial-state", called_on(turned)),
    ("returned-exchanged", "the second direction's state comes out first", FIRST, OUT,
     "returned-state", returning(lambda layer, states: states[::-1])),
]


def faults():
    """All of them."""
    for kind, name, sentence, layer, tensor, cause, inject in TABLE:
        yield single("Recurrent", f"states-{kind.lower()}-{name}", sentence, NETWORKS[kind], layer,
                     tensor, cause, inject)
    for kind in NETWORKS:
        network = around(kind, shape=SEQUENCE, units=UNITS, stateful=True)
        yield single("Recurrent", f"states-{kind.lower()}-not-kept",
                     "a layer that is to go on from its last states begins with zeros", network,
                     TRAINING, "carried states", "states-not-kept", forgets)
    for name, sentence, layer, tensor, cause, inject in WAYS:
        yield single("Recurrent", f"states-bidirectional-{name}", sentence, BOTH, layer, tensor,
                     cause, inject)
