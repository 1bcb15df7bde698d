"""A Keras model as ops that can each be run alone: its layers, and the activations inside them.

A layer with an activation inside, such as `Dense(10, activation="softmax")`, makes two ops: what
it computes before the activation, and the activation. That tells a wrong kernel from a wrong
rectifier, and gives a softmax's logits, where a fused cross-entropy starts its way back.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from reference import image_draws
from reference import noise as noises
from reference.carried_states import from_zeros
from reference.failures import naming
from reference.graph import calls_of, ends_of
from reference.handing import handed
from reference.kernels import refuse_corrupting, refuse_larger_windows
from reference.masks import ATTENDING
from reference.operations import LOW
from reference.outputs import RECURRENT, side_by_side
from reference.quiet import keras, precision, tf
from reference.statistics import in_use, is_adapted
from reference.steps import CALLED_APART, inside, of_a_step
from reference.weight_names import weight_names

# layers that compute in the precision of what they read
UNCAST = (keras.layers.LayerNormalization, keras.layers.GroupNormalization)
# layers whose outputs, whole numbers some of them, have no slope
OF_CLASSES = (keras.layers.CategoryEncoding, keras.layers.Discretization)


@dataclass
class Op:
    """One callable on the way forward, with the variables it uses.

    Attributes:
        layer: the Keras layer.
        name: of the call: the layer's path, and of a further call the number.
        position: of the call among all of the model.
        tied_to: the name of the layer's first call; None for that itself.
        part: '' for the layer, the name of the activation inside it, or 'whole' for both.
        call: the layer, or the activation.
        variables: the layer's weights, trained or not; an activation has none.
        sources: positions of the ops whose outputs it reads, -1 - k for the model's input k.
        merges: whether it takes a list of inputs.
        last: whether its output is the layer's.
        masked_by: the layers that make the masks it uses; these are then the last of its inputs.
        along: (the layer that makes the mask that goes along with its output, the source of what
            that reads), or None.
        causal: whether an attention is called with `use_causal_mask=True`.
    """

    layer: Any
    part: str
    call: Callable
    variables: list
    sources: tuple[int, ...] = (-1,)
    merges: bool = False
    last: bool = True
    name: str = ""
    position: int = 0
    tied_to: str | None = None
    masked_by: tuple = ()
    along: tuple[Any, int] | None = None
    causal: bool = False

    @property
    def class_name(self) -> str:
        """Of the layer; of an operation between layers with an ending that tells it apart."""
        return getattr(self.layer, "class_name", type(self.layer).__name__)

    @property
    def is_activation(self) -> bool:
        return self.part not in ("", "whole")

    @property
    def reads_several(self) -> bool:
        """Whether it takes a list of inputs, not one with its mask."""
        return self.merges and not isinstance(self.layer, RECURRENT) and (
            not self.masked_by or isinstance(self.layer, ATTENDING))

    @property
    def is_random(self) -> bool:
        """Whether it draws numbers in training."""
        return not self.is_activation and noises.is_random(self.layer)

    @property
    def state(self) -> list:
        """The weights that a pass in training itself changes, such as moving statistics."""
        if self.is_activation:
            return []
        if isinstance(self.layer, keras.layers.SpectralNormalization):  # frozen or not
            return [self.layer.kernel, self.layer.vector_u]
        if not self.layer.trainable or is_adapted(self.layer):
            return []
        return [v for v in self.variables if not v.trainable]

    @cached_property
    def names(self) -> dict[int, str]:
        """What the variables are called, by their `id`."""
        return weight_names(self.layer) if self.variables else {}

    @property
    def differs_at_inference(self) -> bool:
        """Whether it computes something else when it is not in training."""
        return self.is_random or bool(self.state)

    def inputs_of(self, read: list) -> list:
        """What it is run on, given what its sources put out: masks in the place of the last."""
        own = len(read) - len(self.masked_by)
        made = [maker.compute_mask(each) for maker, each in zip(self.masked_by, read[own:])]
        return [*read[:own], *(tf.cast(mask, read[0].dtype) for mask in made)]

    def run(self, inputs, noise=None, training=True, gradients=True):
        """The op on a list of inputs; no penalty on the output is added to the model's losses.

        Args:
            noise: what a random layer uses in training instead of drawing numbers.
            gradients: whether any will be asked for.
        """
        with naming(self.layer):
            return side_by_side(self.layer, self._run(
                list(inputs) if self.merges else inputs[0], noise, training, gradients))

    def _run(self, x, noise, training, gradients):
        if self.is_activation:
            return self.call(tf.cast(x, self.layer.compute_dtype))
        told: dict[str, Any] = {"use_causal_mask": True} if self.causal else {}
        if self.merges:
            own = len(x) - len(self.masked_by)
            x, more = handed(self.layer, x[:own], [tf.cast(each, bool) for each in x[own:]])
            told |= more
        if not self.merges:
            refuse_larger_windows(*of_a_step(self.layer, tuple(x.shape)))
            if gradients:
                refuse_corrupting(*of_a_step(self.layer, tuple(x.shape)), x.dtype.name)
        if isinstance(self.layer, UNCAST) and self.layer.compute_dtype in LOW:
            x = tf.cast(x, self.layer.compute_dtype)  # what it reads in a network is of it
        if isinstance(self.layer, OF_CLASSES):  # through numbers, for TensorFlow knows no way back
            return tf.cast(self.call(tf.constant(x.numpy())), x.dtype)
        if noise is not None and training:
            if not self.merges and x.dtype.is_floating:  # as the layer casts what it is called on
                x = tf.cast(x, self.layer.compute_dtype)
            return noises.apply(self.layer, x, noise, **told)
        training = training and not image_draws.is_undrawn(inside(self.layer))
        apart = isinstance(self.layer, CALLED_APART)
        with swapped(self.layer, "activity_regularizer", None):
            inputs = x if apart else [x]
            return self.call(*inputs, training=training, **told)


def ops_of(model, whole=frozenset()) -> list[Op]:
    """The model's layers in order, an activation inside a layer being an op of its own.

    Args:
        whole: positions of calls that are to stay together with their activation.
    """
    ops: list[Op] = []
    ends: dict[int, int] = {}
    for i, call in enumerate(calls_of(model)):
        layer, name, sources, merges, tied_to, masked_by, along, causal = call
        read = tuple(ends[source] if source >= 0 else source for source in sources)
        if along is not None and along[1] >= 0:
            along = (along[0], ends[along[1]])
        called: dict[str, Any] = {"name": name, "position": i, "tied_to": tied_to,
                                  "masked_by": masked_by, "along": along, "causal": causal}
        inner = inner_activation(layer)
        if inner is None or i in whole:
            ops.append(Op(layer, "whole" if inner else "", layer, layer.weights, read, merges,
                          **called))
        else:
            ops.append(Op(layer, "", without_activation(layer), layer.weights, read,
                          last=False, **called))
            ops.append(Op(layer, inner, layer.activation, [], (len(ops) - 1,),
                          **{**called, "masked_by": ()}))
        ends[i] = len(ops) - 1
    return ops


def output_ops(model, ops: list[Op]) -> list[int]:
    """The positions of the ops that make the model's outputs."""
    last = {op.position: i for i, op in enumerate(ops)}
    return [last[end] for end in ends_of(model)]


