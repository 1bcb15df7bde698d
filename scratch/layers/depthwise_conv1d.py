"""Depthwise convolution of sequences: that of an image one pixel wide."""

from scratch.layers.depthwise_conv2d import DepthwiseConv2D


class DepthwiseConv1D(DepthwiseConv2D):
    """Slides kernels over each channel of sequences by itself. A kernel is not flipped.

    Channel c becomes the channels c M to c M + M - 1, M being the multiplier.

    Weights: kernel (k, C, M), bias (C M,).

    Args:
        kernel_size: k, the steps of the kernel.
        strides: steps from one window to the next.
        padding: 'valid' for none; 'same' for so many zeros at both ends that the output has
            ceil(L / strides) steps.
        depth_multiplier: M, how many kernels each channel has.
        data_format: 'channels_last', the default, or 'channels_first'.
        dilation_rate: distance between the steps that a window covers.
        activation: the name of an activation, an `activations.Activation`, or the config of a
            layer that is one; None for none.
        use_bias: whether a bias is added.
        depthwise_initializer, bias_initializer: how the first weights are drawn, a name or an
            object of `scratch.initializers`.
        depthwise_regularizer, bias_regularizer: penalties on the weights, a name or an object of
            `scratch.regularizers`; None for none.
        depthwise_constraint, bias_constraint: what keeps the
            weights in bounds, a name or an object of `scratch.constraints`; None for none.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, L, C); with channels_first (batch, C, L).

    Output shape:
        (batch, OL, C M); with channels_first (batch, C M, OL). With padding 'valid',
        OL = (L - (k - 1) dilation_rate - 1) // strides + 1; with 'same', OL = ceil(L / strides).

    Raises:
        ValueError: for arguments outside their range, or a sequence shorter than the kernel.
        UnsupportedError: for a constraint that is not Keras's own.

    Example:
        >>> layer = scratch.DepthwiseConv1D(2, depthwise_initializer="ones")
        >>> layer(np.array([[[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]])).tolist()
        [[[3.0, 30.0], [5.0, 50.0]]]
    """

    sample_by_sample = True
    rank = 1
