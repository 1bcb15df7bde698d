"""A layer whose kernel is kept at a largest singular value of 1 (Miyato et al., 2018)."""

import numpy as np

from scratch import initializers
from scratch.errors import UnsupportedError
from scratch.layers.affine import AffineLayer
from scratch.layers.arguments import positive
from scratch.layers.unit_length import unit
from scratch.layers.wrapper import Wrapper

SHORTEST = 1e-7  # keras.config.epsilon(): shorter vectors are divided by it
KERNEL, VECTOR = "kernel", "vector_u"


class SpectralNormalization(Wrapper):
    """The layer inside, whose kernel each forward pass in training divides by an estimate of its
    largest singular value.

    With the kernel as a matrix W, all axes but the last one being rows, a step of the power
    iteration is v = u W^T / |u W^T|, u = v W / |v W|. After `power_iterations` of them the kernel
    becomes W / (v W u^T), and stays so: the gradient is that with respect to the new kernel, at
    which the optimizer's step begins. The last u is where the next pass begins. A kernel of zeros
    stays. At inference the layer inside is run as it is.

    Weights: kernel and bias of the layer inside, and between them vector_u (1, last axis of the
    kernel), which no optimizer changes.

    Args:
        layer: a dense layer or a convolution, one with a weight `kernel`; see `Wrapper`. No layer
            whose activation is softmax or sigmoid, for that stands behind, as an Activation; and
            none with a kernel_regularizer.
        power_iterations: how many steps of the power iteration each pass takes.
        name, trainable, dtype, activity_regularizer: see `Layer`. Also a frozen layer's kernel is
            divided, as in Keras.

    Input shape:
        What the layer inside takes.

    Output shape:
        What the layer inside puts out.

    Raises:
        ValueError: if power_iterations is no positive integer.
        UnsupportedError: for other layers, and at a further call in a graph.

    Example:
        >>> layer = scratch.SpectralNormalization(scratch.Dense(2, use_bias=False))
        >>> layer.build((None, 2))
        >>> layer.params["kernel"][...] = [[4, 0], [0, 1]]
        >>> layer.params["vector_u"][...] = [[1, 0]]
        >>> layer([[1.0, 1.0]], training=True).tolist()  # the largest singular value is 4
        [[1.0, 0.25]]
        >>> layer([[1.0, 1.0]]).tolist()
        [[1.0, 0.25]]
    """

    sample_by_sample_at_inference = True
    non_trainable = (VECTOR,)

    def __init__(self, layer, power_iterations=1, **kwargs):
        super().__init__(layer, **kwargs)
        self.power_iterations = positive(power_iterations, "power_iterations", self)
        kind = type(self.layer).__name__
        if not isinstance(layer, AffineLayer) or KERNEL not in layer.arguments:
            raise UnsupportedError(f"{self} does not support layer={kind}. Expected a dense layer "
                                   "or a convolution, with a weight 'kernel'.")
        if layer.logits_kind is not None:
            raise UnsupportedError(
                f"{self} does not support activation={layer.activation.name!r} of the layer "
                "inside. Expected another one, and an Activation layer behind this one.")
        if KERNEL in layer.regularizers:
            raise UnsupportedError(f"{self} does not support a kernel_regularizer of the layer "
                                   "inside. Expected: None.")

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def build(self, input_shape):
        super().build(input_shape)
        self.build_inner(self.layer, input_shape)
        for kind in ("params", "initializers", "regularizers", "constraints"):
            getattr(self, kind).update(getattr(self.layer, kind))
        self.initializers[VECTOR] = initializers.TruncatedNormal(stddev=0.02)
        self.add_weight(VECTOR, (1, self.params[KERNEL].shape[-1]), self.initializers[VECTOR])
        if "bias" in self.params:
            self.params["bias"] = self.params.pop("bias")  # Keras's order: behind the vector

    @property
    def moved_by_passes(self):
        return (KERNEL, VECTOR)

    def file_groups(self):
        # Keras stores the kernel twice: it is a weight of this layer, and of the one inside
        return {"": [KERNEL, VECTOR],
                "/layer": [name for name in self.params if name != VECTOR]}

    def another_call(self, name, tied_to=None):
        if tied_to is not None:
            raise UnsupportedError(f"{self} does not support a further call: each would divide "
                                   "the kernel once more. Expected a single call.")
        return super().another_call(name)

    def normalized(self) -> tuple[np.ndarray, np.ndarray]:
        """(kernel over its estimated largest singular value, the next u)."""
        # (kh, kw, in, out) -> (kh kw in, out)
        matrix = self.params[KERNEL].reshape(-1, self.params[KERNEL].shape[-1])
        u = self.params[VECTOR]
        for _ in range(self.power_iterations):
            # (1, out) @ (out, kh kw in) -> (1, kh kw in)
            v = unit(u @ matrix.T, (0, 1), SHORTEST).values
            # (1, kh kw in) @ (kh kw in, out) -> (1, out)
            along = v @ matrix
            u = unit(along, (0, 1), SHORTEST).values
        sigma = along @ u.T
        return self.params[KERNEL] / sigma.reshape(()), u

    def forward(self, x, training=False):
        self.layer.params.update({name: self.params[name] for name in self.layer.params})
        self._before = {}
        if training and self.params[KERNEL].any():
            self._before = {name: self.params[name].copy() for name in self.moved_by_passes}
            self.overwrite(*self.normalized())
        return self.layer.forward(x, training)

    def overwrite(self, kernel: np.ndarray, u: np.ndarray) -> None:
        """Take a divided kernel, and the vector that the next pass begins with."""
        self.params[KERNEL][...] = kernel
        self.params[VECTOR][...] = u

    def backward(self, dy, wants_input_gradient=True):
        dx = self.layer.backward(dy, wants_input_gradient)
        self.grads = dict(self.layer.grads)
        return dx

    def get_config(self):
        return {**super().get_config(), "power_iterations": self.power_iterations}