def inner_activation(layer) -> str | None:
    """The name of an activation that follows a layer's own arithmetic, None if there is none.

    An activation that is a layer itself, with arguments, goes by the name of its class.
    """
    if isinstance(layer, keras.layers.RNN):
        return None  # its activation is part of every step
    if type(layer).__module__.split(".")[0] != "keras":
        return None  # nobody knows what somebody's own layer does with it
    activation = getattr(layer, "activation", None)
    if activation is None or not layer.weights or activation is keras.activations.linear:
        return None
    name = keras.activations.serialize(activation)
    return name if isinstance(name, str) else name["class_name"]


def without_activation(layer):
    """A call of the layer that leaves its activation out."""

    def call(x, training=None):
        with swapped(layer, "activation", keras.activations.linear):
            return layer(x, training=training)

    return call


@contextlib.contextmanager
def swapped(layer, attribute: str, value):
    """The layer with another value of an attribute, as long as the block lasts."""
    kept = getattr(layer, attribute)
    setattr(layer, attribute, value)
    try:
        yield
    finally:
        setattr(layer, attribute, kept)


@contextlib.contextmanager
def restored(variables):
    """Whatever a block does to these variables is undone at its end."""
    kept = [tf.convert_to_tensor(variable) for variable in variables]
    try:
        yield
    finally:
        for variable, value in zip(variables, kept):
            variable.assign(value)


def run_op(op: Op, x, dy, weights: dict, training=True) -> tuple:
    """One op alone, on any input, output gradient and weights; the model is left as it was.

    Args:
        x: an array, or a tuple of arrays for a layer that takes several.
        dy: None for the output alone.
        weights: by name; a random layer finds its 'noise' among them.
        training: False for what it computes at inference.

    Returns:
        (output, input gradient, weight gradients by name), as NumPy arrays; the gradients of
        several inputs as a tuple; none without dy.
    """
    trainable = [v for v in op.variables if v.trainable]
    with restored(op.variables), from_zeros([op.layer]):
        for variable in op.variables:
            variable.assign(weights[op.names[id(variable)]])
        # a layer that draws numbers draws them in Keras's default precision
        wide = getattr(op.layer, "compute_dtype", None) == "float64"
        default = precision("float64") if wide else contextlib.nullcontext()
        with in_use(op.layer), default, tf.GradientTape() as tape:
            inputs = [tf.constant(value) for value in (x if op.merges else [x])]
            tape.watch(inputs)
            y = op.run(inputs, weights.get("noise"), training, dy is not None)
        if dy is None:
            return array(y), None, {}
        with naming(op.layer):
            gradients = tape.gradient(y, [*inputs, *(v.value for v in trainable)],
                                      output_gradients=tf.cast(dy, y.dtype))
        gradients = [array(gradient) for gradient in gradients]
        named = {op.names[id(v)]: g for v, g in zip(trainable, gradients[len(inputs):])}
        dx = tuple(gradients[:len(inputs)]) if op.merges else gradients[0]
        return array(y), dx, named


def array(tensor):
    """A NumPy array of its own, None for None; what is sparse is filled up."""
    return None if tensor is None else held(np.array(tf.convert_to_tensor(tensor).numpy()))


def view(tensor) -> np.ndarray:
    """The numbers of a tensor, or those that a variable holds now: an array that is not to be
    written to, for it may be TensorFlow's own memory. As long as there is the array, TensorFlow
    makes room elsewhere for what the variable holds next."""
    tensor = tf.convert_to_tensor(tensor)
    # a single number of bfloat16 is no array by itself
    return held(np.asarray(tensor if tensor.shape.rank else tensor.numpy()))


def held(array: np.ndarray) -> np.ndarray:
    """An array of float16 or bfloat16 in one of float32, which holds all their numbers."""
    return array.astype(np.float32) if array.dtype.name in LOW else array
