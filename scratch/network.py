"""What `Sequential` and `Model` have in common: layers in an order, one precision, weights, files.

A chain is a graph, too: `sources` says for either which layers' outputs each layer reads, and both
run their layers in the order of `layers`, forward, and in the opposite one back. Models that stand
in others are written out in `layers`, see `nesting.py`; `calls` still knows them.
"""

import json
from typing import Any

import numpy as np

from scratch import files, low_precision, precision, regularization
from scratch.errors import UnsupportedError
from scratch.layers import Input, Layer, symbolic
from scratch.layers.unknown_sizes import STAND_INS, filled, has_unknown, worked_out
from scratch.nesting import Call, written_out
from scratch.operations.operation import Operation
from scratch.summary import summary_html, summary_table
from scratch.training import Trainer
from scratch.weights import HoldsWeights


class Network(Trainer, HoldsWeights):
    """Base of the models: a subclass says what `calls` are, and when they are built.

    Attributes:
        input_layer: the `Input`; None before the model has one.
        calls: of layers and of models that stand in this one, in order.
        layers: what is called, in the order of computation, models in this one written out.
        sources: for each layer the positions of those whose outputs it reads; -1: the model's
            input.
        named: whether the name was given, and not chosen here.
        sizes: of a sample, for which the layers are built; None before.
    """

    merges = False  # a call of a model takes one input

    def __init__(self, name: str | None, default_name: str, trainable: bool, dtype):
        super().__init__()
        self.named = name is not None
        self.name = name or default_name
        self._trainable = trainable
        self.requested_policy = precision.requested(dtype)
        self.input_layer: Input = None  # type: ignore[assignment]  # there once it is built
        self.calls: list[Call] = []
        self.layers: list[Layer] = []
        self.sources: list[tuple[int, ...]] = []
        self.built = False
        self.sizes: tuple | None = None

    @property
    def trainable(self) -> bool:
        """Whether an optimizer may change any weight.

        Setting it sets every layer's, too, as in Keras: batch normalization then takes to its
        moving averages.
        """
        return self._trainable

    @trainable.setter
    def trainable(self, value) -> None:
        self._trainable = bool(value)
        for unit in self.units:
            unit.trainable = bool(value)

    @property
    def units(self) -> list:
        """The layers and models that are called, each once, in Keras's order."""
        return list({id(call.unit): call.unit for call in self.calls}.values())

    @property
    def unique_layers(self) -> list[Layer]:
        """The layers without those calls that share the weights of an earlier one."""
        return [layer for layer in self.layers if layer.tied_to is None]

    def _write_out(self) -> None:
        """Make `layers` and `sources` of `calls`."""
        self.layers, self.sources = written_out(self.calls, self)

    def get_config(self) -> dict:
        """Keras's config of the same model."""
        raise NotImplementedError

    def __call__(self, x, training: bool = False):
        """`forward`; on a symbolic tensor the next one of a graph, for a model around this one.

        There `training` is not looked at: as in Keras, it is what `fit`, `evaluate` and `predict`
        say. To keep a part as it is in training, set its `trainable` to False.
        """
        if symbolic.is_symbolic(x):
            return symbolic.call(self, x)
        return self.forward(x, training)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """The shape of the output for inputs of that shape; builds the model if it is not built.

        Raises:
            ValueError: if the model is built for others, or a layer cannot take such inputs.
        """
        if not self.built:
            self.build(tuple(input_shape))
        if not self.takes(input_shape):
            raise ValueError(f"{self}: expected inputs of shape {self.input_shape}. "
                             f"Received: {tuple(input_shape)}")
        return self.layer_shapes(tuple(input_shape))[-1]

    def takes(self, shape: tuple) -> bool:
        """Whether inputs may have that shape, whatever the size of the batch."""
        own, given = self.input_shape[1:], tuple(shape[1:])
        return len(own) == len(given) and all(n in (None, m) for n, m in zip(own, given))

    def layer_shapes(self, input_shape: tuple) -> list[tuple]:
        """The shape of each layer's output for inputs of that shape, in which sizes may be open."""
        shapes = [tuple(input_shape)]  # it stays the last one
        for layer, sources in zip(self.layers, self.sources):
            read = [shapes[source] for source in sources]
            shapes.insert(-1, worked_out(layer.compute_output_shape,
                                         read if layer.merges else read[0]))
        return shapes[:-1]

    @property
    def requested_dtype(self) -> np.dtype | None:
        """The dtype of the arrays that the model asks for; None where it leaves that to layers."""
        return None if self.requested_policy is None else self.requested_policy.held

    @property
    def policy(self) -> precision.Policy:
        """The precision of those layers that ask for none of their own."""
        return self.requested_policy or precision.Policy(self.dtype.name)

    @property
    def low(self) -> bool:
        """Whether a layer computes in float16 or bfloat16."""
        return any([layer.policy.low for layer in self.layers])

    @property
    def dtype(self) -> np.dtype:
        """The one precision: the model's, or else the layers', or else float32.

        That of arrays, for float16 and bfloat16 are held in float32.
        """
        requested = {owner.requested_dtype: owner for owner in self._owners()
                     if owner.requested_dtype is not None}
        if len(requested) > 1:
            a, b = list(requested.items())[:2]
            raise UnsupportedError(
                f"Model {self.name!r}: expected one precision for all layers. Received: "
                f"{a[0].name} from {a[1]} and {b[0].name} from {b[1]}.")
        return next(iter(requested), np.dtype("float32"))

    def _owners(self):
        yield self
        if self.input_layer is not None:
            yield self.input_layer  # Keras rounds its inputs to the Input's precision
        for unit in self.units:
            yield from unit._owners() if isinstance(unit, Network) else [unit]

    def build(self, input_shape: tuple) -> None:
        """Make the weights of every layer that has none yet, for inputs (None, ...).

        Sizes that are open are those of the next batch; meanwhile a stand-in takes their place.

        Raises:
            ValueError: if the model has no layers, or if one cannot take such inputs, or inputs of
                any size.
        """
        if not has_unknown(input_shape):
            self._build_for(tuple(input_shape))
            return
        self._build_for(filled(input_shape, STAND_INS[0]))
        self.take_sizes(filled(input_shape, STAND_INS[1]))
        self.take_sizes(filled(input_shape, STAND_INS[0]))

    def take_sizes(self, shape: tuple) -> None:
        """Be ready for inputs of that shape, where the model's own leaves sizes open.

        Raises:
            ValueError: if a layer cannot take them.
        """
        sizes = tuple(shape[1:])
        if sizes == self.sizes:
            return
        self.sizes = None  # nothing is certain if a layer refuses
        shapes: list[Any] = [*self.layers, (None, *sizes)]  # the last place, -1: the model's input
        for i, (layer, sources) in enumerate(zip(self.layers, self.sources)):
            read = [shapes[source] for source in sources]
            given = read if layer.merges else read[0]
            if not layer.fits(given):
                layer.take_inputs(given)
            shapes[i] = layer.output_shape
        self.sizes = sizes

    def _build_for(self, input_shape: tuple) -> None:
        """Build for inputs all of whose sizes are known."""
        dtype, policy = self.dtype, self.policy
        self._build_models(input_shape, policy)
        self.sizes = input_shape[1:]
        shapes = [*self.layers, tuple(input_shape)]  # the last place, -1, is the model's input
        for i, (layer, sources) in enumerate(zip(self.layers, self.sources)):
            read = [shapes[source] for source in sources]
            self._build_layer(layer, read if layer.merges else read[0], dtype, policy)
            shapes[i] = layer.output_shape
        self._require_proved()
        self.built = True

    def _build_models(self, input_shape: tuple, policy: precision.Policy) -> None:
        """Build the models in this one that are not built yet, and write all out again."""
        waiting = [unit for unit in self.units if isinstance(unit, Network) and not unit.built]
        if not waiting:
            return
        for unit in waiting:
            unit.requested_policy = unit.requested_policy or policy
        shapes = [input_shape]  # it stays the last one
        for call in self.calls:
            read = [shapes[source] for source in call.sources]
            shapes.insert(-1, call.unit.compute_output_shape(read if call.unit.merges
                                                             else read[0]))
        self._write_out()

    def _build_layer(self, layer: Layer, shape, dtype: np.dtype,
                     policy: precision.Policy) -> None:
        """Make a layer's weights, or check that those it has are for such inputs.

        Raises:
            ValueError: if it cannot take them, or was built for others.
        """
        if not layer.built:
            if layer.requested_policy is None:
                layer.take_policy(policy)
            layer.dtype = dtype
            if layer.tied_to is None:
                layer.build(shape)
            else:
                layer.take_inputs(shape)
        elif not layer.fits(shape) and all(layer is not unit for unit in self.units):
            layer.take_inputs(shape)  # another call, for inputs of another size
        if not layer.fits(shape) or layer.dtype != dtype:
            raise ValueError(f"{layer} is built for inputs {layer.input_shape} of {layer.dtype}"
                             f". Received: {shape} of {dtype}")

    def _require_proved(self) -> None:
        """Raises an UnsupportedError where Keras would compute in float16 or bfloat16 what is not
        proved: penalties and limits of weights that are kept in it, penalties on such outputs, and
        operations and layers that read it without a cast."""
        for layer, sources in zip(self.layers, self.sources):
            kept = layer.policy.variable in precision.LOW
            what = ("a regularizer" if kept and layer.regularizers else
                    "a constraint" if kept and layer.constraints else
                    "an activity_regularizer" if layer.policy.low and layer.activity_regularizer
                    else "")
            if what:
                raise UnsupportedError(f"{layer} does not support {what} with dtype="
                                       f"{layer.policy.name!r}: what Keras computes in "
                                       f"{layer.policy.compute} is not proved for it.")
            low = [self.layers[i] for i in sources if i >= 0 and self.layers[i].policy.low]
            if low and (isinstance(layer, Operation) or not layer.casts_inputs):
                raise UnsupportedError(f"{layer} does not support reading {low[0]}: what Keras "
                                       f"computes in {low[0].policy.compute} is not proved for it.")

    def forward(self, x, training=False):
        outputs = [*self.layers, self.as_input(x)]  # the last place, -1, is the model's input
        for i, layer in enumerate(self.layers):
            read = [outputs[j] for j in self.sources[i]]
            outputs[i] = y = low_precision.forward(layer, read if layer.merges else read[0],
                                                   training)
            if layer.activity_regularizer is not None:
                layer.last_output = y
        return y

    def backward(self, gradient, from_logits=False, wants_input_gradient=True):
        due = [None] * len(self.layers) + [None]  # the gradient of each output; the input's is last
        due[len(self.layers) - 1] = gradient
        for i, layer in reversed(list(enumerate(self.layers))):
            wanted = wants_input_gradient or max(self.sources[i]) >= 0
            dx = back_through(layer, due[i], wanted, from_logits)
            from_logits = False
            due[i] = None
            if not wanted:
                continue
            for j, share in zip(self.sources[i], dx if layer.merges else [dx], strict=True):
                due[j] = share if due[j] is None else due[j] + share
        add_tied_gradients(self.layers)
        return due[-1] if wants_input_gradient else None

    @property
    def input_shape(self) -> tuple:
        self._require_built("input_shape")
        return self.input_layer.batch_shape

    @property
    def output_shape(self) -> tuple:
        """(batch, ...); None for sizes that each batch says anew."""
        self._require_built("output_shape")
        if has_unknown(self.input_shape):
            return self.compute_output_shape(self.input_shape)
        return self.layers[-1].output_shape

    def get_layer(self, name: str):
        """The layer of that name or path, or the model in this one."""
        for layer in [*self.units, *self.layers]:
            if layer.name == name:
                return layer
        raise ValueError(f"Model {self.name!r}: expected one of the layers "
                         f"{[layer.name for layer in self.layers]}. Received: {name!r}")

    def as_input(self, x) -> np.ndarray:
        """x as a batch of the model's precision and shape.

        Raises:
            ValueError: for another shape.
        """
        if not self.built:
            x = np.asarray(x, self.dtype)
            self.build((None, *x.shape[1:]))
        x = np.asarray(x, self.layers[0].dtype)  # one precision for all layers
        if self.input_layer.requested_policy is not None:
            x = precision.rounded(x, self.input_layer.requested_policy.compute)
        if not self.takes(x.shape):
            raise ValueError(f"Model {self.name!r}: expected inputs of shape {self.input_shape}. "
                             f"Received: {x.shape}")
        self.take_sizes(x.shape)
        return x

    def activity_penalty(self):
        """What the activity regularizers add to the loss, by the outputs of the last forward pass.

        Divided by the size of the batch, as in Keras; 0.0 if there are no such regularizers.
        """
        return sum([regularization.activity_penalty(layer.activity_regularizer, layer.last_output)
                    for layer in self.layers if layer.activity_regularizer is not None], start=0.0)

    def _held(self):
        return [(layer, name) for layer in self.unique_layers for name in layer.params]

    def _require_weights(self, action: str) -> None:
        self._require_built(action)

    def _require_built(self, action: str) -> None:
        if not self.built:
            raise ValueError(f"Model {self.name!r} must be built before {action}: give it an "
                             "Input, call build(input_shape), or show it a batch.")

    def saved_as(self) -> dict:
        """By what Keras's files know this kind of model: its class, and how it is built."""
        raise NotImplementedError

    def description(self) -> dict:
        """The model's config, and how it is built and compiled, in the dictionary Keras saves."""
        return {**self.saved_as(), "config": self.get_config(),
                "compile_config": self.get_compile_config()}

    def to_json(self, **options) -> str:
        """The model's description as JSON, for `scratch.models.model_from_json` or Keras's.

        Args:
            options: of `json.dumps`, such as indent.
        """
        return json.dumps({"registered_name": None, **self.saved_as(), "config": self.get_config()},
                          **options)

    def save(self, filepath, overwrite: bool = True) -> None:
        """Write a `.keras` file; see `scratch.files.save_model`."""
        files.save_model(self, filepath, overwrite)

    def save_weights(self, filepath, overwrite: bool = True) -> None:
        """Write a `.weights.h5` file; see `scratch.files.save_weights`."""
        files.save_weights(self, filepath, overwrite)

    def load_weights(self, filepath) -> None:
        """Read a `.weights.h5` or a `.keras` file; see `scratch.files.load_weights`."""
        files.load_weights(self, filepath)

    def count_params(self) -> int:
        self._require_built("count_params")
        return sum(layer.count_params() for layer in self.layers)

    def summary(self, print_fn=print) -> None:
        """Print the layers with their output shapes, numbers of weights and, if the model is no
        mere stack, what each is connected to."""
        self._require_built("summary")
        print_fn(summary_table(self))

    def _repr_html_(self) -> str | None:
        """How a notebook shows it: the summary, or as text while there is none."""
        return summary_html(self) if self.built else None

    def __str__(self):
        return f"Model {self.name!r}"

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


