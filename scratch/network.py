"""What `Sequential` and `Model` have in common: layers in an order, one precision, weights, files.

A chain is a graph, too: `sources` says for either which layers' outputs each layer reads, and both
run their layers in the order of `layers`, forward, and in the opposite one back. Models that stand
in others are written out in `layers`, see `nesting.py`; `calls` still knows them.
"""

import json
from typing import Any

import numpy as np

from scratch import files, initializers, low_precision, precision, regularization, side_by_side
from scratch.errors import UnsupportedError
from scratch.layers import Input, Layer, symbolic
from scratch.layers.unknown_sizes import STAND_INS, filled, has_unknown, worked_out
from scratch.masks import Mask, Mixed, taken, with_masks
from scratch.nesting import Call, written_out
from scratch.operations.operation import Operation
from scratch.several import Several, Structure, each, grouped, mapped
from scratch.suggestions import with_suggestions
from scratch.summary import summary_html, summary_table
from scratch.training import Trainer
from scratch.weights import HoldsWeights

MOST_SIDE_BY_SIDE = 2 ** 22  # numbers


class Network(Trainer, HoldsWeights):
    """Base of the models: a subclass says what `calls` are, and when they are built.

    Attributes:
        inputs: its `Input`s, in order; none before the model has any.
        calls: of layers and of models that stand in this one, in order.
        layers: what is called, in the order of computation, models in this one written out.
        sources: for each layer the positions of those whose outputs it reads; -1 - k: the model's
            input k.
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
        self.layers, sources, made = written_out(self.calls, self)
        self.sources, masks = with_masks(self.layers, sources)
        self.ends = [made[each] for each in self.made_by] if self.calls else []
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
        return self._as_handed_out(self.forward(x, training))

    def _as_handed_out(self, y):
        """Outputs in the form in which the user has them."""
        return y if self.outputs_as is None else self.outputs_as.packed(each(y))

    def compute_output_shape(self, input_shape):
        """The shape of the output for inputs of that shape; builds the model if it is not built.

        Of several inputs a list of shapes, and of several outputs likewise.

        Raises:
            ValueError: if the model is built for others, or a layer cannot take such inputs.
        """
        if not self.built:
            self.build(tuple(input_shape))
        if not self.takes(input_shape):
            raise ValueError(f"{self}: expected inputs of shape {self.input_shape}. "
                             f"Received: {input_shape}")
        shapes = self.layer_shapes(input_shape)
        made = [shapes[end] for end in self.ends]
        return made[0] if self.outputs_as is None else made

    def takes(self, shape) -> bool:
        """Whether inputs may have that shape, of several these, whatever the size of the batch."""
        shapes = self._each_shape(shape)
        return len(shapes) == len(self.inputs) and all(
            len(own.shape) == len(given) and all(n in (None, m)
                                                 for n, m in zip(own.shape[1:], given[1:]))
            for own, given in zip(self.inputs, shapes))

    def _each_shape(self, shape) -> list[tuple]:
        """The shape of each input."""
        if self.inputs_as is None:
            return [tuple(shape)]
        return list(map(tuple, self.inputs_as.flat(shape)))

    def layer_shapes(self, input_shape) -> list[tuple]:
        """The shape of each layer's output for inputs of that shape, in which sizes may be open."""
        shapes: list[Any] = [*self.layers, *reversed(self._each_shape(input_shape))]
        for i, (layer, sources) in enumerate(zip(self.layers, self.sources)):
            read = [shapes[source] for source in sources]
            shapes[i] = worked_out(layer.compute_output_shape, read if layer.merges else read[0])
        return shapes[:len(self.layers)]

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
        yield from self.inputs  # Keras rounds what it is fed to the Input's precision
        for unit in self.units:
            yield from unit._owners() if isinstance(unit, Network) else [unit]

    def build(self, input_shape) -> None:
        """Make the weights of every layer that has none yet, for inputs (None, ...).

        Sizes that are open are those of the next batch; meanwhile a stand-in takes their place.

        Raises:
            ValueError: if the model has no layers, or if one cannot take such inputs, or inputs of
                any size.
        """
        shapes = self._each_shape(input_shape)
        if not any(map(has_unknown, shapes)):
            self._build_for(shapes)
            return
        one, other = ([filled(shape, size) for shape in shapes] for size in STAND_INS)
        self._build_for(one)
        for each_filled in (other, one):
            self._take_sizes(each_filled)

    def take_sizes(self, shape) -> None:
        """Be ready for inputs of that shape, where the model's own leaves sizes open.

        Raises:
            ValueError: if a layer cannot take them.
        """
        self._take_sizes(self._each_shape(shape))

    def _take_sizes(self, given: list[tuple]) -> None:
        sizes = [tuple(shape[1:]) for shape in given]
        if sizes == self.sizes:
            return
        self.sizes = None  # nothing is certain if a layer refuses
        # the last places, -1 - k: the model's inputs
        shapes: list[Any] = [*self.layers, *((None, *each_size) for each_size in reversed(sizes))]
        for i, (layer, sources) in enumerate(zip(self.layers, self.sources)):
            read = [shapes[source] for source in sources]
            shape = read if layer.merges else read[0]
            if not layer.fits(shape):
                layer.take_inputs(shape)
            shapes[i] = layer.output_shape
        self.sizes = sizes

    def _build_for(self, input_shapes: list[tuple]) -> None:
        """Build for inputs all of whose sizes are known."""
        dtype, policy = self.dtype, self.policy
        self._build_models(input_shapes, policy)
        self.sizes = [shape[1:] for shape in input_shapes]
        shapes: list[Any] = [*self.layers, *reversed(input_shapes)]  # -1 - k: the model's inputs
        for i, (layer, sources) in enumerate(zip(self.layers, self.sources)):
            read = [shapes[source] for source in sources]
            self._build_layer(layer, read if layer.merges else read[0], dtype, policy)
            shapes[i] = layer.output_shape
        self._require_proved()
        self.built = True
        self._lay_side_by_side()

    def set_weights(self, weights) -> None:
        super().set_weights(weights)
        self._lay_side_by_side()  # those that had no numbers before

    def _lay_side_by_side(self) -> None:
        """Put the weights that may be trained into one vector, unless they are many: then calls
        cost little. Not those that another model has there already, or an optimizer knows."""
        if self.optimizer is not None and self.optimizer.built:
            return
        own = [(layer, name) for layer, name in self._held() if name not in layer.non_trainable]
        weights = [layer.params[name] for layer, name in own]
        if (any(map(initializers.is_undrawn, weights))
                or sum(weight.size for weight in weights) > MOST_SIDE_BY_SIDE):
            return
        loose = [i for i, weight in enumerate(weights) if not side_by_side.has_place(weight)]
        for i, weight in zip(loose, side_by_side.copies([weights[i] for i in loose])):
            layer, name = own[i]
            layer.params[name] = weight

    def _build_models(self, input_shapes: list[tuple], policy: precision.Policy) -> None:
        """Build the models in this one that are not built yet, and write all out again."""
        waiting = [unit for unit in self.units if isinstance(unit, Network) and not unit.built]
        if not waiting:
            return
        for unit in waiting:
            unit.requested_policy = unit.requested_policy or policy
        made: dict[tuple[int, int], tuple] = {(-1 - k, 0): shape
                                              for k, shape in enumerate(input_shapes)}
        for i, call in enumerate(self.calls):
            read = [made[each_read] for each_read in call.read]
            shapes = call.unit.compute_output_shape(read if call.unit.called_on_list else read[0])
            for place, shape in enumerate(shapes if isinstance(shapes, list) else [shapes]):
                made[i, place] = shape
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
        # the last places, -1 - k, are the model's inputs
        outputs = [*self.layers, *reversed(each(self.as_input(x)))]
        for i, layer in enumerate(self.layers):
            read = [outputs[j] for j in self.sources[i]]
            outputs[i] = y = low_precision.forward(layer, taken(layer, read), training)
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

    def as_input(self, x):
        """x as a batch of the model's precision and shape; several inputs as `Several`.

        Raises:
            ValueError: for another shape, or another number of inputs.
        """
        if not self.built:
            x = np.asarray(x, self.dtype)
            self.build((None, *x.shape[1:]))
        dtype = self.layers[0].dtype  # one precision for all layers
        x = mapped(np.asarray, grouped(x, self.inputs_as, self.input_names), dtype)
        x = mapped(_as_fed, x, self.input_layer if self.inputs_as is None else Several(self.inputs))
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

    @with_suggestions
    def save(self, filepath, overwrite: bool = True) -> None:
        """Write a `.keras` file; see `scratch.files.save_model`."""
        files.save_model(self, filepath, overwrite)

    @with_suggestions
    def save_weights(self, filepath, overwrite: bool = True) -> None:
        """Write a `.weights.h5` file; see `scratch.files.save_weights`."""
        files.save_weights(self, filepath, overwrite)

    @with_suggestions
    def load_weights(self, filepath, skip_mismatch: bool = False, by_name: bool = False) -> None:
        """Read a `.weights.h5`, `.h5` or `.keras` file; see `scratch.files.load_weights`."""
        files.load_weights(self, filepath, skip_mismatch, by_name)

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


