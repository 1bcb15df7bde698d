"""Separable convolution of sequences: that of an image one pixel wide."""

from scratch.layers.separable_conv2d import SeparableConv2D


class SeparableConv1D(SeparableConv2D):
    """A depthwise convolution of sequences, then one of single steps that mixes the channels.

    Weights: depthwise_kernel (k, C, M), pointwise_kernel (1, C M, filters), bias (filters,), M
    being the multiplier. Strides and dilation are those of the first convolution.

    Args:
        filters: how many channels the output has.
        kernel_size: k, the steps of the kernel.
        strides: steps from one window to the next.
        padding: 'valid' for none; 'same' for so many zeros at both ends that the output has
            ceil(L / strides) steps.
        data_format: 'channels_last', the default, or 'channels_first'.
        dilation_rate: distance between the steps that a window covers.
        depth_multiplier: M, how many kernels each channel has in the first convolution.
        activation: the name of an activation, an `activations.Activation`, or the config of a
            layer that is one; None for none.
        use_bias: whether a bias is added.
        depthwise_initializer, pointwise_initializer, bias_initializer: how the first weights are
            drawn, a name or an object of `scratch.initializers`.
        depthwise_regularizer, pointwise_regularizer, bias_regularizer: penalties on the weights, a
            name or an object of `scratch.regularizers`; None for none.
        depthwise_constraint, pointwise_constraint, bias_constraint: what keeps the
            weights in bounds, a name or an object of `scratch.constraints`; None for none.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, L, C); with channels_first (batch, C, L).

    Output shape:
        (batch, OL, filters); with channels_first (batch, filters, OL). With padding 'valid',
        OL = (L - (k - 1) dilation_rate - 1) // strides + 1; with 'same', OL = ceil(L / strides).

    Raises:
        ValueError: for arguments outside their range, or a sequence shorter than the kernel.
        UnsupportedError: for a constraint that is not Keras's own.

    Example:
        >>> layer = scratch.SeparableConv1D(1, 2, depthwise_initializer="ones",
        ...                                 pointwise_initializer="ones")
        >>> layer(np.array([[[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]])).tolist()
        [[[33.0], [55.0]]]
    """

    sample_by_sample = True
    rank = 1
