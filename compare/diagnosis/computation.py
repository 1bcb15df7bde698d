"""The thing that hypotheses change: a computation of one tensor, with everything that goes into it.

A `Computation` is immutable. Changing one makes another; `evaluate` says what that would give, with
a bound on rounding, because the oracles do the arithmetic. A hypothesis about a mistake is such a
change, and two of them can be made one after the other.
"""

import copy
import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from compare.oracle.adaptive_optimizers import optimizer_for
from compare.oracle.base import Chain, Oracle
from compare.oracle.layers.convolution import Conv2D
from compare.oracle.losses import LOSSES, named
from compare.oracle.optimizers import Optimizer
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding
from compare.tracing.tensor_names import results_by_name
from compare.tracing.trace import WHOLE


@dataclass(frozen=True, eq=False)
class Computation:
    """Base: a result of an own making, or of `run`, and what is done to it afterwards.

    Attributes:
        after: functions of the result, one applied after the other.
        own: a function of the computation that takes the place of `run`.
        memo: what was evaluated already; shared by computations that differ in `after` alone.
    """

    rounding: Rounding
    after: tuple[Callable[[Bounded], Bounded], ...] = ()
    own: Callable[[Any], Bounded] | None = None
    memo: dict = field(default_factory=dict, repr=False)

    def run(self) -> Bounded:
        """The result as the oracle has it."""
        raise NotImplementedError

    def evaluate(self) -> Bounded:
        """The result; whatever may be raised means that there is none."""
        if "core" not in self.memo:
            with np.errstate(all="ignore"):
                self.memo["core"] = self.run() if self.own is None else self.own(self)
        result = self.memo["core"]
        with np.errstate(all="ignore"):
            for function in self.after:
                result = function(result)
        return result

    def changed(self, **fields):
        """The same computation but for these fields."""
        return replace(self, memo={}, **fields)

    def then(self, function):
        """The same computation, with something done to its result."""
        return replace(self, after=(*self.after, function))

    def moved(self, function):
        """`then`, for a function of plain arrays that puts numbers elsewhere or drops them."""
        return self.then(lambda result: result.rearranged(function))

    def exact(self, array) -> Bounded:
        """An array without error."""
        return array if isinstance(array, Bounded) else Bounded(array, self.rounding)


@dataclass(frozen=True, eq=False)
class LayerComputation(Computation):
    """What a layer, or the activation inside it, computes.

    Attributes:
        class_name, config, part: as `oracle_for` takes them.
        tensor: 'output', 'input_gradient', 'kernel_gradient', 'moving_mean_updated' ...
        x: the input, a tuple of them for a layer that merges.
        weights: by name, a random layer's 'noise' among them.
        dy: the gradient that comes in.
        training: whether it is run as in training.
        walk: where windows land, if not where Keras's rule has them.
        context: what else is known: 'image', the shape that a Flatten before the layer read, and
            'learning_rate'.
        hooks: functions that take the place of the layer's oracle's methods of these names, of
            (oracle, the method as it was, its arguments).
    """

    class_name: str = ""
    config: dict = field(default_factory=dict)
    part: str = ""
    tensor: str = "output"
    x: Any = None
    weights: dict = field(default_factory=dict)
    dy: Any = None
    training: bool = True
    walk: Any = None
    context: dict = field(default_factory=dict)
    hooks: dict = field(default_factory=dict)

    def oracle(self):
        """A fresh oracle, its windows where `walk` has them."""
        oracle = oracle_for(self.class_name, self.config, self.part)
        oracle.training = self.training
        layer = first_of(oracle)
        if self.walk is not None:
            for name in ("_walk", "walk_of"):
                if hasattr(layer, name):
                    setattr(layer, name, lambda shape: self.walk)
        for name, function in self.hooks.items():
            setattr(layer, name, functools.partial(function, layer, getattr(layer, name)))
        return oracle

    @property
    def layer(self) -> Oracle:
        """A fresh oracle of the layer without the activation inside it; of that if it is alone."""
        return first_of(self.oracle())

    @property
    def activation(self) -> Oracle:
        """A fresh oracle of the activation inside the layer; of the layer itself if there is none.
        """
        oracle = self.oracle()
        return oracle.oracles[-1] if isinstance(oracle, Chain) else oracle

    def run(self):
        return self.all_results(self._spared(self.oracle()))[self.tensor]

    def _spared(self, oracle):
        """The oracle without the products that the tensor in question does not need.

        A convolution is linear: what it puts out has no part in its gradients.
        """
        if self.part or not isinstance(oracle, Conv2D) or not self.tensor.endswith("_gradient"):
            return oracle
        lay = oracle.layout
        image = lay.image_shape(np.shape(self.value(self.x)))
        kernel = lay.kernel(self.value(self.weights["kernel"])).shape
        oracle.forth = lambda by, x, k: np.zeros((1,) * len(image))
        if self.tensor != "input_gradient":
            oracle.back = lambda by, dy, k: np.zeros(image)
        if self.tensor != "kernel_gradient":
            oracle.gather = lambda by, x, dy: np.zeros(kernel)
        return oracle

    def all_results(self, oracle=None) -> dict[str, Bounded]:
        """By tensor name: the output, or else the output and all gradients."""
        oracle = oracle or self.oracle()
        x = [self.exact(a) for a in self.x] if isinstance(self.x, tuple) else self.exact(self.x)
        output = oracle.forward(x, {name: self.exact(w) for name, w in self.weights.items()})
        found = results_by_name(output, updated=oracle.updated)
        if self.tensor in found:
            return found
        dx, gradients = oracle.backward(self.exact(self.dy))
        return results_by_name(output, dx, gradients, oracle.updated)

    def hooked(self, **hooks):
        """The same with some of the oracle's methods replaced."""
        return self.changed(hooks={**self.hooks, **hooks})

    def weighing(self, **weights):
        """The same with other weights."""
        return self.changed(weights={**self.weights, **weights})

    def configured(self, **settings):
        """The same with other arguments of the layer."""
        return self.changed(config={**self.config, **settings})

    def bare(self):
        """The layer without the activation inside it: for a gradient, that behind the activation.

        What a layer that can only be run whole sends back starts from the activation's gradient,
        which is taken to be right.
        """
        if self.part != WHOLE:
            return self
        if self.tensor == "output":
            raise ValueError("Expected a gradient. Received: an output behind its activation")
        first, last = self.oracle().oracles
        y = first.forward(self.exact(self.x), {n: self.exact(w) for n, w in self.weights.items()})
        last.forward(y, {})
        return self.changed(part="", dy=last.backward(self.exact(self.dy))[0])

    def default_walk(self):
        """Where the windows of this input land by Keras's rule, or by the change made before."""
        if self.walk is not None:
            return copy.copy(self.walk)
        layer = self.layer
        shape = np.shape(self.value(self.x))
        if hasattr(layer, "walk_of"):
            return layer.walk_of(shape)
        return layer._walk(layer.layout.image_shape(shape))

    def layout(self):
        """How the layer's arrays lie."""
        return self.layer.layout

    @staticmethod
    def value(array) -> np.ndarray:
        """Of an array or a `Bounded`."""
        return array.value if isinstance(array, Bounded) else array


