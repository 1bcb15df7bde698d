"""What is handed over with a network, tried before anything runs: batch, labels, gradients."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

import scratch
from compare.tracing.carried_states import stateful_layers
from compare.tracing.configs import plain
from compare.tracing.loss_terms import form_of
from compare.tracing.model_kinds import is_scratch
from compare.tracing.types import Network
from scratch.losses import JointLoss
from scratch.several import Several, each, mapped


def check_batch(x: Any) -> Any:
    """x as an array, once it is sure that it holds at least one sample and only finite numbers;
    several inputs each so, and of as many samples."""
    if isinstance(x, Several):
        if any(array is None for array in x.arrays):
            missing = [k + 1 for k, array in enumerate(x.arrays) if array is None]
            raise ValueError(f"Expected an array for each input. Received none for {missing}")
        x = mapped(check_batch, x)
        if len({len(array) for array in x.arrays}) > 1:
            raise ValueError("Expected inputs of as many samples each. Received: "
                             f"{', '.join(str(len(array)) for array in x.arrays)}")
        return x
    x = np.asarray(x)
    if x.ndim == 0 or len(x) == 0:
        raise ValueError("Expected a batch of at least one sample. "
                         f"Received an array of shape {x.shape}")
    if x.dtype.kind == "f" and not np.isfinite(x).all():
        first = tuple(int(i) for i in np.argwhere(~np.isfinite(x))[0])
        raise ValueError(f"Expected finite inputs. Received: {x[first]} at index {first}, and "
                         f"{int((~np.isfinite(x)).sum())} such values in all")
    return x


def check_precision(x: Any, dtype: DTypeLike) -> Any:
    """A finite batch in a network's precision, once it is sure that it is finite there, too."""
    if isinstance(x, Several):
        return mapped(check_precision, x, dtype)
    with np.errstate(over="ignore"):
        held = np.asarray(x, dtype)
    if not np.isfinite(held).all():
        first = tuple(int(i) for i in np.argwhere(~np.isfinite(held))[0])
        raise ValueError(f"Expected inputs that {np.dtype(dtype).name} can hold. Received: "
                         f"{x[first]} at index {first}")
    return held


def check_shape(twin: Network, x: Any) -> None:
    """That a batch fits a Keras model, which would otherwise name the first layer that objects."""
    for array, expected in zip(each(x), each_shape(twin, "inputs")):
        if array.ndim != len(expected) or any(n not in (None, m)
                                              for n, m in zip(expected[1:], array.shape[1:])):
            raise ValueError(f"Expected inputs of shape {expected}. Received: {array.shape}")


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


def check_labels(twin: Network, x: Any, y: Any, sample_weight: Any) -> None:
    """That there is a label for each output of a Keras model, and a class for each label.

    Args:
        x: the batch.

    Raises:
        ValueError: as scratch's losses do. Keras may raise something else, or nothing.
    """
    import reference

    settings = plain(reference.compile_config(twin))
    form = form_of(plain(twin.get_config())) if isinstance(y, Several) else None
    try:
        loss: Any = scratch.losses.get(settings["loss"]) if form is None else JointLoss(
            settings["loss"], settings.get("loss_weights"), *form, f"Model {twin.name!r}")
    except scratch.UnsupportedError:  # a loss that scratch does not have
        return
    shapes = output_shapes(twin, x)
    targets = loss.checked(y, shapes[0] if form is None else shapes, np.float32)
    if sample_weight is not None:
        loss.weigh(targets, sample_weight, np.float32)


def check_upstream(upstream: Any, model: Network, x: Any) -> Any:
    """An upstream gradient as an array, once it is sure that it is finite and fits the output.

    Args:
        x: the batch.
    """
    shapes = output_shapes(model, x)
    if isinstance(upstream, Several):
        return Several([None if array is None else _checked_gradient(array, shape)
                        for array, shape in zip(upstream.arrays, shapes, strict=True)])
    return _checked_gradient(upstream, shapes[0])


def _checked_gradient(upstream: ArrayLike, expected: tuple[int, ...]) -> np.ndarray:
    upstream = np.asarray(upstream)
    if upstream.shape != expected:
        raise ValueError(f"Expected an upstream gradient of the output's shape {expected}. "
                         f"Received: {upstream.shape}")
    if not np.isfinite(upstream).all():
        raise ValueError("Expected an upstream gradient of finite numbers. Received: "
                         f"{int((~np.isfinite(upstream)).sum())} that are not")
    return upstream


def output_shapes(model: Network, x: Any) -> list[tuple[int, ...]]:
    """Of a model's outputs, (batch, ...), for a batch of inputs."""
    shapes = each_shape(model, "outputs")
    if any(None in shape[1:] for shape in shapes):
        given = [tuple(array.shape) for array in each(x)]
        made = model.compute_output_shape(given if isinstance(x, Several) else given[0])
        made = list(made.values()) if isinstance(made, dict) else made
        shapes = list(map(tuple, made)) if isinstance(made, list) else [tuple(made)]
    return [(len(x), *shape[1:]) for shape in shapes]


def require_single(model: Network, beside: str) -> None:
    """Raises a ValueError for a model of several inputs or outputs, beside which a network of
    another kind, `beside`, cannot stand."""
    if model.inputs_as is not None or model.outputs_as is not None:
        raise ValueError(
            f"Expected a Keras model of one input and one output beside a {beside}. Received one "
            f"of {len(each_shape(model, 'inputs'))} and {len(model.ends)}: hold what its layers "
            "put out against it, compare.check_outputs(keras_model, x, {layer: array})")


def each_shape(model: Network, what: str) -> list[tuple[Any, ...]]:
    """The shapes of a model's 'inputs' or 'outputs', in its own order."""
    if is_scratch(model):
        shapes = getattr(model, f"{what[:-1]}_shape")
        return list(shapes) if isinstance(shapes, list) else [shapes]
    return [tuple(tensor.shape) for tensor in getattr(model, what)]


def check_sample_weight(sample_weight: Any, y: Any, batch: int) -> Any:
    """Weights of samples as an array, once it is sure that they are finite and one for each; none
    for one of several outputs that has no loss, as Keras reads none there."""
    if isinstance(sample_weight, Several):
        given = zip(each(sample_weight), each(y), strict=True)
        return Several([None if weight is None or labels is None else
                        check_sample_weight(weight, labels, batch) for weight, labels in given])
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


def check_batch_size(model: Network, size: int) -> None:
    """Raises a ValueError for a batch that is not of the one size that layers with states that go
    on from batch to batch are built for."""
    for layer in stateful_layers(model.layers):
        if layer.batch_size not in (None, size):
            raise ValueError(f"Expected a batch of {layer.batch_size} samples, as the states of "
                             f"layer {layer.name!r} go on from batch to batch. Received: {size}")
