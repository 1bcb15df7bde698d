"""Convolutional LSTM of sequences; what it shares with the others is in `conv_lstm.py`."""

from scratch.layers.conv1d import Conv1D
from scratch.layers.conv_lstm import ConvLSTM


class ConvLSTM1D(ConvLSTM):
    """An LSTM whose products are convolutions, of sequences: each step is one, (L, C).

    Weights: kernel (k, C, 4 filters), recurrent_kernel (k, filters, 4 filters),
    bias (4 filters,), each for i, f, g, o in
    this order.

    Args:
        filters: how many channels a state has.
        kernel_size: of both kernels, k.
        strides, padding, dilation_rate: of the convolution of the inputs, see `Conv1D`; that of
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
        (batch, steps, L, C); with channels_first (batch, steps, C, L).

    Output shape:
        (batch, steps, OL, filters), or (batch, OL, filters) without return_sequences; with
        channels_first the filters stand before OL.

    Raises:
        ValueError: for arguments outside their range or that exclude each other, inputs of another
            rank, or sequences smaller than the kernel.
        UnsupportedError: for the settings that are not supported, and for masks.

    Example:
        >>> layer = scratch.ConvLSTM1D(2, 3, padding="same", return_sequences=True)
        >>> layer(np.ones((4, 5, 8, 1))).shape
        (4, 5, 8, 2)
    """

    rank = 1
    convolution = Conv1D
    sample_by_sample = True
