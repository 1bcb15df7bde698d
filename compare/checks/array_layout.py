"""Arrays whose axes lie otherwise than in Keras, turned as Keras has them."""

import numpy as np

from compare.checks.row import distance
from compare.tracing.trace import Part

FORMATS = ("channels_first", "channels_last")


def as_in_keras(array: np.ndarray, part: Part, expected: np.ndarray, data_format: str | None = None,
                turned_before: bool = False) -> tuple[np.ndarray, str]:
    """(the array in Keras's order of axes, how it was turned or '').

    Where its shape allows several orders, the one that comes nearest to what is expected.

    Args:
        part: the layer whose output it is.
        expected: what that should be, as Keras lays it out.
        data_format: how the array lies; None if it is not known.
        turned_before: whether the layer's input was turned, so that it may be flattened in another
            order, too.

    Raises:
        ValueError: if its shape is none that the output can have.
    """
    shape = expected.shape
    ways = [("", array)] if data_format != "channels_first" or len(shape) < 3 else []
    if len(shape) > 2 and array.ndim == len(shape) and data_format != "channels_last":
        ways += [("channels first, turned to channels last", np.moveaxis(array, 1, -1)),
                 ("channels last, turned to channels first", np.moveaxis(array, -1, 1))]
    image = part.inputs[0].shape
    if (part.class_name == "Flatten" and len(image) > 3 and array.shape == shape
            and (turned_before or data_format == "channels_first")):
        by_channel = array.reshape(len(array), image[-1], *image[1:-1])
        ways.append(("flattened channel by channel, turned to pixel by pixel",
                     np.moveaxis(by_channel, 1, -1).reshape(shape)))
    fitting = [(said, turned) for said, turned in ways if turned.shape == shape]
    if not fitting:
        other = (shape[0], shape[-1], *shape[1:-1])
        also = f", or channels first in {other}" * (len(shape) > 2 and other != shape)
        raise ValueError(f"Expected the output of {part.layer!r} in shape {shape}{also}. "
                         f"Received: {array.shape}")
    if len(fitting) == 1:
        return fitting[0][1], fitting[0][0]
    right = expected.astype(np.float64)
    said, turned = min(fitting, key=lambda way: float(
        distance(way[1].astype(np.float64), right).max(initial=0.0)))
    return turned, said
