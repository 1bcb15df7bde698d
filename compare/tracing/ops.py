"""A network as ops that can each be run alone, on anything.

An op is a layer, or the activation inside a layer. Running an op by itself, on the reference's
own input and gradient, is what shows its own error and nobody else's.
"""

import contextlib
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from compare.tracing.carried_states import from_zeros
from compare.tracing.layer_error import RAISED, LayerError, sentence
from compare.tracing.model_kinds import is_scratch, kind
from compare.tracing.tensor_names import results_by_name
from compare.tracing.trace import WHOLE
from compare.tracing.types import Arrays, Config, Layer, Network, Weights
from scratch import low_precision, precision, regularization, seed
from scratch.layers import AffineLayer

Shape = tuple[int | None, ...]


@dataclass
class OpResult:
    """What one op computed: forward, and backward where a gradient came in.

    `output` is None where the forward pass failed.
    `updated` holds the weights that the pass itself changed, as they were after it; `noise` what
    the op drew or was given; `slack`, by tensor name, how far rounding may have led away a result
    that was not shown but recovered, see `compare.adapters.gradient_recovery`.
    """

    output: np.ndarray | None
    input_gradient: Arrays | None = None
    weight_gradients: dict[str, np.ndarray] = field(default_factory=dict)
    updated: dict[str, np.ndarray] = field(default_factory=dict)
    noise: np.ndarray | None = None
    slack: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def tensors(self) -> dict[str, np.ndarray]:
        """All of it by tensor name: output, input_gradient, kernel_gradient, kernel_updated ..."""
        return results_by_name(self.output, self.input_gradient, self.weight_gradients,
                               self.updated)


class Op:
    """One layer, or the activation inside one: `name`, `part` and `class_name` as in a trace.

    Attributes:
        sources: positions of the ops whose outputs it reads, -1 - k for the network's input k.
        alone: whether its layer is all of the network.
    """

    name: str
    part: str
    class_name: str
    layer: Layer
    sources: tuple[int, ...] = (-1,)
    alone: bool = False

    @property
    def title(self) -> str:
        """As its part of a trace is named: 'dense', or 'dense/softmax'."""
        return self.name if self.part in ("", WHOLE) else f"{self.name}/{self.part}"

    @property
    def weights(self) -> Weights:
        """Of the layer, none for an activation."""
        return {}

    def spares(self, tensor: str) -> bool:
        """Whether it may leave out this gradient: that of a network's input, which no layer reads,
        a network need not compute.

        A layer that is all of its network need not do so either, if whoever wrapped it said so.
        """
        if not tensor.startswith("input_gradient"):
            return False
        if getattr(type(self.layer), "without_input_gradient", False) is True:
            return True  # its input is classes
        if tensor in [f"input_gradient_{k + 1}" for k in getattr(
                self.layer, "inputs_without_gradient", ())] or getattr(
                self.layer, "cuts_the_way_back", False):
            return True
        masks = len(getattr(self.layer, "masked_by", ()))
        if masks and int(tensor.rpartition("_")[2]) > len(self.sources) - masks:
            return True  # a mask's
        if any(i >= 0 for i in self.sources):
            return False
        return not self.alone or getattr(self.layer, "without_input_gradient", False)

    @property
    def differs_at_inference(self) -> bool:
        """Whether it computes something else when it is not in training."""
        return False

    @property
    def state(self) -> tuple[str, ...]:
        """The weights that a pass in training itself changes."""
        return ()

    def penalty(self) -> np.ndarray | float:
        """What the regularizers of its weights add to the loss; 0.0 for none."""
        return 0.0

    def penalty_gradients(self) -> Weights:
        """What they add to the gradients, by the weights' names."""
        return {}

    @contextlib.contextmanager
    def holding(self, weights: Weights) -> Iterator["Op"]:
        """The op with other weights, for as long as the block lasts."""
        yield self

    def run(self, x: Arrays, dy: np.ndarray | None = None, noise: np.ndarray | None = None,
            training: bool = True) -> OpResult:
        """What the op makes of an input, and of its output's gradient where one comes in."""
        raise NotImplementedError

    def _try(self, what: str, method: Callable[..., Any], *args: Any) -> Any:
        """method(*args), of which an error becomes a LayerError of the forward or backward pass."""
        try:
            return method(*args)
        except RAISED as error:  # somebody's own layer may raise anything
            raise LayerError(f"Layer {self.name!r} ({type(self.layer).__name__}): its {what} pass "
                             f"raised {sentence(error)}", what) from error

    def attempt(self, x: Arrays, dy: np.ndarray | None = None, noise: np.ndarray | None = None,
                training: bool = True) -> tuple[OpResult, dict[str, LayerError]]:
        """(what `run` gives as far as the layer gets, {} or the errors by the pass that failed).

        Where the backward pass fails, the output stands all the same, and where only the input's
        gradient has another shape, so do those of the weights.
        """
        try:
            return self.run(x, dy, noise, training), {}
        except LayerError as error:
            if error.phase == "forward":
                return OpResult(None), {"forward": error, "backward": error}
            if error.result is not None:
                return error.result, {"backward": error}
            output, errors = self.attempt(x, None, noise, training)
            return output, {"backward": error, **errors}


