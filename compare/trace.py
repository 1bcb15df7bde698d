"""A trace: everything one network computed on one batch, in a form that can be kept in a file.

A trace holds the network's config, its weights, the batch, and for every part (a layer, or the
activation inside it) its input and output, their gradients, the weights' gradients, and the weights
after one step of the optimizer. Reading one needs neither Keras nor the network.
"""

from dataclasses import dataclass, field, replace

import numpy as np

WHOLE = "whole"


@dataclass
class Part:
    """One layer, or the activation inside it. Gradients are None where there are none.

    Attributes:
        layer: the layer's name.
        part: '' for the layer itself without an inner activation, the name of that activation for
            the activation alone, or `WHOLE` for the two together.
        class_name: the layer's class, in Keras's spelling.
        input, output: (batch, ...).
        input_gradient, output_gradient: of the loss, in the same shapes. A softmax whose
            cross-entropy is computed from its logits has none.
        weights, weight_gradients, updated: by weight name; `updated` after one optimizer step.
    """

    layer: str
    part: str
    class_name: str
    input: np.ndarray
    output: np.ndarray
    output_gradient: np.ndarray | None = None
    input_gradient: np.ndarray | None = None
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    weight_gradients: dict[str, np.ndarray] = field(default_factory=dict)
    updated: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.layer}/{self.part}" if self.part not in ("", WHOLE) else self.layer


@dataclass
class Trace:
    """What `compare.record` returns.

    Attributes:
        producer: who computed it, with versions.
        dtype: 'float32' or 'float64'.
        config, compile_config: Keras's dictionaries of the network, its optimizer and loss.
        x, y: the batch; y is None where random gradients took the loss's place.
        loss: the mean loss, None without y.
        loss_gradient: with respect to the logits if `fused`, otherwise to the output.
        fused: whether the loss was computed from a softmax's logits.
        parts: in the order of computation.
    """

    producer: str
    dtype: str
    config: dict
    compile_config: dict
    x: np.ndarray
    y: np.ndarray | None
    loss: float | None
    loss_gradient: np.ndarray | None
    fused: bool
    parts: list[Part]

    def tensors(self) -> dict[str, np.ndarray]:
        """Every array by a name such as 'conv2d/output' or 'dense/kernel_gradient'."""
        arrays = {}
        for part in self.parts:
            for kind in ("output", "output_gradient", "input_gradient"):
                if getattr(part, kind) is not None:
                    arrays[f"{part.name}/{kind}"] = getattr(part, kind)
            for name, weight in part.weights.items():
                arrays[f"{part.name}/{name}"] = weight
            for name, gradient in part.weight_gradients.items():
                arrays[f"{part.name}/{name}_gradient"] = gradient
            for name, weight in part.updated.items():
                arrays[f"{part.name}/{name}_updated"] = weight
        return arrays

    def weights(self) -> dict[str, np.ndarray]:
        """Each weight as 'layer/name', in the network's order."""
        return {f"{part.layer}/{name}": weight
                for part in self.parts for name, weight in part.weights.items()}

    def save(self, path) -> None:
        """Write a `.npz` file, complete or not at all; see `compare.trace_file`."""
        from compare.trace_file import save

        save(self, path)

    @classmethod
    def load(cls, path) -> "Trace":
        """Read a file that `save` wrote.

        Raises:
            FileNotFoundError: if there is none.
            ValueError: if it is truncated, altered, or no trace.
        """
        from compare.trace_file import load

        return load(path)


def folded(trace: Trace, whole) -> Trace:
    """The trace with some layers and the activations inside them as one part each.

    Args:
        whole: positions of those layers in the network.
    """
    names = list(dict.fromkeys(part.layer for part in trace.parts))
    together = {names[i] for i in whole if i < len(names)}
    parts: list[Part] = []
    for part in trace.parts:
        if part.layer in together and parts and parts[-1].layer == part.layer:
            parts[-1] = replace(parts[-1], part=WHOLE, output=part.output,
                                output_gradient=part.output_gradient)
        else:
            parts.append(part)
    return replace(trace, parts=parts)
