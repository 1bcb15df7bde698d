"""Faults of layers that are called more than once, alone and in a model that stands in another."""

from compare.evaluation.faults.families.making import single
from compare.evaluation.faults.fault import TRAINING
from compare.evaluation.faults.injection import (
    gradient,
    input_gradient,
    output,
    patched,
    rotated,
)
from compare.evaluation.faults.networks import IMAGE, SGD, SOFT, ended, front
from compare.evaluation.fuzzing.specification import Node, Specification
from scratch.backward import add_tied_gradients

SAME = {"filters": 4, "kernel_size": (2, 3), "padding": "same"}
AGAIN = "again (call 2)"
INSIDE, INSIDE_AGAIN = "model_1_3.again", "model_1_3.again (call 2)"


def _network(inside: bool) -> Specification:
    """A convolution on its own output; or a model of two layers on its own output."""
    again = Node("Conv2D", {"name": "again", **SAME}, [0])
    second = Node("ReLU", {"name": "re_lu"}, [1]) if inside else Node(
        "Conv2D", {"name": "again", **SAME}, [1], again=1)
    made = ended([front(IMAGE, "front", -1), again, second], IMAGE, SOFT, SGD, 4, "float32", 1,
                 False, None)
    made.inside = [[1, 3, 2]] if inside else []
    return made


TWICE, NESTED = _network(False), _network(True)


def of_calls(total):
    """The gradient of a weight that two calls use is total(that of the first, that of the second).
    """
    def backward(self, right, *arguments, **settings):
        dx = right(*arguments, **settings)
        first = {layer.name: layer for layer in self.layers}
        for layer in self.layers:
            if layer.tied_to is not None:
                begun = first[layer.tied_to]
                begun.grads = {name: total(g - layer.grads[name], layer.grads[name])
                               for name, g in begun.grads.items()}
        return dx

    return lambda model: patched(model, backward=backward)


def added_twice(self, right, *arguments, **settings):
    dx = right(*arguments, **settings)
    add_tied_gradients(self.layers)
    return dx


ONE_LAYER = [
    ("second-output-scaled", "the second call alone is off by a thousandth", TWICE, AGAIN, "output",
     "scale", output(lambda layer, y, x: y * 1.001)),
    ("second-dx-rotated", "the second call sends each sample the gradient of the one before", TWICE,
     AGAIN, "input_gradient", "batch-mixed", input_gradient(lambda layer, dx, dy: rotated(dx))),
    ("second-gradient-doubled", "the second call's kernel gradient counts twice", TWICE, AGAIN,
     "kernel_gradient", "scale", gradient("kernel", lambda layer, g, dy: 2 * g)),
    ("inside-output-scaled", "a layer of a model in a model is off by a thousandth", NESTED, INSIDE,
     "output", "scale", output(lambda layer, y, x: y * 1.001)),
    ("inside-second-dx-sign", "at the model's second call a layer's gradient is negated", NESTED,
     INSIDE_AGAIN, "input_gradient", "sign", input_gradient(lambda layer, dx, dy: -dx)),
]
WHOLE = [
    ("last-call-alone", "the gradient of the last call stands for the sum", TWICE,
     of_calls(lambda first, second: second)),
    ("first-call-alone", "the gradient of the first call stands for the sum", TWICE,
     of_calls(lambda first, second: first)),
    ("mean-of-calls", "the mean of the calls' gradients stands for the sum", NESTED,
     of_calls(lambda first, second: (first + second) / 2)),
    ("added-twice", "the second call's gradient is added once too often", NESTED,
     lambda model: patched(model, backward=added_twice)),
]


def faults():
    """All of them."""
    for name, sentence, network, layer, tensor, cause, inject in ONE_LAYER:
        yield single("Shared layers", f"shared-{name}", sentence, network, layer, tensor, cause,
                     inject)
    for name, sentence, network, inject in WHOLE:
        yield single("Shared layers", f"shared-{name}", sentence, network, TRAINING, "",
                     "calls-not-added", inject, (), "training", steps=5)
