"""Three-dimensional convolution; its products are in `volume_lowering.py`."""

from scratch.layers.conv2d import Conv2D


class Conv3D(Conv2D):
    """Slides kernels over volumes, one for each filter. A kernel is not flipped.

    Weights: kernel (planes, rows, columns, C / groups, filters), bias (filters,).

    Args:
        filters: how many kernels, and channels of the output.
        kernel_size: (planes, rows, columns) of the kernel, or one number for all.
        strides: (planes, rows, columns) from one window to the next, or one number for all.
        padding: 'valid' for none; 'same' for zeros around the volume, as many as give the output
            shape below.
        data_format: 'channels_last', the default, or 'channels_first'.
        dilation_rate: distance between the voxels that a window covers, as (planes, rows, columns)
            or one number; above 1 it excludes strides above 1.
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
        (batch, D, H, W, C); with channels_first (batch, C, D, H, W).

    Output shape:
        (batch, OD, OH, OW, filters); with channels_first (batch, filters, OD, OH, OW).
        With padding 'valid', OD = (D - (planes - 1) dilation - 1) // stride + 1, and OH and OW
        likewise; with 'same', OD = ceil(D / stride).

    Raises:
        ValueError: for arguments outside their range or that exclude each other, channels that
            cannot be grouped, or a volume smaller than the kernel.
        UnsupportedError: for a constraint that is not Keras's own.

    Example:
        >>> layer = scratch.Conv3D(1, (2, 1, 2), kernel_initializer="ones")
        >>> layer(np.arange(8.0).reshape(1, 2, 2, 2, 1))[0, ..., 0].tolist()  # sums of 4 voxels
        [[[10.0], [18.0]]]
        >>> scratch.Conv3D(6, 3, strides=(1, 2, 2), padding="same")(np.ones((4, 5, 8, 7, 1))).shape
        (4, 5, 4, 4, 6)
    """

    sample_by_sample = True
    rank = 3
