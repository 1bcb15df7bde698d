"""Layers of several inputs, joined element by element: sums, products, largest values.

Inputs of different shapes are broadcast as in Keras: axes are put in behind the batch until all
have the same number of them, and an axis of length 1 is repeated. On the way back, what was
repeated adds up.
"""

import numpy as np

from scratch.layers.base import Layer


class Elementwise(Layer):
    """Base of the layers that join their inputs two at a time, from the first to the last.

    Raises:
        ValueError: for anything but a list of inputs, or shapes that do not go together.
    """

    merges = True

    def compute_output_shape(self, input_shapes):
        shapes = shapes_of(input_shapes, self)
        rank = max(map(len, shapes))
        batch, *output = shapes[0][:1] + (1,) * (rank - 1)
        for shape in shapes:
            batch = shape[0] if batch is None else batch
            if shape[0] not in (None, batch):
                raise ValueError(f"{self}: expected inputs of one batch size. Received: {shapes}")
            padded = (1,) * (rank - len(shape)) + shape[1:]
            if any(a != b and 1 not in (a, b) for a, b in zip(output, padded)):
                raise ValueError(f"{self}: expected inputs whose shapes are equal, or 1 along an "
                                 f"axis. Received: {shapes}")
            output = [b if a == 1 else a for a, b in zip(output, padded)]
        return (batch, *output)

    def combine(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Two inputs joined, broadcast against each other."""
        raise NotImplementedError

    def combine_backward(self, dy, a, b) -> tuple[np.ndarray, np.ndarray]:
        """Gradients with respect to a and b, of dy's shape."""
        raise NotImplementedError

    def forward(self, x, training=False):
        self._shapes = [array.shape for array in x]
        rank = max(array.ndim for array in x)
        # (N, a, b) -> (N, 1, ..., a, b)
        aligned = [with_rank(array, rank) for array in x]
        y, self._pairs = aligned[0], []
        for array in aligned[1:]:
            self._pairs.append((y, array))
            y = self.combine(y, array)
        return y

    def backward(self, dy, wants_input_gradient=True):
        if not wants_input_gradient:
            return None
        gradients = []
        for a, b in reversed(self._pairs):
            # the shape of dy -> those of a and of b
            da, db = self.combine_backward(dy, a, b)
            gradients.append(summed_to(db, b.shape))
            dy = summed_to(da, a.shape)
        gradients.append(dy)
        # (N, 1, ..., a, b) -> (N, a, b)
        return [gradient.reshape(shape)
                for gradient, shape in zip(reversed(gradients), self._shapes)]


class Add(Elementwise):
    """a + b + ..., element by element.

    Args:
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        A list of (batch, ...), whose sizes along each axis are equal or 1; inputs of fewer axes get
        axes of length 1 behind the batch.

    Output shape:
        That of the inputs, broadcast against each other.

    Raises:
        ValueError: for anything but a list of inputs, or shapes that do not go together.

    Example:
        >>> scratch.Add()([[[1.0, 2.0]], [[10.0, 20.0]], [[0.5, 0.5]]]).tolist()
        [[11.5, 22.5]]
        >>> scratch.Add()([np.zeros((4, 3, 5)), np.zeros((4, 5))]).shape
        (4, 3, 5)
    """

    takes_low_precision = True
    sample_by_sample = True

    def combine(self, a, b):
        return a + b

    def combine_backward(self, dy, a, b):
        return dy, dy


class Average(Add):
    """(a + b + ...) / number of inputs, element by element.

    Args:
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        A list of (batch, ...), whose sizes along each axis are equal or 1; inputs of fewer axes get
        axes of length 1 behind the batch.

    Output shape:
        That of the inputs, broadcast against each other.

    Raises:
        ValueError: for anything but a list of inputs, or shapes that do not go together.

    Example:
        >>> scratch.Average()([[[1.0, 2.0]], [[3.0, 6.0]]]).tolist()
        [[2.0, 4.0]]
    """

    takes_low_precision = True
    sample_by_sample = True

    def forward(self, x, training=False):
        return super().forward(x, training) / len(x)

    def backward(self, dy, wants_input_gradient=True):
        return super().backward(dy / len(self._shapes), wants_input_gradient)


class Subtract(Elementwise):
    """a - b, element by element, of exactly two inputs.

    Args:
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        A list of two (batch, ...), whose sizes along each axis are equal or 1; an input of fewer
        axes gets axes of length 1 behind the batch.

    Output shape:
        That of the inputs, broadcast against each other.

    Raises:
        ValueError: for anything but a list of two inputs, or shapes that do not go together.

    Example:
        >>> scratch.Subtract()([[[1.0, 2.0]], [[3.0, 6.0]]]).tolist()
        [[-2.0, -4.0]]
    """

    takes_low_precision = True
    sample_by_sample = True

    def compute_output_shape(self, input_shapes):
        if len(shapes_of(input_shapes, self)) != 2:
            raise ValueError(f"{self}: expected exactly 2 inputs. Received: {input_shapes}")
        return super().compute_output_shape(input_shapes)

    def combine(self, a, b):
        return a - b

    def combine_backward(self, dy, a, b):
        return dy, -dy


class Multiply(Elementwise):
    """a * b * ..., element by element.

    Of inputs that come with masks Keras computes something else, see `scratch.merged_masks`.

    Args:
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        A list of (batch, ...), whose sizes along each axis are equal or 1; inputs of fewer axes get
        axes of length 1 behind the batch.

    Output shape:
        That of the inputs, broadcast against each other.

    Raises:
        ValueError: for anything but a list of inputs, or shapes that do not go together.

    Example:
        >>> scratch.Multiply()([[[1.0, 2.0]], [[3.0, 6.0]]]).tolist()
        [[3.0, 12.0]]
    """

    takes_low_precision = True
    sample_by_sample = True

    def combine(self, a, b):
        return a * b

    def combine_backward(self, dy, a, b):
        return dy * b, dy * a


class Maximum(Elementwise):
    """The largest of the inputs, element by element.

    Of inputs that come with masks Keras computes something else, see `scratch.merged_masks`.

    Where several inputs are the largest, the first of them gets the whole gradient.

    Args:
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        A list of (batch, ...), whose sizes along each axis are equal or 1; inputs of fewer axes get
        axes of length 1 behind the batch.

    Output shape:
        That of the inputs, broadcast against each other.

    Raises:
        ValueError: for anything but a list of inputs, or shapes that do not go together.

    Example:
        >>> layer = scratch.Maximum()
        >>> layer([[[1.0, 5.0, 7.0]], [[3.0, 2.0, 7.0]]]).tolist()
        [[3.0, 5.0, 7.0]]
        >>> [dx.tolist() for dx in layer.backward(np.ones((1, 3)))]
        [[[0.0, 1.0, 1.0]], [[1.0, 0.0, 0.0]]]
    """

    takes_low_precision = True
    sample_by_sample = True

    def combine(self, a, b):
        return np.maximum(a, b)

    def combine_backward(self, dy, a, b):
        return dy * (a >= b), dy * ~(a >= b)


class Minimum(Elementwise):
    """The smallest of the inputs, element by element.

    Of inputs that come with masks Keras computes something else, see `scratch.merged_masks`.

    Where several inputs are the smallest, the first of them gets the whole gradient.

    Args:
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        A list of (batch, ...), whose sizes along each axis are equal or 1; inputs of fewer axes get
        axes of length 1 behind the batch.

    Output shape:
        That of the inputs, broadcast against each other.

    Raises:
        ValueError: for anything but a list of inputs, or shapes that do not go together.

    Example:
        >>> layer = scratch.Minimum()
        >>> layer([[[1.0, 5.0, 7.0]], [[3.0, 2.0, 7.0]]]).tolist()
        [[1.0, 2.0, 7.0]]
        >>> [dx.tolist() for dx in layer.backward(np.ones((1, 3)))]
        [[[1.0, 0.0, 1.0]], [[0.0, 1.0, 0.0]]]
    """

    takes_low_precision = True
    sample_by_sample = True

    def combine(self, a, b):
        return np.minimum(a, b)

    def combine_backward(self, dy, a, b):
        return dy * (a <= b), dy * ~(a <= b)


def shapes_of(input_shapes, owner) -> list[tuple]:
    """The shapes of a layer's inputs, once it is sure that they are a list of at least one.

    Raises:
        ValueError: if they are not.
    """
    several = isinstance(input_shapes, (list, tuple)) and len(input_shapes) > 0
    if not several or not all(isinstance(s, (list, tuple)) and s for s in input_shapes):
        raise ValueError(f"{owner}: expected a list of inputs of shapes (batch, ...). "
                         f"Received: input_shape={input_shapes}")
    return [tuple(shape) for shape in input_shapes]


def with_rank(x: np.ndarray, rank: int) -> np.ndarray:
    """x with axes of length 1 behind the batch: (N, a, b) -> (N, 1, ..., a, b)."""
    return x if x.ndim == rank else np.expand_dims(x, tuple(range(1, 1 + rank - x.ndim)))


def summed_to(gradient: np.ndarray, shape: tuple) -> np.ndarray:
    """The gradient summed over the axes along which an input of `shape` was repeated."""
    repeated = tuple(i for i, n in enumerate(shape) if n == 1 and gradient.shape[i] != 1)
    # (N, a, b) -> (N, 1, b), where an input was repeated along a
    return gradient.sum(axis=repeated, keepdims=True) if repeated else gradient