def first_of(oracle: Oracle) -> Oracle:
    """A layer's own oracle, without that of the activation behind it."""
    return oracle.oracles[0] if isinstance(oracle, Chain) else oracle


@dataclass(frozen=True, eq=False)
class LossComputation(Computation):
    """A loss's value, or its gradient with respect to what it is computed from.

    Attributes:
        loss: Keras's name or dictionary.
        tensor: 'value' or 'gradient'.
        y, output, fused, sample_weight, steps: as `compare.oracle.losses.exact_loss` takes them.
        extra: penalties that are part of the value.
    """

    loss: Any = None
    tensor: str = "value"
    y: Any = None
    output: Any = None
    fused: bool = False
    sample_weight: Any = None
    steps: Any = None
    extra: Bounded | None = None
    dtype: Any = "float32"

    @property
    def config(self) -> dict:
        return named(self.loss)[1]

    @property
    def class_name(self) -> str:
        return named(self.loss)[0]

    def run(self):
        name, config = named(self.loss)
        value, gradient = LOSSES[name](config, self.dtype)(
            self.y, self.exact(self.output), self.fused, self.sample_weight, self.steps)
        if self.tensor == "gradient":
            return gradient
        return value if self.extra is None else value + self.extra

    def configured(self, **settings):
        return self.changed(loss={"class_name": self.class_name,
                                  "config": {**self.config, **settings}})


@dataclass(frozen=True, eq=False)
class UpdateComputation(Computation):
    """One weight, or what an optimizer remembers of it, after a step from a known state, or after
    several.

    Attributes:
        class_name, config: of the optimizer.
        decays: for each weight whether it decays; empty, all do.
        names: of the weights, 'dense/kernel' ...; empty, unknown.
        iteration: how many calls were made before.
        slots: for each weight what is remembered; empty, the optimizer is fresh.
        weights, gradients: of all weights, whose joint norm may be clipped.
        later: the gradients of further steps.
        position: which weight is asked for.
        forgets: 'slots', 'iteration' or both, as far as they are lost before each step.
        hooks: functions that take the place of the oracle's methods of these names, of (oracle,
            the method as it was, its arguments).
        tensor: 'updated' for the weight, or the slot's name.
    """

    class_name: str = ""
    config: dict = field(default_factory=dict)
    weights: tuple = ()
    gradients: tuple = ()
    later: tuple = ()
    position: int = 0
    forgets: tuple[str, ...] = ()
    dtype: Any = "float32"
    tensor: str = "updated"
    decays: tuple[bool, ...] = ()
    names: tuple[str, ...] = ()
    iteration: int = 0
    slots: tuple[dict, ...] = ()
    hooks: dict = field(default_factory=dict)

    def optimizer(self) -> Optimizer:
        """The oracle in the state before the step."""
        rule = optimizer_for(self.class_name, self.config, self.dtype)
        rule.decays, rule.iteration = list(self.decays), self.iteration
        rule.names = list(self.names)
        rule.slots = [{name: self.exact(value) for name, value in each.items()}
                      for each in self.slots]
        for name, function in self.hooks.items():
            setattr(rule, name, functools.partial(function, rule, getattr(rule, name)))
        return rule

    def run(self):
        rule = self.optimizer()
        weights = [self.exact(w) for w in self.weights]
        for gradients in (self.gradients, *self.later):
            if "slots" in self.forgets:
                rule.slots = []
            if "iteration" in self.forgets:
                rule.iteration = 0
            weights = rule.step(weights, [self.exact(g) for g in gradients])
        if self.tensor != "updated":
            return rule.slots[self.position][self.tensor]
        return weights[self.position]

    def hooked(self, **hooks):
        """The same with some of the oracle's methods replaced."""
        return self.changed(hooks={**self.hooks, **hooks})

    def configured(self, **settings):
        return self.changed(config={**self.config, **settings})
