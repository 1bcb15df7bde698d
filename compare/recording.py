"""Records a trace: one batch through a network, forward, backward and one optimizer step.

The network is left as it was: its weights, its optimizer's state and its config do not change.
"""

import json

import numpy as np

import scratch
from compare import passes, progress
from compare.configs import compile_config
from compare.steps import is_scratch
from compare.trace import Part, Trace


def record(model, x, y=None, *, upstream=None, sample_weight=None, noise=None,
           whole=frozenset()) -> Trace:
    """What the model computes on the batch (x, y).

    Args:
        model: a built scratch model, a Keras model of one input and one output, or a Trace,
            returned as it is.
        x: (batch, ...).
        y: labels for the loss the model was compiled with.
        upstream: instead of y, the gradient with respect to the output, for a model without loss.
        sample_weight: of the losses, as `fit` takes it.
        noise: by a layer's position, what a random layer uses instead of drawing numbers.
        whole: positions of Keras layers not to be taken apart from their inner activation.

    Raises:
        ValueError: for NaN or infinity in x, an empty batch, neither or both of y and upstream,
            labels or weights of samples that do not fit, or y with a model that is not compiled.
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
    if sample_weight is not None:
        sample_weight = check_sample_weight(sample_weight, y, len(x))
    recorded = _record_scratch if is_scratch(model) else _record_keras
    return recorded(model, x, y, upstream, sample_weight, noise or {}, whole)


def require_network(model) -> None:
    """Raises a TypeError for what is neither a model nor a Trace."""
    if not is_scratch(model) and not isinstance(model, Trace) and not is_keras(model):
        raise TypeError("Expected a scratch.Sequential, a keras.Sequential or a Trace, or a "
                        f"functional model of either. Received: {type(model).__name__}")


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


def check_labels(twin, samples: int, y, sample_weight) -> None:
    """That there is a label for each output of a Keras model, and a class for each label.

    Raises:
        ValueError: as scratch's losses do. Keras may raise something else, or nothing.
    """
    import reference

    try:
        loss = scratch.losses.get(plain(reference.compile_config(twin))["loss"])
    except ValueError:  # a loss that scratch does not have
        return
    targets = loss.checked(y, (samples, *twin.output_shape[1:]), np.float32)
    if sample_weight is not None:
        loss.weigh(targets, sample_weight, np.float32)


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


def check_sample_weight(sample_weight, y, batch: int) -> np.ndarray:
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


@progress.during("Running the candidate")
def _record_scratch(model, x, y, upstream, sample_weight, noise, whole) -> Trace:
    x = model.as_input(x)
    if y is not None and model.loss is None:
        raise ValueError("Expected a compiled model, as there are labels. Received one without a "
                         "loss: call model.compile(optimizer=..., loss=...)")
    pass_ = passes.forward(model, x, noise)
    loss = loss_gradient = None
    fused = y is not None and passes.is_fused(model, y, pass_.parts[-1].output.shape)
    gradient = upstream
    if y is not None:
        loss, loss_gradient = passes.loss(model, pass_, y, fused, sample_weight)
        gradient = loss_gradient
    passes.backward(model, pass_, np.asarray(gradient, model.dtype), fused, y is not None)
    if y is not None:
        passes.update(model, pass_.parts)
    return Trace(f"scratch on numpy {np.__version__}", model.dtype.name,
                 plain(model.get_config()), plain(compile_config(model)), np.array(x),
                 None if y is None else np.array(y), loss, loss_gradient, fused, pass_.parts,
                 [step.sources for step in pass_.steps], _weights(sample_weight, model.dtype),
                 passes.inference(model, pass_, x))


@progress.during("Running Keras")
def _record_keras(model, x, y, upstream, sample_weight, noise, whole) -> Trace:
    import reference

    if y is not None and not getattr(model, "compiled", False):
        raise ValueError("Expected a compiled Keras model, as there are labels. Received one "
                         "without a loss: call compile, or reference.compile_model")
    check_shape(model, x)
    if y is not None:
        check_labels(model, len(x), y, sample_weight)
    dtype = np.dtype(reference.model_dtype(model))
    observed = reference.observe(model, x, y, upstream, whole, noise, sample_weight)
    parts = [Part(**vars(part)) for part in observed.parts]
    return Trace(reference.versions(), dtype.name, plain(model.get_config()),
                 plain(reference.compile_config(model)) if y is not None else {},
                 np.asarray(x, dtype), None if y is None else np.array(y),
                 None if observed.loss is None else dtype.type(observed.loss),
                 observed.loss_gradient, observed.fused, parts, observed.sources,
                 _weights(sample_weight, dtype), observed.inference)


def _weights(sample_weight, dtype):
    return None if sample_weight is None else np.array(sample_weight, dtype)


def plain(config: dict) -> dict:
    """A config as JSON has it: tuples become lists."""
    return json.loads(json.dumps(config))
