"""A network as a chain of steps that can each be run alone, on anything.

A step is a layer, or the activation inside a layer. Running a step by itself, on the reference's
own input and gradient, is what shows its own error and nobody else's.
"""

import contextlib
from dataclasses import dataclass, field

import numpy as np

import scratch
from scratch.layers import AffineLayer


@dataclass
class StepResult:
    """What one step computed: forward, and backward where a gradient came in."""

    output: np.ndarray
    input_gradient: np.ndarray | None = None
    weight_gradients: dict[str, np.ndarray] = field(default_factory=dict)


class LayerStep:
    """A whole layer of `scratch`, without its inner activation if that is a step of its own."""

    def __init__(self, layer, bare: bool):
        self.layer = layer
        self.bare = bare
        self.name, self.part, self.class_name = layer.name, "", type(layer).__name__
        self.config = layer.get_config()

    @property
    def weights(self) -> dict[str, np.ndarray]:
        return self.layer.params

    def run(self, x, dy=None) -> StepResult:
        """Forward on x and, if dy is given, backward from it."""
        layer = self.layer
        output = layer.affine(x) if self.bare else layer.forward(x, training=True)
        if dy is None:
            return StepResult(output)
        layer.grads.clear()
        dx = layer.affine_backward(dy, True) if self.bare else layer.backward(dy)
        return StepResult(output, dx, dict(layer.grads))

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


class ActivationStep:
    """The activation inside a layer."""

    weights: dict[str, np.ndarray] = {}

    def __init__(self, layer):
        self.activation = layer.activation
        self.name, self.part = layer.name, layer.activation.name
        self.class_name = type(layer).__name__
        self.config = layer.get_config()

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
    """The model's layers in order, each followed by its inner activation if it has one."""
    steps = []
    for layer in model.layers:
        split = isinstance(layer, AffineLayer) and layer.activation.name != "linear"
        steps.append(LayerStep(layer, bare=split))
        if split:
            steps.append(ActivationStep(layer))
    return steps


def is_fused(model: "scratch.Sequential") -> bool:
    """Whether the model's loss is computed from the logits of a softmax at its end."""
    return model.layers[-1].logits is not None
