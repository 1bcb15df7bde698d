"""A dense layer between any axes of its input and output, as an einsum says them."""

import numbers

from scratch import activations, einsum
from scratch.layers.affine import AffineLayer


class EinsumDense(AffineLayer):
    """activation(einsum(equation, x, kernel) + bias).

    Weights: kernel, with the sizes that the equation gives its axes; bias, with those of
    `bias_axes` and 1 along the others from the first of them on.

    Args:
        equation: such as 'abc,cd->abd' or '...x,xy->...y': the axes of the input, of the kernel and
            of the output. The first one of input and output is the batch.
        output_shape: the sizes of the output's axes that the equation names, without the batch;
            one number for a single one; None for a size that is the input's.
        activation: the name of an activation, an `activations.Activation`, or the config of a
            layer that is one; None for none.
        bias_axes: the letters of the output's axes along which the bias varies; None for no bias.
        kernel_initializer, bias_initializer: how the first weights are drawn, a name or an object
            of `scratch.initializers`.
        kernel_regularizer, bias_regularizer: penalties on the weights, a name or an object of
            `scratch.regularizers`; None for none.
        kernel_constraint, bias_constraint: None; no other is supported.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, ...), with the axes of the equation.

    Output shape:
        (batch, ...), likewise.

    Raises:
        ValueError: for an equation of another form, or sizes that do not go together.
        UnsupportedError: for constraints, quantization or adapters (LoRA).

    Example:
        >>> layer = scratch.EinsumDense("abc,cd->abd", (None, 2), bias_axes="d")
        >>> layer.build((None, 3, 4))
        >>> layer.kernel.shape, layer.bias.shape, layer.output_shape
        ((4, 2), (2,), (None, 3, 2))
    """

    sample_by_sample = True
    takes_low_precision = True

    def __init__(self, equation, output_shape, activation=None, bias_axes=None, **kwargs):
        super().__init__(activations.get(activation), bias_axes is not None, **kwargs)
        self.equation, self.bias_axes = equation, bias_axes
        sizes = [output_shape] if isinstance(output_shape, numbers.Integral) else output_shape
        if not isinstance(sizes, (list, tuple)) or any(
                size is not None and (isinstance(size, bool) or size < 1
                                      or not isinstance(size, numbers.Integral))
                for size in sizes):
            raise ValueError(f"{self}: expected output_shape to be positive integers or None. "
                             f"Received: output_shape={output_shape!r}")
        self.partial_output_shape = tuple(sizes)

    def _read(self, input_shape) -> tuple[einsum.Letters, dict]:
        """(the letters, the size of each)."""
        try:
            found = einsum.letters(self.equation, len(input_shape))
            sizes = einsum.sizes(found, tuple(input_shape), self.partial_output_shape)
        except ValueError as error:
            raise ValueError(f"{self}: {error}") from None
        if found.input[0] != found.output[0] or found.input[0] in found.kernel:
            raise ValueError(f"{self}: expected the batch first in input and output, and not in "
                             f"the kernel. Received: equation={self.equation!r}")
        unknown = [letter for letter in found.kernel if sizes.get(letter) is None]
        if unknown:
            raise ValueError(f"{self}: expected the size of every axis of the kernel to be known. "
                             f"Received: equation={self.equation!r}, in which {unknown[0]!r} is "
                             f"open for input_shape={tuple(input_shape)}")
        strange = [letter for letter in self.bias_axes or ""
                   if letter not in found.output or letter in found.elided]
        if strange:
            raise ValueError(f"{self}: expected bias_axes to be axes of the output. "
                             f"Received: bias_axes={self.bias_axes!r}")
        return found, sizes

    def compute_output_shape(self, input_shape):
        found, sizes = self._read(input_shape)
        return tuple(sizes[letter] for letter in found.output)

    def build(self, input_shape):
        super().build(input_shape)
        self._letters, sizes = self._read(input_shape)
        kernel, output = self._letters.kernel, self._letters.output
        self.add_weight("kernel", tuple(sizes[letter] for letter in kernel), self._drawn())
        if not self.use_bias:
            return
        behind = output[min(map(output.index, self.bias_axes)):]
        shape = tuple(sizes[letter] if letter in self.bias_axes else 1 for letter in behind)
        self.add_weight("bias", shape, self.initializers["bias"])
        # along these the bias is the same: its gradient is summed
        padded = (1,) * (len(output) - len(shape)) + shape
        self._shared = tuple(i for i, n in enumerate(padded) if n == 1)

    def _drawn(self):
        """How the kernel is drawn: in proportion to the numbers that meet along its axes."""
        rule = self.initializers["kernel"]
        if "input_axes" not in rule.defaults or None not in (
                rule.config["input_axes"], rule.config["output_axes"]):
            return rule
        axes: dict[bool, list[int]] = {True: [], False: []}
        for i, letter in enumerate(self._letters.kernel):
            axes[letter in self._letters.output].append(i)
        return type(rule)(**{**rule.config, "input_axes": axes[False], "output_axes": axes[True]})

    def affine(self, x):
        self._x = x
        # 'abc,cd->abd': (N, b, c), (c, d) -> (N, b, d)
        z = self._letters.product(x, self.kernel)
        return z + self.bias if self.use_bias else z

    def affine_backward(self, dz, wants_input_gradient):
        # 'abc,cd->abd': (N, b, c), (N, b, d) -> (c, d)
        self.grads["kernel"] = self._letters.kernel_gradient(self._x, dz)
        if self.use_bias:
            # (N, b, d) -> (1, 1, d) -> (d,)
            total = dz.sum(axis=self._shared, keepdims=True)
            self.grads["bias"] = total.reshape(self.bias.shape)
        if not wants_input_gradient:
            return None
        # 'abc,cd->abd': (N, b, d), (c, d) -> (N, b, c)
        return self._letters.input_gradient(dz, self.kernel, self._x.shape)

    def get_config(self):
        config = {**super().get_config(), "equation": self.equation,
                  "output_shape": self.partial_output_shape, "bias_axes": self.bias_axes}
        del config["use_bias"]
        return {"activity_regularizer": None, **config}
