"""What is handed over with a network, tried before anything runs: batch, labels, gradients."""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

import scratch
from compare.tracing.configs import plain
from compare.tracing.types import Network


def check_batch(x: ArrayLike) -> np.ndarray:
    """x as an array, once it is sure that it holds at least one sample and only finite numbers."""
    x = np.asarray(x)
    if x.ndim == 0 or len(x) == 0:
        raise ValueError("Expected a batch of at least one sample. "
                         f"Received an array of shape {x.shape}")
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        first = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
        raise ValueError(f"Expected finite inputs. Received: {x[first]} at index {first}, and "
                         f"{int((~np.isfinite(x)).sum())} such values in all")
    return x


def check_precision(x: np.ndarray, dtype: DTypeLike) -> np.ndarray:
    """A finite batch in a network's precision, once it is sure that it is finite there, too."""
    with np.errstate(over="ignore"):
        held = np.asarray(x, dtype)
    if not np.isfinite(held).all():
        first = tuple(int(i) for i in np.argwhere(~np.isfinite(held))[0])
        raise ValueError(f"Expected inputs that {np.dtype(dtype).name} can hold. Received: "
                         f"{x[first]} at index {first}")
    return held


def check_shape(twin: Network, x: np.ndarray) -> None:
    """That a batch fits a Keras model, which would otherwise name the first layer that objects."""
    expected = twin.input_shape
    if x.ndim != len(expected) or any(n not in (None, m)
                                      for n, m in zip(expected[1:], x.shape[1:])):
        raise ValueError(f"Expected inputs of shape {expected}. Received: {x.shape}")


def check_alone(**given: object) -> None:
    """That a batch comes without labels and gradients, where only the forward pass is run."""
    named = [name for name, value in given.items() if value is not None]
    if named:
        raise ValueError("Expected x alone, as only the forward pass is run, outside of training. "
                         f"Received besides: {', '.join(named)}")


def check_trace_alone(*given: object) -> None:
    """That no batch comes with a recorded trace, which has its own."""
    if any(each is not None for each in given):
        raise ValueError("Expected no batch with a trace, which brings its own. "
                         "Received one besides")


def check_labels(twin: Network, shape: tuple[int, ...], y: np.ndarray,
                 sample_weight: ArrayLike | None) -> None:
    """That there is a label for each output of a Keras model, and a class for each label.

    Args:
        shape: of the batch.

    Raises:
        ValueError: as scratch's losses do. Keras may raise something else, or nothing.
    """
    import reference

    try:
        loss = scratch.losses.get(plain(reference.compile_config(twin))["loss"])
    except ValueError:  # a loss that scratch does not have
        return
    targets = loss.checked(y, (shape[0], *output_shape(twin, shape)[1:]), np.float32)
    if sample_weight is not None:
        loss.weigh(targets, sample_weight, np.float32)


def check_upstream(upstream: ArrayLike, model: Network, shape: tuple[int, ...]) -> np.ndarray:
    """An upstream gradient as an array, once it is sure that it is finite and fits the output.

    Args:
        shape: of the batch.
    """
    upstream = np.asarray(upstream)
    expected = (shape[0], *output_shape(model, shape)[1:])
    if upstream.shape != expected:
        raise ValueError(f"Expected an upstream gradient of the output's shape {expected}. "
                         f"Received: {upstream.shape}")
    if not np.isfinite(upstream).all():
        raise ValueError("Expected an upstream gradient of finite numbers. Received: "
                         f"{int((~np.isfinite(upstream)).sum())} that are not")
    return upstream


def output_shape(model: Network, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Of a model's output, (batch, ...), for inputs of that shape."""
    if None in model.output_shape[1:]:
        return tuple(model.compute_output_shape(shape))
    return tuple(model.output_shape)


def check_sample_weight(sample_weight: ArrayLike, y: object, batch: int) -> np.ndarray:
    """Weights of samples as an array, once it is sure that they are finite and one for each."""
    weight = np.asarray(sample_weight, np.float64)
    if y is None:
        raise ValueError("Expected no sample_weight with an upstream gradient, as there is no loss "
                         "to be weighted. Received one")
    if weight.ndim == 0 or len(weight) != batch:
        raise ValueError(f"Expected sample_weight for a batch of {batch}. "
                         f"Received an array of shape {weight.shape}")
    if not np.isfinite(weight).all():
        raise ValueError("Expected sample_weight to be finite numbers. Received: "
                         f"{int((~np.isfinite(weight)).sum())} that are not")
    return weight