class LayerOp(Op):
    """A whole layer of `scratch`, without its inner activation if that is an op of its own."""

    def __init__(self, layer: Layer, bare: bool) -> None:
        self.layer = layer
        self.bare = bare
        whole = not bare and layer.params and inner_activation(layer) is not None
        self.name, self.part, self.class_name = layer.name, WHOLE if whole else "", kind(layer)

    @property
    def weights(self) -> dict[str, np.ndarray]:
        params: Weights = self.layer.params
        return params

    @property
    def differs_at_inference(self) -> bool:
        return bool(self.state) or getattr(self.layer, "active", False)

    @property
    def state(self) -> tuple[str, ...]:
        moved: tuple[str, ...] = self.layer.moved_by_passes
        return moved

    def run(self, x: Arrays, dy: np.ndarray | None = None, noise: np.ndarray | None = None,
            training: bool = True) -> OpResult:
        """Forward on x and, if dy is given, backward from it; the layer's weights stay.

        Args:
            x: an array, or a tuple of arrays for a layer that merges.
            noise: what a random layer is to use instead of drawing numbers.
        """
        with from_zeros(layer=self.layer):
            return self._run(x, dy, noise, training)

    def _run(self, x: Arrays, dy: np.ndarray | None, noise: np.ndarray | None,
             training: bool) -> OpResult:
        layer = self.layer
        kept = {name: layer.params[name].copy() for name in {*layer.non_trainable, *self.state}}
        layer.give_noise(noise)
        try:
            output = self._forward(x, training)
            updated = {name: layer.params[name].copy() for name in self.state}
            if dy is None:
                return OpResult(output, updated=updated, noise=layer.noise,
                                slack=getattr(layer, "noise_slack", {}))
            layer.grads.clear()
            dx = self._gradient(x, dy)
        except LayerError as error:
            if error.array is not None and error.phase == "backward":
                error.result = self._result(output, None, updated)
            raise
        finally:
            layer.give_noise(None)
            for name, value in kept.items():
                layer.params[name][...] = value
        made = self._result(output, dx, updated)
        layer.grads.clear()  # or all layers' would take as much memory as the network
        return made

    def _result(self, output: Any, dx: Any, updated: Weights) -> OpResult:
        """What was made, with what the layer keeps of it: its gradients, noise and slack."""
        layer = self.layer
        slack = {f"{name}_gradient": value for name, value in getattr(layer, "slack", {}).items()}
        slack |= getattr(layer, "noise_slack", {})
        return OpResult(output, dx, dict(layer.grads), updated, layer.noise, slack)

    def _gradient(self, x: Arrays, dy: np.ndarray) -> Any:
        """The input's gradient, of its shape, or one for each input."""
        try:
            dx = self._backward(dy)
        except LayerError as error:
            error.array = getattr(self.layer, "misshapen", None)
            raise
        if isinstance(x, tuple):
            return self._each(dx, x)
        if dx is not None:  # where it is missing, a row says so
            self._require("input gradient", dx, x.shape)
        return dx

    def _forward(self, x: Arrays, training: bool) -> Any:
        samples = len(x[0] if isinstance(x, tuple) else x)
        if self.bare:
            output = self._try("forward", low_precision.affine, self.layer, x)
        else:
            output = self._try("forward", low_precision.forward, self.layer,
                               list(x) if isinstance(x, tuple) else x, training)
        self._require("output", output, (samples, *self.layer.output_shape[1:]))
        return output

    def _backward(self, dy: np.ndarray) -> Any:
        if self.bare:
            return self._try("backward", low_precision.backward, self.layer, dy, True,
                             "affine_backward")
        return self._try("backward", low_precision.backward, self.layer, dy)

    def _each(self, gradients: Any, x: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
        """The gradients of several inputs, once it is sure that there is one for each."""
        if not isinstance(gradients, (list, tuple)) or len(gradients) != len(x):
            raise LayerError(f"Layer {self.name!r} ({type(self.layer).__name__}): expected a list "
                             f"of {len(x)} input gradients. Received: {type(gradients).__name__}",
                             "backward")
        for gradient, value in zip(gradients, x):
            if gradient is not None:
                self._require("input gradient", gradient, value.shape)
        return tuple(gradients)

    def _require(self, what: str, array: Any, shape: tuple[int, ...]) -> None:
        if np.shape(array) != tuple(shape) or array is None:
            received = None if array is None else np.shape(array)
            raise LayerError(f"Layer {self.name!r} ({type(self.layer).__name__}): expected an "
                             f"{what} of shape {tuple(shape)}. Received: {received}",
                             "backward" if "gradient" in what else "forward", array)

    def penalty(self) -> np.ndarray | float:
        return regularization.penalty([self.layer])

    def penalty_gradients(self) -> dict[str, np.ndarray]:
        return {name: regularizer.gradient(self.layer.params[name])
                for _, name, regularizer in regularization.regularized([self.layer])}

    @contextlib.contextmanager
    def holding(self, weights: dict[str, np.ndarray]) -> Iterator[Op]:
        """The layer with other weights, for as long as the block lasts."""
        kept = {name: value.copy() for name, value in self.layer.params.items()}
        try:
            for name, value in weights.items():
                if name in kept:  # a random layer's noise is none of them
                    self.layer.params[name][...] = precision.rounded(
                        np.asarray(value, self.layer.params[name].dtype),
                        self.layer.policy.variable)
            yield self
        finally:
            for name, value in kept.items():
                self.layer.params[name][...] = value


class LogitsOp(LayerOp):
    """A last layer of somebody's own, up to the logits that a fused cross-entropy starts from."""

    def __init__(self, layer: Layer, bare: bool = False) -> None:
        super().__init__(layer, bare)
        self.part = ""

    def _forward(self, x: Arrays, training: bool) -> Any:
        super()._forward(x, training)
        output = self._try("forward", lambda: self.layer.logits)
        self._require("logits", output, (len(x), *self.layer.output_shape[1:]))
        return output

    def _backward(self, dy: np.ndarray) -> Any:
        return self._try("backward", self.layer.backward_from_logits, dy)


class ActivationOp(Op):
    """The activation inside a layer."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.activation = layer.activation
        self.name, self.part = layer.name, inner_activation(layer) or ""
        self.class_name = kind(layer)

    def run(self, x: Arrays, dy: np.ndarray | None = None, noise: np.ndarray | None = None,
            training: bool = True) -> OpResult:
        """Forward on x and, if dy is given, backward from it."""
        x = low_precision.lowered(self.layer, x)
        y = low_precision.lowered(self.layer, self._try("forward", self.activation.function, x))
        if dy is None:
            return OpResult(y)
        dx = self._try("backward", self.activation.gradient,
                       low_precision.lowered(self.layer, dy), x, y)
        return OpResult(y, low_precision.lowered(self.layer, dx))


def ops_of(model: Network) -> list[Op]:
    """The model's layers in order, each followed by its inner activation if it has one.

    A class of somebody's own that overrides `forward` or `backward` is run whole, activation
    included, since nothing says that its `affine` is what it computes.
    """
    ops: list[Op] = []
    ends: dict[int, int] = {}
    outputs = {id(model.layers[end]) for end in model.ends}
    for i, (layer, sources) in enumerate(zip(model.layers, model.sources)):
        activated = isinstance(layer, AffineLayer) and inner_activation(layer) is not None
        plain = all(getattr(type(layer), method) is getattr(AffineLayer, method, None)
                    for method in ("forward", "backward"))
        to_logits = (activated and id(layer) in outputs
                     and layer.activation.logits_kind is not None)
        split = activated and (plain or to_logits)
        op: Op = LayerOp(layer, split) if plain or not to_logits else LogitsOp(layer)
        op.sources = tuple(ends.get(source, source) for source in sources)
        op.alone = len(model.layers) == 1
        ops.append(op)
        if split:
            ops.append(ActivationOp(layer))
            ops[-1].sources = (len(ops) - 2,)
        ends[i] = len(ops) - 1
    return ops


def output_ops(model: Network, ops: list[Op]) -> list[int]:
    """The positions of the ops that make the model's outputs."""
    last = {id(op.layer): i for i, op in enumerate(ops)}
    return [last[id(model.layers[end])] for end in model.ends]


def inner_activation(layer: Layer) -> str | None:
    """The name of the activation inside a layer, None for none.

    One that is a layer itself, with arguments, goes by the name of its class.
    """
    if not getattr(layer, "has_inner_activation", True):
        return None
    activation = getattr(layer, "activation", None)
    if activation is None or activation.name == "linear":
        return None
    return str(activation.config["class_name"] if activation.config else activation.name)


@contextlib.contextmanager
def untouched_generator() -> Iterator[None]:
    """Whatever a block draws from scratch's generator, it is left as it was."""
    generator = seed.generator().bit_generator
    state = generator.state
    try:
        yield
    finally:
        generator.state = state


def whole_layers(model: Network) -> frozenset[int]:
    """Positions of the layers that have an inner activation and can only be run as a whole."""
    if not is_scratch(model):
        return frozenset()
    names = [layer.name for layer in model.layers]
    return frozenset(names.index(op.name) for op in ops_of(model) if op.part == WHOLE)


def rebuild(layer: Layer, changes: Config, shape: Shape | list[Shape]) -> Layer:
    """A layer like this one for inputs of another shape (a list of shapes for a layer that merges),
    with other filters or units.

    From its config, as Keras would; a layer whose class cannot be made from one is copied.
    """
    try:
        small = type(layer).from_config({**layer.get_config(), **changes})
    except RAISED:  # somebody's own constructor may want anything
        small = copy.deepcopy(layer)
        small.params, small.grads = {}, {}
        for name, value in changes.items():
            setattr(small, name, value)
    small.dtype = layer.dtype
    small.build([(None, *each[1:]) for each in shape] if isinstance(shape, list)
                else (None, *shape[1:]))
    return small
