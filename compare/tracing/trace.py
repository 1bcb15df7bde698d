"""A trace: everything one network computed on one batch, in a form that can be kept in a file.

A trace holds the network's config, its weights, the batch, and for every part (a layer, or the
activation inside it) its input and output, their gradients, the weights' gradients, and the weights
after one step of training. Reading one needs neither Keras nor the network.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from compare.document.display import Displayed
from compare.tracing import archive
from compare.tracing.tensor_names import by_name, results_by_name
from compare.tracing.types import Arrays, Config

WHOLE = "whole"
SomeArrays = TypeVar("SomeArrays", np.ndarray, tuple[np.ndarray, ...], Arrays)


@dataclass(repr=False)
class Part:
    """One call of a layer, or the activation inside it. Gradients are None where there are none.

    Attributes:
        layer: the layer's name; of one in a model that stands in another its path, 'base.conv2d';
            of a further call also the number, 'conv2d (call 2)'.
        part: '' for the layer itself without an inner activation, the name of that activation for
            the activation alone, or `WHOLE` for the two together.
        class_name: the layer's class, in Keras's spelling.
        input, output: (batch, ...). A layer that merges has a tuple of inputs.
        input_gradient, output_gradient: of the loss, in the same shapes. A softmax whose
            cross-entropy is computed from its logits has none. Where several parts read one
            output, its gradient is the sum of what they send back, and that of a penalty on it.
        weights, weight_gradients, updated: by weight name; `updated` after one optimizer step, or,
            for moving statistics and the like, after the forward pass. The gradients have those of
            penalties on the weights in them. Of a weight that several calls use, each has its own
            part of the gradient, and the first the penalty's and the weight after the step.
        noise: what a random layer used in this pass; None for all others.
        inference: the output from the same input outside of training, where that is another one.
        tied_to: of a further call the name of the layer's first one, whose weights it uses; None
            for all others.
    """

    layer: str
    part: str
    class_name: str
    input: Arrays
    output: np.ndarray
    output_gradient: np.ndarray | None = None
    input_gradient: Arrays | None = None
    weights: dict[str, np.ndarray] = field(default_factory=dict)
    weight_gradients: dict[str, np.ndarray] = field(default_factory=dict)
    updated: dict[str, np.ndarray] = field(default_factory=dict)
    noise: np.ndarray | None = None
    inference: np.ndarray | None = None
    tied_to: str | None = None

    def __repr__(self) -> str:
        return f"<{self.class_name} {self.name}, output {self.output.shape}>"

    @property
    def name(self) -> str:
        return f"{self.layer}/{self.part}" if self.part not in ("", WHOLE) else self.layer

    @property
    def inputs(self) -> tuple[np.ndarray, ...]:
        """The inputs as a tuple, also where there is one."""
        return self.input if isinstance(self.input, tuple) else (self.input,)

    @property
    def given(self) -> dict[str, np.ndarray]:
        """The weights, and the noise under its name if there was any."""
        return self.weights if self.noise is None else {**self.weights, "noise": self.noise}

    @property
    def results(self) -> dict[str, np.ndarray]:
        """What was made of the input and the output's gradient, by tensor name: output,
        input_gradient (of several inputs input_gradient_1 ...), kernel_gradient ..."""
        return results_by_name(self.output, self.input_gradient, self.weight_gradients)

    @property
    def tensors(self) -> dict[str, np.ndarray]:
        """Everything but the inputs, by tensor name: the results, output_gradient, noise,
        inference, and each weight before and after: kernel, kernel_updated ..."""
        named = {}
        for kind in ("output", "output_gradient", "input_gradient", "noise", "inference"):
            named.update(by_name(kind, getattr(self, kind)))
        return {**named, **self.weights,
                **results_by_name(self.output, None, self.weight_gradients, self.updated)}


@dataclass(repr=False)
class Trace(Displayed):
    """What `compare.record` returns.

    Attributes:
        producer: who computed it, with versions.
        dtype: 'float32' or 'float64'.
        config, compile_config: Keras's dictionaries of the network, its optimizer and loss.
        x, y: the batch; y is None where random gradients took the loss's place. Of several inputs
            or outputs they are `Several`, and so are loss_gradient, sample_weight (unless one is
            for all) and inference; `fused` is a tuple.
        loss: the loss with all penalties, None without y.
        loss_gradient: of the loss without penalties, with respect to the logits if `fused`,
            otherwise to the output. Of several outputs without y: the gradients that took its
            place.
        fused: whether the loss was computed from the logits of a softmax or a sigmoid.
        parts: in the order of computation.
        sources: for each part the positions of the parts that it reads, -1 - k for the network's
            input k; left out, each part reads the one before it.
        ends: the positions of the parts that make the network's outputs; left out, the last one.
        terms: of several outputs each loss by itself, without its weight.
        sample_weight: of the losses, None where there are none.
        inference: the network's output outside of training, where that is another one.
        training: whether the pass was one in training; one outside of it has no gradients.
        runs: beside a live Keras model, for each layer that has no oracle, by its name and part,
            functions that run it in float64 and as it is; in no file.
    """

    producer: str
    dtype: str
    config: Config
    compile_config: Config
    x: Any
    y: Any
    loss: np.ndarray | float | None
    loss_gradient: Any
    fused: bool | tuple[bool, ...]
    parts: list[Part]
    sources: list[tuple[int, ...]] = field(default_factory=list)
    sample_weight: Any = None
    inference: Any = None
    training: bool = True
    ends: list[int] = field(default_factory=list)
    terms: tuple[Any, ...] = ()
    runs: dict[tuple[str, str], tuple[Any, Any]] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        if not self.sources:
            self.sources = [(i - 1,) for i in range(len(self.parts))]
        if not self.ends:
            self.ends = [len(self.parts) - 1]

    def __repr__(self) -> str:
        labels = "random gradients" if self.y is None else "labels"
        return (f"<Trace of {len(self.parts)} ops on a batch of {len(self.x)} with {labels}, "
                f"{self.dtype}, by {self.producer}>")

    @property
    def outputs(self) -> list[np.ndarray]:
        """The network's outputs."""
        return [self.parts[end].output for end in self.ends]

    @property
    def upstream(self) -> Any:
        """The gradient of the output that took a loss's place, or those of several."""
        return self.parts[-1].output_gradient if self.loss_gradient is None else self.loss_gradient

    def tensors(self) -> dict[str, np.ndarray]:
        """Every array by a name such as 'conv2d/output' or 'dense/kernel_gradient'."""
        return {f"{part.name}/{name}": array
                for part in self.parts for name, array in part.tensors.items()}

    def weights(self) -> dict[str, np.ndarray]:
        """Each weight as 'layer/name', in the network's order, once."""
        return {f"{part.layer}/{name}": weight for part in self.parts if part.tied_to is None
                for name, weight in part.weights.items()}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a `.npz` file, complete or not at all; see `compare.tracing.archive`.

        Raises:
            OSError: if the folder cannot be written to.
        """
        kept = {name: value for name, value in vars(self).items() if name != "runs"}
        archive.save({**kept, "parts": list(map(vars, self.parts))}, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Trace":
        """Read a file that `save` wrote.

        Raises:
            FileNotFoundError: if there is none.
            ValueError: if it is truncated, altered, or no trace.
        """
        fields = archive.load(path)
        return cls(**{**fields, "parts": [Part(**part) for part in fields["parts"]]})


def at_inference(trace: Trace) -> Trace:
    """What a trace of a pass in training knows of one outside of it, where no layer differs.

    Raises:
        ValueError: if a layer computes something else there, so that what follows reads
            other numbers than those in the trace.
    """
    if not trace.training:
        return trace
    differs = next((part.name for part in trace.parts
                    if part.inference is not None or part.noise is not None), None)
    if differs is not None:
        raise ValueError("Expected a trace recorded at inference, for the forward pass alone. "
                         f"Received one recorded in training, where {differs!r} computes something "
                         "else")
    parts = [replace(part, output_gradient=None, input_gradient=None, weight_gradients={},
                     updated={}) for part in trace.parts]
    return replace(trace, y=None, loss=None, loss_gradient=None, fused=False, parts=parts,
                   terms=(), sample_weight=None, training=False, compile_config={})


def layer_parts(trace: Trace) -> list[list[int]]:
    """For each call of a layer, in order, the positions of its parts: one, or two with an inner
    activation."""
    found: dict[str, list[int]] = {}
    for i, part in enumerate(trace.parts):
        found.setdefault(part.layer, []).append(i)
    return list(found.values())


def folded(trace: Trace, whole: Collection[int]) -> Trace:
    """The trace with some layers and the activations inside them as one part each.

    Args:
        whole: positions of those layers in the network.
    """
    parts: list[Part] = []
    sources: list[tuple[int, ...]] = []
    moved: dict[int, int] = {}  # each part's position, before and after
    for number, positions in enumerate(layer_parts(trace)):
        groups = [positions] if number in whole else [[i] for i in positions]
        for group in groups:
            first, last = trace.parts[group[0]], trace.parts[group[-1]]
            if len(group) > 1:
                first = replace(first, part=WHOLE, output=last.output,
                                output_gradient=last.output_gradient, inference=last.inference)
            sources.append(tuple(moved.get(source, source) for source in trace.sources[group[0]]))
            parts.append(first)
            moved[group[-1]] = len(parts) - 1
    return replace(trace, parts=parts, sources=sources, ends=[moved[end] for end in trace.ends])


def copied(x: SomeArrays) -> SomeArrays:
    """An array, or each of a tuple of arrays, copied."""
    return tuple(value.copy() for value in x) if isinstance(x, tuple) else x.copy()
