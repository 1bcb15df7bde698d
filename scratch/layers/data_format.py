"""Where the channels stand: behind the image, as all layers here compute, or before it.

`channels_last` is (batch, rows, columns, channels), `channels_first` (batch, channels, rows,
columns); with one spatial axis or three likewise. A layer turns its input to channels_last where it
comes in, its output back where it leaves, and likewise its gradients. What is handed on are views:
nothing is copied.
"""

import numpy as np

# the spatial axes by their number
AXES = {1: ("steps",), 2: ("height", "width"), 3: ("depth", "height", "width")}


def data_format_name(value, owner) -> str:
    """'channels_last' (also for None, Keras's default) or 'channels_first', in any case."""
    name = "channels_last" if value is None else str(value).lower()
    if name not in ("channels_last", "channels_first"):
        raise ValueError(f"{owner}: expected data_format to be 'channels_last' or "
                         f"'channels_first'. Received: data_format={value!r}")
    return name


def to_channels_last(x: np.ndarray, data_format: str) -> np.ndarray:
    """(batch, C, ...) -> (batch, ..., C), a view; x itself if it is channels_last already."""
    # (N, C, H, W) -> (N, H, W, C)
    return x if data_format == "channels_last" else x.transpose(0, *range(2, x.ndim), 1)


def from_channels_last(y: np.ndarray, data_format: str) -> np.ndarray:
    """(batch, ..., C) -> (batch, C, ...), a view; y itself if it is to stay channels_last."""
    # (N, H, W, C) -> (N, C, H, W)
    return y if data_format == "channels_last" else y.transpose(0, -1, *range(1, y.ndim - 1))


def shape_to_channels_last(shape, data_format: str) -> tuple:
    """What `to_channels_last` makes of an array's shape."""
    shape = tuple(shape)
    return shape if data_format == "channels_last" else (shape[0], *shape[2:], shape[1])


def shape_from_channels_last(shape, data_format: str) -> tuple:
    """What `from_channels_last` makes of an array's shape."""
    shape = tuple(shape)
    return shape if data_format == "channels_last" else (shape[0], shape[-1], *shape[1:-1])


def sizes_and_channels(input_shape, rank: int, data_format: str, owner) -> tuple[int, ...]:
    """(H, W, C) of a batch of images, (L, C) of sequences (rank 1); all of them must be known.

    Raises:
        ValueError: for a shape of another rank, or with an unknown size.
    """
    input_shape = tuple(input_shape)
    if len(input_shape) != rank + 2:
        axes = shape_from_channels_last(("batch", *AXES[rank], "channels"), data_format)
        raise ValueError(f"{owner}: expected inputs of shape ({', '.join(axes)}). "
                         f"Received: input_shape={input_shape}")
    if None in input_shape[1:]:
        raise ValueError(f"{owner}: expected all sizes but the batch's to be known. "
                         f"Received: input_shape={input_shape}")
    return shape_to_channels_last(input_shape, data_format)[1:]
