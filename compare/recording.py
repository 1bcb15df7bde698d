"""Records a trace: one batch through a network, forward, backward and one optimizer step.

The network is left as it was: its weights, its optimizer's state and its config do not change.
"""

import copy
import json

import numpy as np

import scratch
from compare.steps import LayerError, compile_config, is_fused, steps_of
from compare.trace import Part, Trace


def record(model, x, y=None, *, upstream=None, whole=frozenset()) -> Trace:
    """What the model computes on the batch (x, y).

    Args:
        model: a built `scratch.Sequential`, a `keras.Sequential`, or a Trace, returned as it is.
        x: (batch, ...).
        y: labels for the loss the model was compiled with.
        upstream: instead of y, the gradient with respect to the output, for a model without loss.
        whole: positions of Keras layers not to be taken apart from their inner activation.

    Raises:
        ValueError: for NaN or infinity in x, an empty batch, neither or both of y and upstream,
            labels that do not fit, or y with a model that is not compiled.
        TypeError: for a model of another kind.
    """
    require_network(model)
    if isinstance(model, Trace):
        return model
    x = check_batch(x)
    if upstream is not None:
        upstream = check_upstream(upstream, model, len(x))
    if (y is None) == (upstream is None):
        raise ValueError("Expected either labels y or an upstream gradient. Received: "
                         + ("neither" if y is None else "both"))
    if isinstance(model, scratch.Sequential):
        return _record_scratch(model, x, y, upstream)
    return _record_keras(model, x, y, upstream, whole)


def require_network(model) -> None:
    """Raises a TypeError for what is neither a model nor a Trace."""
    if not isinstance(model, (scratch.Sequential, Trace)) and not is_keras(model):
        raise TypeError("Expected a scratch.Sequential, a keras.Sequential or a Trace. "
                        f"Received: {type(model).__name__}")


def is_keras(model) -> bool:
    """Whether this is a Keras model, told without importing Keras."""
    return any(cls.__module__.split(".")[0] == "keras" for cls in type(model).__mro__)


def check_batch(x) -> np.ndarray:
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


def check_shape(twin, x) -> None:
    """That a batch fits a Keras model, which would otherwise name the first layer that objects."""
    expected = twin.input_shape
    if x.ndim != len(expected) or any(n not in (None, m)
                                      for n, m in zip(expected[1:], x.shape[1:])):
        raise ValueError(f"Expected inputs of shape {expected}. Received: {x.shape}")


def check_labels(twin, samples: int, y) -> None:
    """That there is a label for each output of a Keras model, and a class for each label.

    Raises:
        ValueError: as scratch's losses do. Keras may raise something else, or nothing.
    """
    try:
        loss = scratch.losses.get(plain(twin.get_compile_config())["loss"])
    except ValueError:  # a loss that scratch does not have
        return
    loss.targets(y, np.empty((samples, *twin.output_shape[1:])))


def check_upstream(upstream, model, batch: int) -> np.ndarray:
    """An upstream gradient as an array, once it is sure that it is finite and fits the output."""
    upstream = np.asarray(upstream)
    expected = (batch, *model.output_shape[1:])
    if upstream.shape != expected:
        raise ValueError(f"Expected an upstream gradient of the output's shape {expected}. "
                         f"Received: {upstream.shape}")
    if not np.isfinite(upstream).all():
        raise ValueError("Expected an upstream gradient of finite numbers. Received: "
                         f"{int((~np.isfinite(upstream)).sum())} that are not")
    return upstream


def _record_scratch(model, x, y, upstream) -> Trace:
    x = model.as_input(x)
    if y is not None and model.loss is None:
        raise ValueError("Expected a compiled model, as there are labels. Received one without a "
                         "loss: call model.compile(optimizer=..., loss=...)")
    steps = steps_of(model)
    parts = []
    value = x
    for step in steps:
        output = step.run(value).output
        parts.append(Part(step.name, step.part, step.class_name, np.array(value),
                          np.array(output), weights=_copied(step.weights)))
        value = output
    model.forward(x)
    fused = y is not None and is_fused(model)
    loss = loss_gradient = None
    gradient = upstream
    if y is not None:
        loss_function = copy.deepcopy(model.loss)
        loss_input = parts[-1].input if fused else parts[-1].output
        loss = loss_function.forward(y, loss_input, from_logits=fused or None)
        gradient = loss_gradient = np.array(loss_function.backward())
    gradient = np.asarray(gradient, model.dtype)
    learning = {layer.name for layer in model.layers if layer.trainable and model.trainable}
    for step, part in reversed(list(zip(steps, parts))[: -1 if fused else None]):
        result = step.run(part.input, gradient)
        part.output_gradient = np.array(gradient)
        if result.input_gradient is None:
            raise LayerError(f"Layer {part.layer!r}: expected a gradient of its input, which the "
                             "layer before it needs. Received: None")
        part.input_gradient = np.array(result.input_gradient)
        if part.layer in learning:  # Keras has no gradients for weights that stay as they are
            part.weight_gradients = _copied(result.weight_gradients)
        gradient = result.input_gradient
    if y is not None:
        _update_scratch(model, parts)
    return Trace(f"scratch on numpy {np.__version__}", model.dtype.name,
                 plain(model.get_config()), plain(compile_config(model)), np.array(x),
                 None if y is None else np.array(y), loss, loss_gradient, fused, parts)


def _update_scratch(model, parts) -> None:
    """Fill in the weights after one step of a fresh optimizer with the model's settings."""
    learning = [(part, name) for part in parts for name, gradient in part.weight_gradients.items()
                if gradient.shape == np.shape(part.weights.get(name))]  # or else a row says so
    variables = [part.weights[name].copy() for part, name in learning]
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    optimizer.apply([part.weight_gradients[name] for part, name in learning], variables)
    for (part, name), variable in zip(learning, variables):
        part.updated[name] = variable


def _record_keras(model, x, y, upstream, whole) -> Trace:
    import reference

    if y is not None and not getattr(model, "compiled", False):
        raise ValueError("Expected a compiled Keras model, as there are labels. Received one "
                         "without a loss: call compile, or reference.compile_model")
    check_shape(model, x)
    if y is not None:
        check_labels(model, len(x), y)
    dtype = np.dtype(reference.model_dtype(model))
    observed = reference.observe(model, x, y, upstream, whole)
    parts = [Part(**vars(part)) for part in observed.parts]
    fused = y is not None and parts[-1].output_gradient is None
    loss_gradient = None
    if y is not None:
        loss_gradient = parts[-1].input_gradient if fused else parts[-1].output_gradient
        if fused:
            parts[-1].input_gradient = None
    return Trace(reference.versions(), dtype.name, plain(model.get_config()),
                 plain(model.get_compile_config()) if y is not None else {},
                 np.asarray(x, dtype), None if y is None else np.array(y),
                 None if observed.loss is None else dtype.type(observed.loss), loss_gradient,
                 fused, parts)


def plain(config: dict) -> dict:
    """A config as JSON has it: tuples become lists."""
    return json.loads(json.dumps(config))


def _copied(arrays: dict) -> dict:
    return {name: np.array(array) for name, array in arrays.items()}
