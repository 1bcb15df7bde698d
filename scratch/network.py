"""What `Sequential` and `Model` have in common: layers in an order, one precision, weights.

A chain is a graph, too: `sources` says for either which layers' outputs each layer reads, and both
run their layers in the order of `layers`, forward, and in the opposite one back. Models that stand
in others are written out in `layers`, see `nesting.py`; `calls` still knows them.
"""

from typing import Any

import numpy as np

from scratch import low_precision, precision, regularization
from scratch.backward import add_tied_gradients, added, back_through
from scratch.building import Building
from scratch.layers import Input, Layer, symbolic
from scratch.layers.unknown_sizes import has_unknown
from scratch.masks import Mask, Mixed, taken, with_masks
from scratch.nesting import Call, written_out
from scratch.saving import Saves
from scratch.several import Several, Structure, each, mapped
from scratch.suggestions import with_suggestions
from scratch.summary import summary_html, summary_table
from scratch.training.trainer import Trainer


class Network(Saves, Building, Trainer):
    """Base of the models: a subclass says what `calls` are, and when they are built.

    Attributes:
        inputs: its `Input`s, in order; none before the model has any.
        calls: of layers and of models that stand in this one, in order.
        layers: what is called, in the order of computation, models in this one written out.
        sources: for each layer the positions of those whose outputs it reads; -1 - k: the model's
            input k.
        told: for each layer whether the graph calls it with training=True, which `fit`, `evaluate`
            and `predict` overrule.
        ends: positions of the layers that make the model's outputs.
        end_masks: for each of them the mask that goes along with its output, or None.
        output_masks: after a forward pass, for each output which of its steps count, (batch,
            steps), or None; None where no mask comes along with any.
        inputs_as, outputs_as: the form in which the user has several of them; None for a single
            one.
        named: whether the name was given, and not chosen here.
        sizes: of a sample, for which the layers are built, those of each input; None before.
    """

    inputs_as: Structure | None = None
    outputs_as: Structure | None = None
    # The model that it is a wrapper of, which makes the output of each step; None for no wrapper.
    on_every_step: Any = None
    def __init__(self, name: str | None, default_name: str, trainable: bool, dtype):
        super().__init__()
        self.named = name is not None
        self.name = name or default_name
        self._trainable = trainable
        self.requested_policy = precision.requested(dtype)
        self.inputs: list[Input] = []
        self.calls: list[Call] = []
        self.layers: list[Layer] = []
        self.sources: list[tuple[int, ...]] = []
        self.told: list[bool] = []
        self.ends: list[int] = []
        self.end_masks: list[Mask | None] = []
        self.output_masks: Several | None = None
        self.mixed_masks = False
        self.built = False
        self.sizes: list[tuple] | None = None

    @property
    def input_layer(self) -> Input:
        """The first `Input`; None before the model has one."""
        return self.inputs[0] if self.inputs else None  # type: ignore[return-value]

    @property
    def merges(self) -> bool:
        """Whether a call of the model takes a list of inputs."""
        return self.inputs_as is not None

    @property
    def called_on_list(self) -> bool:
        """As `merges`; a layer's call may differ."""
        return self.merges

    @property
    def input_names(self) -> list[str]:
        """Of the `Input`s, in order."""
        return [source.name for source in self.inputs]

    @property
    def output_names(self) -> list[str]:
        """For each output the name of the layer or the model that makes it, as in Keras."""
        return [self.calls[position].unit.name for position, _ in self.made_by]

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
        """Make `layers`, `sources` and `ends` of `calls`."""
        self.layers, sources, made, self.told = written_out(self.calls, self)
        self.ends = [made[each] for each in self.made_by] if self.calls else []
        self.sources, masks = with_masks(self.layers, sources, self.ends)
        self.end_masks = [self._known(masks[end]) for end in self.ends]

    def _known(self, mask) -> Mask | None:
        """A mask that goes along with an output; one that is none of its inputs' is kept from the
        loss."""
        self.mixed_masks = self.mixed_masks or isinstance(mask, Mixed)
        return None if isinstance(mask, Mixed) else mask

    @property
    def has_output_masks(self) -> bool:
        """Whether a mask comes along with an output."""
        return any(mask is not None for mask in self.end_masks)

    @property
    def made_by(self) -> list[tuple[int, int]]:
        """For each output of the model the call that makes it, and which of its outputs it is."""
        return [(len(self.calls) - 1, 0)]

    def __call__(self, x, training: bool | None = None):
        """`forward`; on a symbolic tensor the next one of a graph, for a model around this one.

        There `training` is what `fit`, `evaluate` and `predict` say, as in Keras. Where nobody says
        anything, layers and models that the graph calls with training=True are in training, all
        others are not. To keep a part as it is in training, set its `trainable` to False.
        """
        if symbolic.is_symbolic(x):
            return symbolic.call(self, x, bool(training))
        said: Any = training
        if training is None:
            said = self.told if any(self.told) else False
        return self._as_handed_out(self.forward(x, said))

    def _as_handed_out(self, y):
        """Outputs in the form in which the user has them."""
        return y if self.outputs_as is None else self.outputs_as.packed(each(y))

    def forward(self, x, training=False):
        # the last places, -1 - k, are the model's inputs
        outputs = [*self.layers, *reversed(each(self.as_input(x)))]
        told = training if isinstance(training, list) else [training] * len(self.layers)
        for i, layer in enumerate(self.layers):
            read = [outputs[j] for j in self.sources[i]]
            outputs[i] = y = low_precision.forward(layer, taken(layer, read), told[i])
            if layer.activity_regularizer is not None:
                layer.last_output = y
        if self.has_output_masks:
            self.output_masks = Several([None if mask is None else
                                         mask.maker.compute_mask(outputs[mask.read])
                                         for mask in self.end_masks])
        if self.outputs_as is None:
            return outputs[self.ends[0]]
        return Several([outputs[end] for end in self.ends])

    def backward(self, gradient, from_logits=False, wants_input_gradient=True):
        # the gradient of each layer's output; behind them those of the inputs, the first one last
        due: list[Any] = [None] * (len(self.layers) + len(self.inputs))
        by_logits: dict[int, Any] = {}
        given = from_logits if isinstance(from_logits, tuple) else (from_logits,)
        for end, share, fused in zip(self.ends, each(gradient), given, strict=True):
            if share is not None:
                to = by_logits if fused else due
                to[end] = added(by_logits.get(end) if fused else due[end], share)
        for i, layer in reversed(list(enumerate(self.layers))):
            wanted = wants_input_gradient or max(self.sources[i]) >= 0
            if due[i] is None and i not in by_logits and layer.activity_regularizer is None:
                layer.grads = {}  # no loss depends on it
                continue
            dx = back_through(layer, due[i], wanted, by_logits.get(i))
            due[i] = None
            if not wanted:
                continue
            for j, share in zip(self.sources[i], dx if layer.merges else [dx], strict=True):
                due[j] = added(due[j], share)
        add_tied_gradients(self.layers)
        if not wants_input_gradient:
            return None
        at_inputs = due[len(self.layers):][::-1]
        return at_inputs[0] if self.inputs_as is None else Several(at_inputs)

    @property
    def input_shape(self):
        """(batch, ...); of several inputs a list of them."""
        self._require_built("input_shape")
        shapes = [source.batch_shape for source in self.inputs]
        return shapes[0] if self.inputs_as is None else shapes

    @property
    def output_shape(self):
        """(batch, ...), of several outputs a list; None for sizes that each batch says anew."""
        self._require_built("output_shape")
        if self.has_open_sizes:
            return self.compute_output_shape(self.input_shape)
        shapes = [self.layers[end].output_shape for end in self.ends]
        return shapes[0] if self.outputs_as is None else shapes

    @property
    def has_open_sizes(self) -> bool:
        """Whether each batch says some sizes of the inputs anew."""
        return any(has_unknown(source.batch_shape) for source in self.inputs)

    def get_layer(self, name: str):
        """The layer of that name or path, or the model in this one."""
        for layer in [*self.units, *self.layers]:
            if layer.name == name:
                return layer
        raise ValueError(f"Model {self.name!r}: expected one of the layers "
                         f"{[layer.name for layer in self.layers]}. Received: {name!r}")

    def grouped_inputs(self, x):
        return self._as_fed(super().grouped_inputs(x))

    def _as_fed(self, x):
        """Inputs in the precisions that their `Input`s ask for."""
        sources = self.inputs if self.inputs_as is not None else [self.input_layer]
        if all(source is None or _keeps(source, self.dtype) for source in sources):
            return x
        return mapped(_as_fed, x, sources[0] if self.inputs_as is None else Several(sources))

    def as_input(self, x):
        """x as a batch of the model's precision and shape; several inputs as `Several`.

        Raises:
            ValueError: for another shape, or another number of inputs.
        """
        if not self.built:
            x = np.asarray(x, self.dtype)
            self.build((None, *x.shape[1:]))
        dtype = self.layers[0].dtype  # one precision for all layers
        x = self._as_fed(mapped(np.asarray, super().grouped_inputs(x), dtype))
        shapes = [array.shape for array in each(x)]
        given = shapes[0] if self.inputs_as is None else shapes
        if not self.takes(given):
            raise ValueError(f"Model {self.name!r}: expected inputs of shape {self.input_shape}. "
                             f"Received: {given}")
        self._take_sizes(shapes)
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

    def count_params(self) -> int:
        self._require_built("count_params")
        return sum(layer.count_params() for layer in self.layers)

    @with_suggestions
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


def _keeps(source: Input, dtype: np.dtype) -> bool:
    """Whether an `Input` takes all numbers of the network's precision as they are."""
    policy = source.requested_policy
    return policy is None or not policy.low and policy.held.itemsize >= dtype.itemsize


def _as_fed(array, source: Input) -> np.ndarray:
    """An input in the precision that its `Input` asks for."""
    array = np.asarray(array)
    if source.requested_policy is None or array.dtype.kind != "f":
        return array
    return precision.as_fed(array, source.requested_policy.compute)
