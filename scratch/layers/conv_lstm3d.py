"""Convolutional LSTM of volumes; what it shares with the others is in `conv_lstm.py`."""

from scratch.layers.conv3d import Conv3D
from scratch.layers.conv_lstm import ConvLSTM


class ConvLSTM3D(ConvLSTM):
    """An LSTM whose products are convolutions, of volumes: each step is one, (D, H, W, C).

    Weights: kernel (planes, rows, columns, C, 4 filters), recurrent_kernel (planes, rows, columns,
    filters, 4 filters), bias (4 filters,), each for i, f, g, o in
    this order.

    Args:
        filters: how many channels a state has.
        kernel_size: of both kernels, (planes, rows, columns) or one number for all.
        strides, padding, dilation_rate: of the convolution of the inputs, see `Conv3D`; that of
            the states has strides and dilation 1 and padding 'same'.
        data_format: 'channels_last', the default, or 'channels_first'.
        activation, recurrent_activation, unit_forget_bias: see `LSTM`.
        use_bias, return_sequences, go_backwards, unroll, zero_output_for_mask: see `Recurrent`.
        kernel_initializer, recurrent_initializer, bias_initializer: see `Recurrent`.
        kernel_regularizer, recurrent_regularizer, bias_regularizer: see `Recurrent`.
        kernel_constraint, recurrent_constraint, bias_constraint: see `Recurrent`.
        dropout, recurrent_dropout: 0; no other is supported.
        return_state, stateful, seed: see `Recurrent`.
        name, trainable, dtype, activity_regularizer: see `Layer`.

    Input shape:
        (batch, steps, D, H, W, C); with channels_first (batch, steps, C, D, H, W).

    Output shape:
        (batch, steps, OD, OH, OW, filters), or (batch, OD, OH, OW, filters) without
        return_sequences; with channels_first the filters stand before OD.

    Raises:
        ValueError: for arguments outside their range or that exclude each other, inputs of another
            rank, or volumes smaller than the kernel.
        UnsupportedError: for the settings that are not supported, and for masks.

    Example:
        >>> layer = scratch.ConvLSTM3D(2, (1, 3, 2))
        >>> layer(np.ones((4, 5, 3, 6, 5, 1))).shape
        (4, 3, 4, 4, 2)
    """

    rank = 3
    convolution = Conv3D
    sample_by_sample = True
