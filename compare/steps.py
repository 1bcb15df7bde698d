"""A network as a chain of steps that can each be run alone, on anything.

A step is a layer, or the activation inside a layer. Running a step by itself, on the reference's
own input and gradient, is what shows its own error and nobody else's.
"""

import contextlib
from dataclasses import dataclass, field

import numpy as np

import scratch
from compare.trace import WHOLE
from scratch.layers import LAYERS, AffineLayer


@dataclass
class StepResult:
    """What one step computed: forward, and backward where a gradient came in."""

    output: np.ndarray
    input_gradient: np.ndarray | None = None
    weight_gradients: dict[str, np.ndarray] = field(default_factory=dict)

    def named(self) -> dict[str, np.ndarray]:
        """The results by tensor name: output, input_gradient, kernel_gradient ..."""
        return {"output": self.output, "input_gradient": self.input_gradient,
                **{f"{name}_gradient": g for name, g in self.weight_gradients.items()}}


class LayerError(ValueError):
    """A layer raised an error, or gave an array of another shape than it has to."""


class Step:
    """One layer, or the activation inside one: `name`, `part` and `class_name` as in a trace."""

    name: str
    part: str
    class_name: str

    @property
    def title(self) -> str:
        """As its part of a trace is named: 'dense', or 'dense/softmax'."""
        return self.name if self.part in ("", WHOLE) else f"{self.name}/{self.part}"


class LayerStep(Step):
    """A whole layer of `scratch`, without its inner activation if that is a step of its own."""

    def __init__(self, layer, bare: bool):
        self.layer = layer
        self.bare = bare
        activation = getattr(layer, "activation", None) if layer.params else None
        whole = not bare and activation is not None and activation.name != "linear"
        self.name, self.part, self.class_name = layer.name, WHOLE if whole else "", kind(layer)

    @property
    def weights(self) -> dict[str, np.ndarray]:
        return self.layer.params

    def run(self, x, dy=None) -> StepResult:
        """Forward on x and, if dy is given, backward from it."""
        layer = self.layer
        output = self._try("forward", layer.affine if self.bare else layer.forward, x)
        self._require("output", output, (len(x), *layer.output_shape[1:]))
        if dy is None:
            return StepResult(output)
        layer.grads.clear()
        if self.bare:
            dx = self._try("backward", layer.affine_backward, dy, True)
        else:
            dx = self._try("backward", layer.backward, dy)
        if dx is not None:  # where it is missing, a row says so
            self._require("input gradient", dx, x.shape)
        return StepResult(output, dx, dict(layer.grads))

    def _try(self, what: str, method, *args):
        try:
            return method(*args)
        except Exception as error:  # somebody's own layer may raise anything
            raise LayerError(f"Layer {self.name!r} ({type(self.layer).__name__}): its {what} pass "
                             f"raised {type(error).__name__}: {error}") from error

    def _require(self, what: str, array, shape) -> None:
        if np.shape(array) != tuple(shape) or array is None:
            received = None if array is None else np.shape(array)
            raise LayerError(f"Layer {self.name!r} ({type(self.layer).__name__}): expected an "
                             f"{what} of shape {tuple(shape)}. Received: {received}")

    @contextlib.contextmanager
    def holding(self, weights: dict[str, np.ndarray]):
        """The layer with other weights, for as long as the block lasts."""
        kept = {name: value.copy() for name, value in self.layer.params.items()}
        try:
            for name, value in weights.items():
                self.layer.params[name][...] = value
            yield self
        finally:
            for name, value in kept.items():
                self.layer.params[name][...] = value


class LogitsStep(LayerStep):
    """A last layer of somebody's own, up to the logits that a fused cross-entropy starts from."""

    def __init__(self, layer, bare: bool = False):
        super().__init__(layer, bare)
        self.part = ""

    def run(self, x, dy=None) -> StepResult:
        self._try("forward", self.layer.forward, x)
        output = self.layer.logits
        self._require("logits", output, (len(x), *self.layer.output_shape[1:]))
        if dy is None:
            return StepResult(output)
        self.layer.grads.clear()
        dx = self._try("backward", self.layer.backward_from_logits, dy)
        if dx is not None:  # where it is missing, a row says so
            self._require("input gradient", dx, x.shape)
        return StepResult(output, dx, dict(self.layer.grads))


class ActivationStep(Step):
    """The activation inside a layer."""

    weights: dict[str, np.ndarray] = {}

    def __init__(self, layer):
        self.activation = layer.activation
        self.name, self.part = layer.name, layer.activation.name
        self.class_name = kind(layer)

    def run(self, x, dy=None) -> StepResult:
        """Forward on x and, if dy is given, backward from it."""
        y = self.activation.function(x)
        if dy is None:
            return StepResult(y)
        return StepResult(y, self.activation.gradient(dy, x, y))

    @contextlib.contextmanager
    def holding(self, weights):
        yield self


def steps_of(model: "scratch.Sequential") -> list:
    """The model's layers in order, each followed by its inner activation if it has one.

    A class of somebody's own that overrides `forward` or `backward` is run whole, activation
    included, since nothing says that its `affine` is what it computes.
    """
    steps = []
    for layer in model.layers:
        activated = isinstance(layer, AffineLayer) and layer.activation.name != "linear"
        plain = all(getattr(type(layer), method) is getattr(AffineLayer, method, None)
                    for method in ("forward", "backward"))
        to_logits = layer is model.layers[-1] and activated and layer.activation.name == "softmax"
        split = activated and (plain or to_logits)
        steps.append(LayerStep(layer, bare=split) if plain or not to_logits
                     else LogitsStep(layer))
        if split:
            steps.append(ActivationStep(layer))
    return steps


def whole_layers(model) -> frozenset[int]:
    """Positions of the layers that have an inner activation and can only be run as a whole."""
    if not isinstance(model, scratch.Sequential):
        return frozenset()
    names = [layer.name for layer in model.layers]
    return frozenset(names.index(step.name) for step in steps_of(model) if step.part == WHOLE)


def kind(thing, known=LAYERS) -> str:
    """The Keras class, of those known, that a layer (loss, optimizer) is or is derived from."""
    return next((cls.__name__ for cls in type(thing).__mro__ if cls.__name__ in known),
                type(thing).__name__)


def keras_config(model: "scratch.Sequential") -> dict:
    """The model's config, a layer class of one's own under the name of its Keras base."""
    config = model.get_config()
    for entry, layer in zip(config["layers"][-len(model.layers):], model.layers):
        entry["class_name"] = kind(layer)
    return config


def compile_config(model: "scratch.Sequential") -> dict:
    """The model's loss and optimizer in Keras's words, a class of one's own by its Keras base."""
    config = model.get_compile_config()
    if config:
        config["loss"]["class_name"] = kind(model.loss, scratch.losses.CLASSES)
        config["optimizer"]["class_name"] = kind(model.optimizer, ("SGD",))
    return config


def is_fused(model: "scratch.Sequential") -> bool:
    """Whether the model's loss is computed from the logits of a softmax at its end."""
    return model.layers[-1].logits is not None
