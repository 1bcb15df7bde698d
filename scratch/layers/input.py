"""The shape of what a model is fed."""

from scratch import precision
from scratch.errors import UnsupportedError
from scratch.layers.symbolic import SymbolicTensor
from scratch.suggestions import with_suggestions

WHOLE = ("int32", "int64")


class Input(SymbolicTensor):
    """Says that a model's inputs have `shape`, the batch not counted. Holds no computation.

    It is put first in a `Sequential`, or layers are called on it to make a graph for a `Model`.
    Keras's InputLayer.

    Args:
        shape: of a sample, positive integers, such as (28, 28, 1); None for a size that each batch
            says anew.
        batch_size: written down and binding nothing, as in Keras, which writes one down itself when
            a model without an Input meets its first batch.
        dtype: the precision of what is fed to the model, such as 'float32'; None to leave it to the
            model, or 'int32' or 'int64' for class numbers, which say nothing of it: the
            model is handed them in its own precision.
        name: given by the model where None.
        batch_shape: (batch_size, *shape), in place of the two.
        sparse, ragged, optional: false; no other is supported.

    Input shape:
        None: it makes the first tensor.

    Output shape:
        (batch, *shape).

    Raises:
        ValueError: for a shape that is missing or not made of positive integers and None.
        UnsupportedError: for sparse, ragged or optional inputs.

    Example:
        >>> x = scratch.Input((28, 28, 1))
        >>> y = scratch.Conv2D(6, 5)(x)
        >>> y.shape
        (None, 24, 24, 6)
        >>> scratch.Model(x, scratch.Flatten()(y)).output_shape
        (None, 3456)
    """

    @with_suggestions
    def __init__(self, shape=None, batch_size=None, dtype=None, name=None, batch_shape=None,
                 sparse=None, ragged=None, optional=False):
        if batch_shape is not None:
            batch_size, *shape = batch_shape
        if shape is None or not all(n is None or isinstance(n, int) and n > 0 for n in shape):
            raise ValueError("Input: expected shape to be a tuple of positive integers or None, "
                             f"without the batch. Received: shape={shape!r}")
        for setting, value in (("sparse", sparse), ("ragged", ragged), ("optional", optional)):
            if value:
                raise UnsupportedError(f"Input {name!r} does not support {setting}={value!r}.")
        super().__init__(None, (), (batch_size, *shape))
        self.name = name
        self.whole = dtype if dtype in WHOLE else None
        given = None if self.whole else dtype
        self.requested_policy = None if given is None else precision.get(given, "Input")

    @property
    def batch_shape(self) -> tuple:
        """(batch size or None, ...), under Keras's name."""
        return self.shape

    @property
    def requested_dtype(self):
        """The dtype of the arrays asked for; None where that is left to the model."""
        return None if self.requested_policy is None else self.requested_policy.held

    def get_config(self) -> dict:
        """Constructor arguments, as Keras's InputLayer gives them, without the dtype."""
        return {"batch_shape": self.batch_shape, "sparse": False, "ragged": False,
                "name": self.name, "optional": False}

    def __str__(self):
        return f"Input {self.name!r}" if self.name else "Input"

    def __repr__(self):
        return f"<Input name={self.name}, shape={self.shape}>"
