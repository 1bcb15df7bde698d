"""Batches taken apart into samples, and put together again, as an object wants them."""

import numpy as np


def sample(how, batch: np.ndarray, i: int) -> np.ndarray:
    """One sample of a batch: without a batch axis, or with one of length 1. A copy."""
    one = np.take(batch, [i], axis=how.batch_axis)
    return np.squeeze(one, axis=how.batch_axis) if how.batched is False else one


def together(how, samples: list) -> np.ndarray:
    """A batch of samples, each as `sample` gives them."""
    if how.batched is False:
        return np.stack(samples, axis=how.batch_axis)
    return np.concatenate(samples, axis=how.batch_axis)


def own_shape(how, boundary, shape: tuple) -> tuple:
    """The shape in which an object has what is of `shape` in Keras, one sample if it takes those.
    """
    if how.batched is True:
        return boundary.own_shape(shape)
    one = list(boundary.own_shape((1, *shape[1:])))
    if how.batched is False:
        del one[how.batch_axis]
    return tuple(one)


def shaped(how, what: str, result: np.ndarray, shape: tuple) -> np.ndarray:
    """A result, once it is sure that it has the shape it has to have.

    Of single samples axes of length 1 do not count.

    Raises:
        ValueError: for another shape, told in the object's own order of axes.
    """
    if result.shape == shape:
        return result
    if how.batched is not True and result.size == np.prod(shape) and \
            [n for n in result.shape if n != 1] == [n for n in shape if n != 1]:
        return result.reshape(shape)
    order = "" if how.data_format is None else f", {how.data_format}"
    one = "" if how.batched is True else " for one sample"
    more = "; an object that pads or flattens, too, stands for two layers: compare.wrap(..., " \
        "layers=2)" if what == "output" and how.layers is None and how.obj is not None else ""
    if what == "output" and how.obj is None and result.shape[1:] == shape[1:]:
        more = "; a layer takes batches of any size: arrays that were recorded are judged by " \
            "compare.check_outputs(keras_model, x, {'layer': array})"
    raise ValueError(f"expected an {what} of shape {tuple(map(int, shape))}{one}{order}. "
                     f"Received: {result.shape}{getattr(how.obj, 'differs', '')}{more}")
