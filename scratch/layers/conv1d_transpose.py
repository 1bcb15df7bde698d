"""Transposed convolution of sequences: that of an image one pixel wide."""

from scratch.layers.conv2d_transpose import Conv2DTranspose


class Conv1DTranspose(Conv2DTranspose):
    """Each step adds its multiple of a kernel to the output: the way back of a convolution.

    It computes what a convolution of `filters` channels to C, from OL steps to L, does to
    gradients. Strides of that convolution make the output longer.

    Weights: kernel (k, filters, C), bias (filters,).

    Args:
        filters: how many channels the output has.
        kernel_size: k, the steps of the kernel.
        strides: by how many steps neighbouring steps' kernels lie apart in the output.
        padding: 'valid' for the whole of the kernels' sum; 'same' for the L * strides steps in its
            middle.
        output_padding: added to the shortest output that strides leave open, less than the strides;
            None for Keras's choice.
        data_format: 'channels_last', the default, or 'channels_first'.
        dilation_rate: distance between the steps that a window covers; above 1 it excludes strides
            above 1.
        activation: the name of an activation, an `activations.Activation`, or the config of a
            layer that is one; None for none.
        use_bias: whether a bias is added.
        kernel_initializer, bias_initializer: how the first weights are drawn, a name or an object
            of `scratch.initializers`.
        kernel_regularizer, bias_regularizer: penalties on the weights, a name or an object of
            `scratch.regularizers`; None for none.
        kernel_constraint, bias_constraint: what keeps the weights in bounds, a name or an object of
            `scratch.constraints`; None for none.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, L, C); with channels_first (batch, C, L).

    Output shape:
        (batch, OL, filters); with channels_first (batch, filters, OL). Without output_padding
        OL = L * strides with padding 'same', and with 'valid'
        OL = (L - 1) strides + max((k - 1) dilation_rate + 1, strides).

    Raises:
        ValueError: for arguments outside their range or that exclude each other, or an output
            from which no such convolution leads back.
        UnsupportedError: for a constraint that is not Keras's own.

    Example:
        >>> layer = scratch.Conv1DTranspose(1, 3, strides=2, kernel_initializer="ones")
        >>> layer(np.array([1.0, 2.0]).reshape(1, 2, 1)).ravel().tolist()
        [1.0, 1.0, 3.0, 2.0, 2.0]
    """

    sample_by_sample = True
    rank = 1
