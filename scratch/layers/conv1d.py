"""One-dimensional convolution: that of an image one pixel wide."""

from scratch.layers.conv2d import Conv2D


class Conv1D(Conv2D):
    """Slides kernels over sequences, one for each filter. A kernel is not flipped.

    Weights: kernel (k, C / groups, filters), bias (filters,).

    Args:
        filters: how many kernels, and channels of the output.
        kernel_size: k, the steps of the kernel.
        strides: steps from one window to the next.
        padding: 'valid' for none; 'same' for so many zeros at both ends that the output has
            ceil(L / strides) steps; 'causal' for as many, all in front: an output sees its own step
            and earlier ones only.
        data_format: 'channels_last', the default, or 'channels_first'.
        dilation_rate: distance between the steps that a window covers; above 1 it excludes strides
            above 1.
        groups: into how many parts channels and filters are divided; each part of the filters sees
            its part of the channels.
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
        (batch, OL, filters); with channels_first (batch, filters, OL). With padding 'valid',
        OL = (L - (k - 1) dilation_rate - 1) // strides + 1; else OL = ceil(L / strides).

    Raises:
        ValueError: for arguments outside their range or that exclude each other, channels that
            cannot be grouped, or a sequence shorter than the kernel.
        UnsupportedError: for a constraint that is not Keras's own.

    Example:
        >>> x = np.array([1.0, 2.0, 4.0, 8.0]).reshape(1, 4, 1)
        >>> scratch.Conv1D(1, 2, kernel_initializer="ones")(x).ravel().tolist()
        [3.0, 6.0, 12.0]
        >>> scratch.Conv1D(1, 2, padding="causal", kernel_initializer="ones")(x).ravel().tolist()
        [1.0, 3.0, 6.0, 12.0]
    """

    takes_low_precision = True
    sample_by_sample = True
    rank = 1
    paddings = ("valid", "same", "causal")
