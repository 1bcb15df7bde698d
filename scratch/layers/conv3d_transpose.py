"""Transposed convolution of volumes."""

from scratch.layers.conv2d_transpose import Conv2DTranspose


class Conv3DTranspose(Conv2DTranspose):
    """Each voxel adds its multiple of a kernel to the output: the way back of a convolution.

    It computes what a convolution of `filters` channels to C, from (OD, OH, OW) voxels to
    (D, H, W), does to gradients. Strides of that convolution make the output larger.

    Weights: kernel (planes, rows, columns, filters, C), bias (filters,).

    Args:
        filters: how many channels the output has.
        kernel_size: (planes, rows, columns) of the kernel, or one number for all.
        strides: (planes, rows, columns) by which neighbouring voxels' kernels lie apart in the
            output, or one number for all.
        padding: 'valid' for the whole of the kernels' sum; 'same' for the D * stride by H * stride
            by W * stride voxels in its middle.
        output_padding: (planes, rows, columns) added to the smallest output that strides leave
            open, less than the strides, or one number for all; None for Keras's choice.
        data_format: 'channels_last', the default, or 'channels_first'.
        dilation_rate: distance between the voxels that a window covers, as (planes, rows, columns)
            or one number; above 1 it excludes strides above 1.
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
        (batch, D, H, W, C); with channels_first (batch, C, D, H, W).

    Output shape:
        (batch, OD, OH, OW, filters); with channels_first (batch, filters, OD, OH, OW). Without
        output_padding OD = D * stride with padding 'same', and with 'valid'
        OD = (D - 1) stride + max((planes - 1) dilation + 1, stride); OH and OW likewise.

    Raises:
        ValueError: for arguments outside their range or that exclude each other, or an output
            from which no such convolution leads back.
        UnsupportedError: for a constraint that is not Keras's own.

    Example:
        >>> layer = scratch.Conv3DTranspose(1, (1, 2, 2), strides=(1, 2, 2),
        ...                                 kernel_initializer="ones")
        >>> layer(np.array([1.0, 2.0]).reshape(1, 2, 1, 1, 1))[0, ..., 0].tolist()
        [[[1.0, 1.0], [1.0, 1.0]], [[2.0, 2.0], [2.0, 2.0]]]
    """

    sample_by_sample = True
    rank = 3
