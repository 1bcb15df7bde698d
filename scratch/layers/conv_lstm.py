"""What LSTMs whose products are convolutions have in common.

Shi et al., Convolutional LSTM Network, 2015; without the peepholes, as in Keras.
"""

import numpy as np

from scratch import initializers
from scratch.errors import UnsupportedError
from scratch.layers.arguments import one_per_axis, padding_name, positive
from scratch.layers.conv2d import Conv2D
from scratch.layers.data_format import data_format_name, shape_from_channels_last
from scratch.layers.lstm import LSTM


class ConvLSTM(LSTM):
    """An LSTM of images: with * for a convolution, z_t = x_t * kernel + h_(t-1) * recurrent_kernel
    + bias in place of the products of matrices. States are images of the output's size.

    A subclass says of how many axes its images are: `rank`, and `convolution` of that rank.

    Weights: kernel (*kernel_size, C, 4 filters), recurrent_kernel (*kernel_size, filters,
    4 filters), bias (4 filters,), each for i, f, g, o in this order.

    Args:
        filters: how many channels a state has.
        kernel_size: of both kernels, a number for each axis or one for all.
        strides, padding, dilation_rate: of the convolution of the inputs, see `Conv2D`; that of
            the states has strides and dilation 1 and padding 'same'.
        data_format: 'channels_last', the default, or 'channels_first'.
        activation, recurrent_activation, use_bias, unit_forget_bias: see `LSTM`.
        dropout, recurrent_dropout: 0; no other is supported.
        return_sequences, go_backwards, unroll: see `Recurrent`.
        return_state, stateful: False; no other is supported.
        kernel_initializer, recurrent_initializer, bias_initializer: see `Recurrent`.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: see `Recurrent`.
        kernel_constraint, recurrent_constraint, bias_constraint: see `Recurrent`.
        zero_output_for_mask, seed: change nothing without a mask and a dropout.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, steps, *sizes, C); with channels_first (batch, steps, C, *sizes).

    Output shape:
        (batch, steps, *sizes of the convolution, filters), or without the steps if not
        return_sequences; with channels_first the filters stand before the sizes.

    Raises:
        ValueError: for arguments outside their range or that exclude each other, inputs of another
            rank, or images smaller than the kernel.
        UnsupportedError: for the settings that are not supported.
    """

    uses_masks = False
    sample_by_sample = True
    rank = 2
    convolution: type[Conv2D] = Conv2D
    neutral = {"kernel_constraint": (None,), "recurrent_constraint": (None,),
               "bias_constraint": (None,)}

    def __init__(self, filters, kernel_size, strides=1, padding="valid", data_format=None,
                 dilation_rate=1, **kwargs):
        super().__init__(filters, **kwargs)
        self.filters = positive(filters, "filters", self)
        for name, only in (("dropout", 0.0), ("recurrent_dropout", 0.0), ("return_state", False),
                           ("stateful", False)):
            if getattr(self, name):
                raise UnsupportedError(f"{self} does not support {name}={getattr(self, name)}. "
                                       f"Expected: {name}={only}.")
        self.kernel_size = one_per_axis(kernel_size, self.rank, "kernel_size", self)
        self.strides = one_per_axis(strides, self.rank, "strides", self)
        self.padding = padding_name(padding, self, ("valid", "same"))
        self.data_format = data_format_name(data_format, self)
        self.dilation_rate = one_per_axis(dilation_rate, self.rank, "dilation_rate", self)
        self._of_input = self._convolution(self.strides, self.padding, self.dilation_rate)
        self._of_state = self._convolution(1, "same", 1)

    def _convolution(self, strides, padding, dilation_rate) -> Conv2D:
        """One of the two convolutions, on images whose channels stand last; it works with a kernel
        of this layer."""
        return self.convolution(self.gates * self.units, self.kernel_size, strides, padding,
                                "channels_last", dilation_rate, use_bias=False, name=self.name)

    def read_states(self, count):
        raise UnsupportedError(f"{self} does not support an initial_state. Expected: none.")

    def _channels_last(self, shape) -> tuple:
        """The shape of a step's image, (batch, *sizes, C), given the input's."""
        if len(shape) != self.rank + 3:
            raise ValueError(f"{self}: expected inputs of shape (batch, steps, ...), of "
                             f"{self.rank + 3} axes. Received: input_shape={tuple(shape)}")
        step = (shape[0], *shape[2:])
        if self.data_format == "channels_first":
            step = (step[0], *step[2:], step[1])
        if None in step[1:]:
            raise ValueError(f"{self}: expected images of a size that is known. Received: "
                             f"input_shape={tuple(shape)}")
        return step

    def compute_output_shape(self, input_shape):
        *sizes, _ = self._of_input.compute_output_shape(self._channels_last(input_shape))
        image = shape_from_channels_last((*sizes, self.filters), self.data_format)
        steps = (input_shape[1],) if self.return_sequences else ()
        return (image[0], *steps, *image[1:])

    def kernel_shapes(self, input_shape):
        step = self._channels_last(input_shape)
        self._of_input.dtype = self._of_state.dtype = self.dtype
        with initializers.undrawn():
            self._of_input.build(step)
            self._of_state.build((step[0], *self.state_shape))
        return {name: part.params["kernel"].shape for name, part in self._parts().items()}

    def _parts(self) -> dict[str, Conv2D]:
        return {"kernel": self._of_input, "recurrent_kernel": self._of_state}

    def another_call(self, name, tied_to=None):
        call = super().another_call(name, tied_to)
        call._of_input, call._of_state = (part.another_call(name) for part in
                                          (self._of_input, self._of_state))
        return call

    @property
    def state_shape(self):
        return (*self._of_input.output_shape[1:-1], self.filters)

    def in_memory_order(self, name, weight):
        part = self._parts().get(name)
        return weight if part is None else part.in_memory_order("kernel", weight)

    def forward(self, x, training=False):
        for name, part in self._parts().items():
            part.params = {"kernel": self.params[name]}
        return self._turned_back(super().forward(self._turned(x), training))

    def backward(self, dy, wants_input_gradient=True):
        dx = super().backward(self._turned(dy, self.return_sequences), wants_input_gradient)
        return None if dx is None else self._turned_back(dx, True)

    def _turned(self, array, with_steps=True):
        """Channels last, (N, T, H, W, C) or without the steps: a view."""
        last = self.data_format == "channels_last"
        return array if last else np.moveaxis(array, 1 + with_steps, -1)

    def _turned_back(self, array, with_steps=None):
        """The other way round."""
        with_steps = self.return_sequences if with_steps is None else with_steps
        last = self.data_format == "channels_last"
        return array if last else np.moveaxis(array, -1, 1 + with_steps)

    def _through_kernel(self):
        x = self._read[0]
        # (N, T, H, W, C) -> (N T, H, W, C) -> (N, T, OH, OW, 4 F)
        z = self._of_input.affine(x.reshape(-1, *x.shape[2:]))
        return z.reshape(*x.shape[:2], *z.shape[1:])

    def _through_kernel_back(self, dz, wants_input_gradient):
        # (N, T, OH, OW, 4 F) -> (N T, OH, OW, 4 F) -> (N, T, H, W, C)
        dx = self._of_input.affine_backward(dz.reshape(-1, *dz.shape[2:]), wants_input_gradient)
        self.grads["kernel"] = self._of_input.grads["kernel"]
        return None if dx is None else dx.reshape(self._read[0].shape)

    def state_product(self, before, gates=None):
        return self._of_state.affine(before)

    def state_product_back(self, before, dz, gates=None):
        self._of_state.affine(before)  # as it was at that step
        before = self._of_state.affine_backward(dz, True)
        self.grads["recurrent_kernel"] += self._of_state.grads["kernel"]
        return before

    def get_config(self):
        config = {**super().get_config(), "filters": self.filters, "kernel_size": self.kernel_size,
                  "strides": self.strides, "padding": self.padding,
                  "data_format": self.data_format, "dilation_rate": self.dilation_rate}
        del config["units"]
        return config
