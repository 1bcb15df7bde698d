"""What every layer is: made with arguments, built for a shape, then run forward and backward.

A layer's life has three parts. The constructor checks its arguments; `build(input_shape)` makes its
weights; after that `forward(x)` returns the output and remembers what the way back needs, and
`backward(dy)` returns the gradient with respect to the input and leaves those with respect to the
weights in `grads`. Nothing here changes a weight: that is the optimizer's work.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from scratch import low_precision, precision, regularizers
from scratch.errors import UnsupportedError
from scratch.layers import symbolic
from scratch.layers.base.calls import HasCalls
from scratch.layers.base.config import HasConfig
from scratch.layers.base.masks import HasMasks
from scratch.layers.base.precision import HasPrecision
from scratch.layers.base.weights import LayerWeights


class Layer(HasConfig, HasPrecision, HasMasks, HasCalls, LayerWeights):
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

    # Whether each sample's output depends on that sample alone and nothing is drawn or counted, so
    # that a batch may be split over threads. Every class says so itself: it is not inherited.
    sample_by_sample = False
    # The same of a layer that only in training draws, counts or looks at the whole batch.
    sample_by_sample_at_inference = False
    # Whether the layer takes a list of inputs; its `backward` then returns a list of gradients.
    merges = False
    # In which form it hands out several outputs, a `Structure`; None for a single one.
    outputs_as: Any = None
    # Whether Keras calls it on its inputs as arguments of their own, not on a list of them.
    calls_apart = False
    # Whether its `activation`, if it has one, is the last thing it does.
    has_inner_activation = True
    # Whether it may stand inside a wrapper although it draws.
    random_inside = False
    # Likewise although it looks at the whole batch and counts.
    counting_inside = False
    # Whether Keras's layer of that name takes itself to be in training where nothing is said.
    called_in_training = False

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
        self._take_settings(settings)

    def build(self, input_shape: tuple | list) -> None:
        """Make the weights for inputs of `input_shape`, (None, ...) with None for the batch.

        Raises:
            ValueError: if no output can have that input's shape.
        """
        shape = input_shape if self.merges else tuple(input_shape)
        self.output_shape = self.whole_output_shape(shape)
        self.input_shape = list(map(tuple, shape)) if self.merges else shape

    def compute_output_shape(self, input_shape: tuple | list) -> tuple:
        """The output's shape for inputs of such a shape; None for the batch stays None."""
        return tuple(input_shape)

    def whole_output_shape(self, input_shape: tuple | list) -> tuple:
        """The shape of what `forward` gives: of several outputs, (batch, numbers), all of them side
        by side."""
        made = self.compute_output_shape(input_shape)
        if not isinstance(made, list):
            return made
        sizes = [shape[1:] for shape in made]
        return (made[0][0], sum(math.prod(each) for each in sizes))

    def one_output(self, place: int) -> "Layer":
        """Of several outputs: the layer that takes the one at that place out of all."""
        raise NotImplementedError

    def __call__(self, inputs, training: bool = False):
        """On symbolic tensors: the next one of a graph, for `scratch.Model`. On a batch: `forward`.

        A layer that merges takes a list. Weights that a batch finds missing are made for it.

        Raises:
            ValueError: for inputs of a shape that the layer cannot take.
        """
        if symbolic.is_symbolic(inputs):
            return symbolic.call(self, inputs, training)
        x, shape = self._as_batch(inputs)
        if not self.built:
            self.build(shape)
        if not self.fits(shape):
            raise ValueError(f"{self} is built for inputs {self.input_shape}. Received: {shape}")
        return low_precision.forward(self, x, training)

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

    def give_noise(self, noise: np.ndarray | None) -> None:
        """Use these numbers in training instead of drawing new ones, until given None.

        Two networks that share their noise can be compared although they are random.
        """
        self._given_noise = noise

    @property
    def built(self) -> bool:
        """Whether the layer knows its inputs' shape and has its weights."""
        return self.input_shape is not None

    def _require_weights(self, action: str) -> None:
        if not self.built:
            raise ValueError(f"{self} must be built before {action}: call build(input_shape), or "
                             "the layer itself on a batch.")

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

    def __str__(self):
        return f"{type(self).__name__} {self.name!r}" if self.name else type(self).__name__

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"
