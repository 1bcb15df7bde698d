"""Faults of networks with several inputs and outputs: what is handed in, handed out, added up."""

import numpy as np

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.fault import LOSS, TRAINING
from compare.evaluation.faults.injection import patched
from compare.evaluation.faults.networks import CLASSES, SGD, SOFT
from compare.evaluation.fuzzing.specification import Node, Specification
from scratch.losses import Value
from scratch.several import Several

WEIGHTS = (2.0, 0.25)
INPUT = 5
NODES = [Node("Dense", {"name": "left", "units": 4, "activation": "tanh"}, [-1]),
         Node("Dense", {"name": "right", "units": 4, "activation": "tanh"}, [-2]),
         Node("Subtract", {"name": "joined"}, [0, 1]),
         Node("Dense", {"name": "trunk", "units": 6, "activation": "relu"}, [2]),
         Node("Dense", {"name": "box", "units": CLASSES}, [3]),
         Node("Dense", {"name": "class", "units": CLASSES, "activation": SOFT[1]}, [4])]
TWO_BY_TWO = Specification(
    [INPUT], NODES, SOFT[0], SGD, batch=4, seed=[1, 3], more_inputs=[[INPUT]],
    outputs=[[5, SOFT[0], WEIGHTS[0]], [4, ["MeanSquaredError", {}], WEIGHTS[1]]])


def counting(weights):
    """The losses count for other weights: weights(own ones) in their order."""
    def forward(self, right, y_true, y_pred, from_logits=None, sample_weight=None):
        value = right(y_true, y_pred, from_logits, sample_weight)
        total, gradients = 0, list(self._gradients.arrays)
        own = [term.weight for term in self.terms]
        for term, each, weight in zip(self.terms, value.terms, weights(own)):
            gradient = gradients[term.output]
            number = gradient.dtype.type
            gradients[term.output] = gradient * number(weight / term.weight)
            total = total + each * number(weight)
        self._gradients = Several(gradients)
        return Value(total, value.terms)

    return lambda loss: patched(loss, forward=forward)


def outputs_swapped(model):
    """The two outputs, of one shape, are handed out the other way round."""
    def forward(self, right, x, training=False):
        return Several(right(x, training).arrays[::-1])

    return patched(model, forward=forward)


def inputs_swapped(model):
    """Each of the two inputs is taken for the other one."""
    def forward(self, right, x, training=False):
        return right(Several(self.as_input(x).arrays[::-1]), training)

    return patched(model, forward=forward)


def fork_not_added(model):
    """The box is an output and feeds the classes: the gradient of its own loss is lost."""
    def backward(self, right, gradient, from_logits=False, wants_input_gradient=True):
        of_class, of_box = gradient.arrays
        return right(Several([of_class, None if of_class is None else np.zeros_like(of_box)]),
                     from_logits, wants_input_gradient)

    return patched(model, backward=backward)


TABLE = [
    ("loss-weights-forgotten", "each loss counts for 1", LOSS, "gradient", "loss-weights-missing",
     counting(lambda own: [1.0] * len(own))),
    ("losses-averaged", "the losses are averaged, not added", LOSS, "gradient", "losses-averaged",
     counting(lambda own: [weight / len(own) for weight in own])),
    ("loss-weights-swapped", "each loss counts for the other's weight", LOSS, "gradient",
     "loss-weights-swapped", counting(lambda own: own[::-1])),
    ("second-loss-left-out", "the second output's loss is not added", LOSS, "gradient",
     "loss-term-missing", counting(lambda own: [own[0], 0.0])),
    ("outputs-swapped", "the outputs are handed out the other way round", TRAINING, "",
     "outputs-swapped", outputs_swapped),
    ("inputs-swapped", "each input is taken for the other one", TRAINING, "", "inputs-swapped",
     inputs_swapped),
    ("fork-not-added", "an output that is read by another layer gets that one's gradient alone",
     TRAINING, "", "overlap-overwritten", fork_not_added),
]


def faults():
    """All of them."""
    for name, sentence, layer, tensor, cause, inject in TABLE:
        yield single("Several inputs and outputs", name, sentence, TWO_BY_TWO, layer, tensor, cause,
                     inject, phase="loss" if layer == LOSS else "training", steps=0)
