"""What every oracle is: a layer by definition, in float64, with a proved bound on rounding.

An oracle takes a layer's Keras config and offers `forward(x, weights)`, then `backward(dy)`, which
returns the gradient with respect to x and those with respect to the weights. All arguments and
results are `Bounded`. Written from the definitions, not from `scratch` or Keras.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from compare.oracle.data_format import Layout
from compare.oracle.running_error import Bounded
from compare.tracing.types import Config

LAYERS: dict[str, type["Oracle"]] = {}  # by Keras's names; filled as the classes are defined
ACTIVATIONS: dict[str, type["Oracle"]] = {}

SomeOracle = TypeVar("SomeOracle", bound="Oracle")


def judges(*layers: str,
           activation: str | None = None) -> Callable[[type[SomeOracle]], type[SomeOracle]]:
    """A decorator of an oracle's class: which layers and which activation it judges.

    Raises:
        ValueError: for a name that another class has already.
    """
    def entered(cls: type[SomeOracle]) -> type[SomeOracle]:
        for known, names in ((LAYERS, layers), (ACTIVATIONS, (activation,) if activation else ())):
            for name in names:
                if name in known:
                    raise ValueError(f"Expected one oracle for {name}. Received: "
                                     f"{known[name].__name__} and {cls.__name__}")
                known[name] = cls
        return cls

    return entered


class Oracle:
    """Base of all oracles, and all that is known of the kinds of layers that they judge.

    Attributes:
        config: the layer's Keras config.
        exact: whether whole numbers go in and come out whole, with nothing rounded.
        activates: whether the activation that its config names is its own, not a step after it.
        factors: how many numbers are multiplied in each term of the results' sums.
        training: whether to judge the layer as in training (the default) or at inference.
        updated: after `forward`, the weights that a training pass itself changes, by name
            (moving statistics), as they are after it.
        operation: what is computed, in words; '' where its name says it.
        window: the argument that says how large its windows are; '' where it has none.
        paddings: what its argument of that name may be.
        outputs: the arguments that say how much comes out.
        kinks: the inputs at which an activation's formula changes, in ascending order.
        blocks: whether an activation passes nothing back below its first kink.
        masks: whether an activation's slope is a mask, 0 or the same number wherever it is not.
        ties: whether equal numbers of its input compete for the gradient.
        merges: whether it takes several inputs.
        divisors: positions of the inputs that others are divided by, of which 0 / 0 is no number.
        of_images: whether what it draws in training is some numbers for each image, (batch, 1, 1,
            draws), whatever the image's size.
        proved: whether its bounds are; False for a layer that is its own oracle in float64.
        in_float32: whether in a low precision Keras computes it in float32, between casts.
        reads_classes: whether its input is class numbers, which Keras does not cast.
        casts_numbers: whether Keras casts numbers out of its config, as it casts weights.
        overwrites: the weights that are trained, and that a pass in training overwrites first.
        mixes_samples: whether what comes of a sample depends on the others of its batch.
    """

    exact = True
    activates = False
    factors = 2
    operation = ""
    window = ""
    paddings: tuple[str, ...] = ("valid", "same")
    outputs: tuple[str, ...] = ()
    kinks: tuple[float, ...] = ()
    blocks = False
    masks = False
    ties = False
    merges = False
    divisors: tuple[int, ...] = ()
    overwrites: tuple[str, ...] = ()
    mixes_samples = False
    of_images = False
    proved = True
    in_float32 = False
    reads_classes = False
    casts_numbers = False
    layout: Layout  # of the images under its windows

    def __init__(self, config: Config) -> None:
        self.config = config
        self.training = True
        self.updated: dict[str, Bounded] = {}

    def admitted(self, x: np.ndarray) -> np.ndarray:
        """Numbers drawn for the layer as what it can be fed: here as they are."""
        return x

    def admitted_inputs(self, x: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        """The same of several inputs."""
        return tuple(map(self.admitted, x))

    def admitted_noise(self, noise: np.ndarray) -> np.ndarray:
        """Numbers drawn for a layer that is random in training as what it might have drawn."""
        return noise

    def admitted_weights(self, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Whole numbers drawn for the weights as such of which nothing is rounded: here as they
        are."""
        return weights

    def forward(self, x: Any, weights: dict[str, Bounded]) -> Bounded:
        """The output. A layer of several inputs gets a list of them; one that is random in training
        finds what was drawn among the weights, as 'noise'."""
        raise NotImplementedError

    def backward(self, dy: Bounded) -> tuple[Any, dict[str, Bounded]]:
        """(gradient with respect to x, or a list for several inputs; those of weights by name)."""
        raise NotImplementedError

    def go_on_from(self, earlier: Any) -> None:
        """Begin the next pass where another one's has ended, of a layer that keeps states."""

    def parts_of_noise(self, shape: tuple[int, ...]) -> list[tuple[float, slice, int]] | None:
        """Of a layer with several dropouts, which share its noise along the last axis: (the share
        that is dropped, the places of its noise, how many draw for themselves there) of each, for
        inputs of that shape. None for other layers."""
        return None

    def arriving(self, gradient: Bounded) -> Bounded:
        """What comes of the gradient that one reader of the output sends back: here all of it."""
        return gradient

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        """How many products or values each element of a result adds up, by the result's name."""
        return {"output": 1, "input_gradient": 1}


class Activation(Oracle):
    """Base of the activations, inside a layer or as layers of their own."""


class Chain(Oracle):
    """One oracle after another: a layer and the activation inside it."""

    def __init__(self, oracles: list[Oracle]) -> None:
        super().__init__({})
        self.oracles = oracles
        self.exact = all(oracle.exact for oracle in oracles)
        self.factors = max(oracle.factors for oracle in oracles)
        self.operation, self.outputs = oracles[0].operation, oracles[0].outputs

    def forward(self, x: Any, weights: dict[str, Bounded]) -> Any:
        first, *rest = self.oracles
        first.training = self.training
        y = first.forward(x, weights)
        for oracle in rest:
            y = oracle.forward(y, {})
        return y

    def backward(self, dy: Bounded) -> tuple[Any, dict[str, Bounded]]:
        gradients: dict[str, Bounded] = {}
        for oracle in reversed(self.oracles):
            dy, gradients = oracle.backward(dy)
        return dy, gradients

    def reductions(self, input_shape: Any, output_shape: tuple[int, ...]) -> dict[str, int]:
        return self.oracles[0].reductions(input_shape, output_shape)