def _as_fed(array: np.ndarray, source: Input) -> np.ndarray:
    """An input in the precision that its `Input` asks for."""
    if source.requested_policy is None:
        return array
    return precision.rounded(array, source.requested_policy.compute)


def added(gradient, share):
    """The sum of two gradients, each of which may be None."""
    if gradient is None or share is None:
        return share if gradient is None else gradient
    return gradient + share


def add_tied_gradients(layers: list[Layer]) -> None:
    """Add the gradients of weights that are used again to those of the layer's first call."""
    first = {layer.name: layer for layer in layers}
    for layer in layers:
        if layer.tied_to is not None:
            begun = first[layer.tied_to]
            begun.grads = {name: added(begun.grads.get(name), layer.grads.get(name))
                           for name in {**begun.grads, **layer.grads}}


def back_through(layer: Layer, gradient, wants_input_gradient: bool, of_logits=None):
    """`layer.backward`, `backward_from_logits`, or the sum of the two, in the layer's precision;
    with the gradient of its activity's penalty.

    Args:
        gradient: of its output; None where there is none.
        of_logits: of the input of its activation, where a loss is computed from that; or None.
    """
    if layer.activity_regularizer is not None:
        assert layer.last_output is not None, "forward keeps it"
        gradient = added(gradient, regularization.activity_gradient(layer.activity_regularizer,
                                                                    layer.last_output))
    if of_logits is None:
        return low_precision.backward(layer, gradient, wants_input_gradient)
    dx = low_precision.backward(layer, of_logits, wants_input_gradient, "backward_from_logits")
    if gradient is None:
        return dx
    # the loss's gradient begins at the softmax's input, all others at its output
    grads = dict(layer.grads)
    more = low_precision.backward(layer, gradient, wants_input_gradient)
    layer.grads = {name: grads[name] + layer.grads[name] for name in grads}
    return None if dx is None or more is None or not wants_input_gradient else dx + more
