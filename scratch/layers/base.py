"""What every layer is: made with arguments, built for a shape, then run forward and backward.

A layer's life has three parts. The constructor checks its arguments; `build(input_shape)` makes its
weights; after that `forward(x)` returns the output and remembers what the way back needs, and
`backward(dy)` returns the gradient with respect to the input and leaves those with respect to the
weights in `grads`. Nothing here changes a weight: that is the optimizer's work.
"""

import copy
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from scratch import (
    constraints,
    initializers,
    low_precision,
    precision,
    regularizers,
    side_by_side,
)
from scratch.errors import UnsupportedError
from scratch.layers import symbolic
from scratch.suggestions import arguments_of, did_you_mean
from scratch.weights import HoldsWeights


class Layer(HoldsWeights):
    """Base of all layers.

    Args:
        name: unique within a model; given by the model (`conv2d`, `conv2d_1`) where None.
        trainable: whether an optimizer may change the weights.
        dtype: the precision, such as 'float32' or 'mixed_float16', by name or as Keras's
            DTypePolicy; None for the model's. float16 and bfloat16, mixed or not, are for the
            layers whose arithmetic in them is proved.
        activity_regularizer: a penalty on the output, a name or an object of
            `scratch.regularizers`; None for none.
        settings: Keras's other arguments, each at the value that leaves the mathematics alone.

    Input shape:
        As the subclass says; the first axis is the batch.

    Output shape:
        As the subclass says, by `compute_output_shape`: here the input's.

    Attributes:
        dtype: numpy dtype of the arrays that hold weights, inputs and outputs; one for a whole
            model.
        policy: the precision that the layer computes in, and that of its weights.
        params: the weights by name, in Keras's order: those that are trained, then the others.
        grads: after `backward`, the gradients by the same names and with the same shapes.
        input_shape, output_shape: with None for the batch, once built. A layer of several inputs
            has a list of input shapes.
        regularizers, constraints: by weight name, for the weights that have one.
        activity_regularizer: of the output, or None.
        last_output: what the model's last forward pass got from the layer, if its activity is
            regularized; else None.
        noise: what the last forward pass in training drew, if the layer is random: an array that
            `give_noise` accepts; else None.
        tied_to: of a layer that a network calls once more, the name of its first call, which the
            weights and their training belong to; else None.

    Raises:
        UnsupportedError: for another precision, or a setting that is not supported, by its name.

    Example:
        >>> class Twice(scratch.layers.Layer):
        ...     def forward(self, x, training=False):
        ...         return 2 * x
        ...     def backward(self, dy, wants_input_gradient=True):
        ...         return 2 * dy
        >>> layer = Twice(name="twice")
        >>> layer([[1.0, 3.0]]).tolist(), layer.backward(np.ones((1, 2))).tolist()
        ([[2.0, 6.0]], [[2.0, 2.0]])
        >>> layer.output_shape
        (None, 2)
    """

    # Where Keras has its layer of that name; its networks bring some of their own.
    keras_module = "keras.layers"
    # Whether each sample's output depends on that sample alone and nothing is drawn or counted, so
    # that a batch may be split over threads. Every class says so itself: it is not inherited.
    sample_by_sample = False
    # The same of a layer that only in training draws, counts or looks at the whole batch.
    sample_by_sample_at_inference = False
    # Whether the layer takes a list of inputs; its `backward` then returns a list of gradients.
    merges = False
    # Whether Keras calls it on its inputs as arguments of their own, not on a list of them.
    calls_apart = False
    # Where Keras stores weights that are named 'part/name': by the part, the group in a file.
    inner_groups: dict[str, str] = {}
    # Whether its `activation`, if it has one, is the last thing it does.
    has_inner_activation = True
    # Whether it takes the masks that come with its inputs, as more of them, and what made these;
    # whether it makes one by `compute_mask`, or hands one on that it has used: see masks.py.
    uses_masks = False
    masked_by: tuple = ()
    expects_mask: tuple[str, Any] | None = None  # what a config says of it
    makes_masks = False
    hands_masks_on = False
    # Of a layer that uses masks: whether it reads several inputs, each with its mask; whether that
    # of the third counts, too; whether Keras takes them off its inputs.
    calls_with_several = False
    uses_mask_of_key = False
    takes_masks_off = False
    # Whether it may stand inside a wrapper although it draws.
    random_inside = False
    # Whether its arithmetic in float16 and bfloat16 is proved to be Keras's.
    takes_low_precision = False
    # Whether Keras casts its inputs to the precision that it computes in.
    casts_inputs = True
    # Whether Keras casts its weights to the precision that it computes in.
    casts_weights = True
    # Arguments that are layers themselves.
    inner_layers: tuple[str, ...] = ()
    # Whether Keras's layer of that name takes itself to be in training where nothing is said.
    called_in_training = False
    # Weights that no optimizer changes, such as moving statistics.
    non_trainable: tuple[str, ...] = ()
    # Those of them that a forward pass in training leaves alone, too, such as adapted statistics.
    constants: tuple[str, ...] = ()
    # Of a layer given for one of somebody's own: the dictionary by which Keras knows that one.
    described_as: dict[str, Any] | None = None
    # Keras arguments this layer accepts only at the value that leaves the mathematics alone, and
    # its weights' constraints.
    neutral: dict = {}

    def __init__(self, name=None, trainable=True, dtype=None, activity_regularizer=None,
                 **settings):
        self.name = name
        self.tied_to: str | None = None
        self._flags = {"trainable": trainable}  # one for all calls of the layer, as `params`
        self.requested_policy = precision.requested(dtype, self)
        self.take_policy(self.requested_policy or precision.Policy("float32"))
        self.params: dict[str, np.ndarray] = {}
        self.grads: dict[str, np.ndarray] = {}
        self.initializers: dict = {}
        self.regularizers: dict = {}
        self.constraints: dict = {}
        self.activity_regularizer = regularizers.get(activity_regularizer)
        if getattr(self.activity_regularizer, "needs_matrix", False):  # of all samples at once
            raise UnsupportedError(f"Layer {type(self).__name__} does not support activity_"
                                   f"regularizer={type(self.activity_regularizer).__name__}.")
        self.last_output: np.ndarray | None = None
        self.noise: np.ndarray | None = None
        self._given_noise: np.ndarray | None = None
        self.input_shape = None
        self.output_shape = None
        self._refuse(self._constrain(settings))

    def take_policy(self, policy: precision.Policy) -> None:
        """Compute in that precision.

        Raises:
            UnsupportedError: for one in which the layer's arithmetic is not proved.
        """
        if policy.low and not self.takes_low_precision:
            raise UnsupportedError(
                f"{self} does not support dtype={policy.name!r}: what Keras computes in "
                f"{policy.compute} is not proved for it. Expected: 'float32' or 'float64'.")
        self.policy, self.dtype = policy, policy.held

    @property
    def requested_dtype(self) -> np.dtype | None:
        """The dtype of the arrays that the layer asks for; None where it leaves that to a model."""
        return None if self.requested_policy is None else self.requested_policy.held

    def autocast(self, value):
        """What comes in, an array or a list of them, as the layer computes with it: as it is, or
        cast to float16 or bfloat16."""
        return low_precision.lowered(self, value)

    def rounded(self, array: np.ndarray) -> np.ndarray:
        """What the layer has computed half-way, in the precision that it computes in."""
        return precision.rounded(array, self.policy.compute) if self.policy.low else array

    @classmethod
    def argument_of(cls, weight: str) -> str:
        """What the names of a weight's arguments begin with, such as `kernel` in
        `kernel_regularizer`."""
        return weight

    def _weight_of(self, argument: str) -> str:
        """The weight whose arguments' names begin so."""
        return argument

    def _constrain(self, settings: dict) -> dict:
        """Keep those of the settings that are constraints; returns the others."""
        others = {}
        for key, value in settings.items():
            argument = key.removesuffix("_constraint")
            if key in self.neutral and argument != key:
                if value is None:
                    continue
                try:
                    self.constraints[self._weight_of(argument)] = constraints.get(value)
                except UnsupportedError as error:
                    raise UnsupportedError(f"{self} does not support {key}={value!r:.200}: {error}"
                                           ) from None
            else:
                others[key] = value
        return others

    def _refuse(self, settings: dict) -> None:
        for key, value in settings.items():
            if key not in self.neutral:
                if value is None:
                    continue  # a key of some other Keras version, left unset
                raise UnsupportedError(
                    f"{self} does not support {key}={value!r}: it has no such argument here."
                    + did_you_mean(key, arguments_of(type(self)))
                )
            plain = tuple(value) if isinstance(value, list) else value
            if plain not in self.neutral[key]:
                raise UnsupportedError(
                    f"{self} does not support {key}={value!r}. "
                    f"Expected: {key}={self.neutral[key][0]!r}."
                )

    if not TYPE_CHECKING:
        def __getattr__(self, name):
            """Called for what is not there: as a rule what `build` or `forward` was to leave.

            Raises:
                AttributeError: always.
            """
            said = f"{type(self).__name__!r} object has no attribute {name!r}"
            if name.startswith("__") or "input_shape" not in vars(self):
                raise AttributeError(said)
            if not self.built:
                raise AttributeError(f"{self}: expected a built layer. Received: one without "
                                     f"weights ({said}); call build(input_shape), or the layer "
                                     "itself on a batch")
            if name.startswith("_"):
                raise AttributeError(f"{self}: expected a forward pass first. Received: none "
                                     f"({said})")
            raise AttributeError(said)

    @property
    def trainable(self) -> bool:
        """Whether an optimizer may change the weights; the same at all calls of the layer."""
        return self._flags["trainable"]

    @trainable.setter
    def trainable(self, value) -> None:
        self._flags["trainable"] = value

    @property
    def built(self) -> bool:
        return self.input_shape is not None

    def build(self, input_shape: tuple | list) -> None:
        """Make the weights for inputs of `input_shape`, (None, ...) with None for the batch.

        Raises:
            ValueError: if no output can have that input's shape.
        """
        shape = input_shape if self.merges else tuple(input_shape)
        self.output_shape = self.compute_output_shape(shape)
        self.input_shape = list(map(tuple, shape)) if self.merges else shape

    def __call__(self, inputs, training: bool = False):
        """On symbolic tensors: the next one of a graph, for `scratch.Model`. On a batch: `forward`.

        A layer that merges takes a list. Weights that a batch finds missing are made for it.

        Raises:
            ValueError: for inputs of a shape that the layer cannot take.
        """
        if symbolic.is_symbolic(inputs):
            return symbolic.call(self, inputs)
        if self.merges:
            if not isinstance(inputs, (list, tuple)):
                raise ValueError(f"{self}: expected to be called on a list of inputs. Received: "
                                 f"{type(inputs).__name__}")
            x: Any = [np.asarray(array, self.dtype) for array in inputs]
            shape: Any = [(None, *array.shape[1:]) for array in x]
        else:
            x = np.asarray(inputs, self.dtype)
            shape = (None, *x.shape[1:])
        if not self.built:
            self.build(shape)
        if not self.fits(shape):
            raise ValueError(f"{self} is built for inputs {self.input_shape}. Received: {shape}")
        return low_precision.forward(self, x, training)

    @property
    def called_on_list(self) -> bool:
        """Whether a call names several inputs; a mask comes by itself."""
        return self.merges and (self.calls_with_several or not self.masked_by)

    def take_masks(self, makers: tuple) -> None:
        """Read masks beside the input from now on, made by these layers; () for no mask."""
        if not makers and self.masked_by and isinstance(self.input_shape, list):
            self.input_shape = self.input_shape[0]
        if makers and isinstance(self.input_shape, tuple):
            self.input_shape = None  # it is built for one input
        self.masked_by, self.merges = makers, bool(makers)

    def unmasked(self, reads: tuple[int, ...]) -> tuple[int, ...]:
        """What it reads without what masks are made of."""
        return reads[:1]

    def compute_mask(self, x: np.ndarray) -> np.ndarray:
        """Which steps count, (batch, steps), of a layer that makes masks."""
        raise NotImplementedError

    def fits(self, input_shape) -> bool:
        """Whether the layer was built for such inputs, whatever the size of the batch."""
        if not self.merges:
            return self.input_shape[1:] == tuple(input_shape[1:])
        return [s[1:] for s in self.input_shape] == [tuple(s[1:]) for s in input_shape]

    def another_call(self, name: str, tied_to: str | None = None) -> "Layer":
        """The same layer at another place: it shares the weights, and whether they are trained,
        but remembers a forward pass of its own and has gradients of its own."""
        call = copy.copy(self)
        call.name, call.tied_to, call.grads = name, tied_to, {}
        call.last_output = call.noise = call._given_noise = None
        return call

    def take_inputs(self, input_shape: tuple | list) -> None:
        """Be built for inputs of another shape, with the weights that are there.

        Raises:
            ValueError: if weights for such inputs are of another shape.
        """
        kept = self.params
        for name in [name for name in vars(self)
                     if isinstance(getattr(type(self), name, None), cached_property)]:
            del vars(self)[name]  # what was worked out for the other shape
        self.params = {}
        try:
            with initializers.undrawn():
                self.build(input_shape)
            there, needed = ({name: weight.shape for name, weight in params.items()}
                             for params in (kept, self.params))
            if there != needed:
                raise ValueError(f"{self}: expected inputs that go with its weights {there}. "
                                 f"Received: {input_shape}, for which they are {needed}")
        finally:
            self.params = kept

    def compute_output_shape(self, input_shape: tuple | list) -> tuple:
        return tuple(input_shape)

    def _held(self):
        return [(self, name) for name in self.params]

    def _require_weights(self, action: str) -> None:
        if not self.built:
            raise ValueError(f"{self} must be built before {action}: call build(input_shape), or "
                             "the layer itself on a batch.")

    def add_weight(self, name: str, shape: tuple, initializer) -> None:
        """Make a weight; `initializers.undrawn` makes one that has no numbers yet."""
        weight = initializer(shape, self.dtype)
        drawn = not initializers.is_undrawn(weight)
        if drawn:
            weight = precision.rounded(weight, self.policy.variable)
            if side_by_side.has_place(weight):
                weight = weight.copy()  # by itself, until a model gives it a place
        self.params[name] = self.in_memory_order(name, weight) if drawn else weight

    def in_memory_order(self, name: str, weight: np.ndarray) -> np.ndarray:
        """The same weight, its numbers in memory in the order that the layer's products like."""
        return weight

    def take_weight(self, name: str, value: np.ndarray) -> None:
        """Give a weight new numbers, of its shape: in place, or its first ones if none were drawn.
        """
        value = precision.rounded(np.asarray(value, self.dtype), self.policy.variable)
        if initializers.is_undrawn(self.params[name]):
            self.params[name] = self.in_memory_order(name, np.array(value, self.dtype, order="C"))
        else:
            self.params[name][...] = value

    def forward(self, x: np.ndarray, training: bool = False) -> np.ndarray:
        """The output for a batch x, of shape (batch, *input_shape[1:]) and of `dtype`."""
        raise NotImplementedError

    def backward(self, dy: np.ndarray, wants_input_gradient: bool = True) -> np.ndarray | None:
        """The loss's gradient with respect to the last input, given that to the last output.

        Fills `grads`. Returns None if the input's gradient is not wanted, which saves its cost.
        """
        raise NotImplementedError

    # A cross-entropy that follows a softmax or a sigmoid is computed from its input, as in Keras.

    @property
    def logits_kind(self) -> str | None:
        """'softmax' or 'sigmoid' if this layer's output is one, else None."""
        return None

    @property
    def logits(self) -> np.ndarray | None:
        """The last softmax's or sigmoid's input, if this layer's output is one; else None."""
        return None

    def backward_from_logits(self, dz, wants_input_gradient: bool = True) -> np.ndarray | None:
        """`backward`, starting from the gradient with respect to `logits`."""
        raise NotImplementedError

    @property
    def trainable_params(self) -> dict[str, np.ndarray]:
        """The weights that an optimizer changes: none if the layer is not trainable, or tied."""
        if not self.trainable or self.tied_to is not None:
            return {}
        if not self.non_trainable:
            return self.params
        return {name: w for name, w in self.params.items() if name not in self.non_trainable}

    def give_noise(self, noise: np.ndarray | None) -> None:
        """Use these numbers in training instead of drawing new ones, until given None.

        Two networks that share their noise can be compared although they are random.
        """
        self._given_noise = noise

    def take_back_statistics(self) -> None:
        """Undo what the last forward pass in training has changed in the weights, if anything."""

    def count_params(self) -> int:
        """The number of weights; those of a tied call count at the first one."""
        if self.tied_to is not None:
            return 0
        return sum(weight.size for weight in self.params.values())

    def get_config(self) -> dict:
        """Constructor arguments, as Keras's layer of the same name gives them."""
        policy = {"module": "keras", "class_name": "DTypePolicy",
                  "config": {"name": self.policy.name}, "registered_name": None}
        neutral = {key: accepted[0] for key, accepted in self.neutral.items()}
        config = {"name": self.name, "trainable": self.trainable, "dtype": policy, **neutral}
        for name, constraint in self.constraints.items():
            config[f"{self.argument_of(name)}_constraint"] = constraints.serialize(constraint)
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        return config

    def file_group(self, weight: str) -> str:
        """Where Keras keeps a weight in a file, in the layer's own group: '', or '/query_dense'."""
        part = weight.rpartition("/")[0]
        return f"/{self.inner_groups[part]}" if part else ""

    def build_config(self) -> dict:
        """What Keras builds such a layer by, before it gets its weights from a file."""
        return {"input_shape": self.input_shape}

    @classmethod
    def from_config(cls, config: dict) -> "Layer":
        return cls(**config)

    def __str__(self):
        return f"{type(self).__name__} {self.name!r}" if self.name else type(self).__name__

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"