def add_tied_gradients(layers: list[Layer]) -> None:
    """Add the gradients of weights that are used again to those of the layer's first call."""
    first = {layer.name: layer for layer in layers}
    for layer in layers:
        if layer.tied_to is not None:
            begun = first[layer.tied_to]
            begun.grads = {name: gradient + layer.grads[name]
                           for name, gradient in begun.grads.items()}


def back_through(layer: Layer, gradient, wants_input_gradient: bool, from_logits: bool):
    """`layer.backward`, or `backward_from_logits`; with the gradient of its activity's penalty."""
    if layer.activity_regularizer is None:
        return low_precision.backward(layer, gradient, wants_input_gradient,
                                      "backward_from_logits" if from_logits else "backward")
    assert layer.last_output is not None, "forward keeps it"
    penalty = regularization.activity_gradient(layer.activity_regularizer, layer.last_output)
    if not from_logits:
        return low_precision.backward(layer, gradient + penalty, wants_input_gradient)
    # the loss's gradient begins at the softmax's input, the penalty's at its output
    dx = layer.backward_from_logits(gradient, wants_input_gradient)
    grads = dict(layer.grads)
    more = layer.backward(penalty, wants_input_gradient)
    layer.grads = {name: grads[name] + layer.grads[name] for name in grads}
    return None if dx is None or more is None or not wants_input_gradient else dx + more
