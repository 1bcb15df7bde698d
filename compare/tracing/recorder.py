"""Records a trace: one batch through a network, forward, backward and one optimizer step.

The network is left as it was: its weights, its optimizer's state and its config do not change.
"""


from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from compare.document import progress
from compare.tracing import execution
from compare.tracing.carried_states import from_zeros
from compare.tracing.configs import compile_config, plain
from compare.tracing.global_state import leaving_no_trace
from compare.tracing.grouping import as_several, as_tuple, inputs_of, outputs_of, weights_of
from compare.tracing.hidden_settings import require_described
from compare.tracing.known_settings import understood
from compare.tracing.model_kinds import is_scratch, require_network
from compare.tracing.trace import Part, Trace
from compare.tracing.types import Network, Noise
from compare.tracing.validation import (
    check_alone,
    check_batch,
    check_batch_size,
    check_labels,
    check_precision,
    check_sample_weight,
    check_shape,
    check_upstream,
)
from scratch.precision import as_fed
from scratch.several import Several, mapped


@leaving_no_trace
def record(model: Network, x: Any, y: Any = None, *, upstream: Any = None,
           sample_weight: Any = None, noise: Noise | None = None,
           whole: Collection[int] = frozenset(), gradients: bool = True,
           shared: bool = False) -> Trace:
    """What the model computes on the batch (x, y).

    Args:
        model: a built scratch model, a Keras model that is a graph of layers, or a Trace, returned
            as it is.
        x: (batch, ...); of several inputs a list or a dictionary as the model takes them, and
            likewise y, upstream and sample_weight of several outputs.
        y: labels for the loss the model was compiled with.
        upstream: instead of y, the gradient with respect to the output, for a model without loss.
        sample_weight: of the losses, as `fit` takes it.
        noise: by a layer's position, what a random layer uses instead of drawing numbers.
        whole: positions of Keras layers not to be taken apart from their inner activation.
        gradients: False for the forward pass alone, outside of training, of x alone.
        shared: whether a Keras model's weights, their gradients and the weights after the step may
            be TensorFlow's own memory: arrays that are not to be written to, for who has no room
            for copies.

    Raises:
        ValueError: for NaN or infinity in x, an empty batch, neither or both of y and upstream
            (either of them without gradients), labels or weights of samples that do not fit, or y
            with a model that is not compiled.
        TypeError: for a model of another kind.
    """
    require_network(model)
    if isinstance(model, Trace):
        return model
    x = check_batch(inputs_of(model, x))
    y, upstream = outputs_of(model, y), outputs_of(model, upstream)
    sample_weight = weights_of(model, sample_weight)
    if not gradients:
        check_alone(y=y, upstream=upstream, sample_weight=sample_weight)
        return (_scratch_at_inference(model, x) if is_scratch(model)
                else _keras_at_inference(model, x, whole))
    if upstream is not None:
        upstream = check_upstream(upstream, model, x)
    if (y is None) == (upstream is None):
        raise ValueError("Expected either labels y or an upstream gradient. Received: "
                         + ("neither: for the forward pass alone give gradients=False"
                            if y is None else "both"))
    if sample_weight is not None:
        sample_weight = check_sample_weight(sample_weight, y, len(x))
    if y is not None:
        require_described(model)
    if not is_scratch(model):
        return _record_keras(model, x, y, upstream, sample_weight, noise or {}, whole, shared)
    with from_zeros(model):
        return _record_scratch(model, x, y, upstream, sample_weight, noise or {})


@progress.during("Running the candidate")
def _record_scratch(model: Network, x: Any, y: Any, upstream: Any, sample_weight: Any,
                    noise: Noise) -> Trace:
    x = model.as_input(check_precision(x, model.dtype))
    check_batch_size(model, len(x))
    if y is not None and model.loss is None:
        raise ValueError("Expected a compiled model, as there are labels. Received one without a "
                         "loss: call model.compile(optimizer=..., loss=...)")
    run = execution.forward(model, x, noise)
    loss = None
    terms: tuple[Any, ...] = ()
    loss_gradient = upstream if isinstance(upstream, Several) else None
    fused = execution.is_fused(model, y, run.outputs) if y is not None else False
    gradient = upstream
    if y is not None:
        loss, loss_gradient, terms = execution.loss(model, run, y, fused, sample_weight)
        gradient = loss_gradient
    execution.backward(model, run, mapped(np.asarray, gradient, model.dtype), fused, y is not None)
    if y is not None:
        execution.update(model, run.parts)
    return Trace(f"scratch on numpy {np.__version__}", model.dtype.name,
                 plain(model.get_config()), plain(compile_config(model)), mapped(np.array, x),
                 mapped(np.array, y), loss, loss_gradient, fused, run.parts,
                 [op.sources for op in run.ops], _weights(sample_weight, model.dtype),
                 execution.inference(model, run, x), ends=run.ends, terms=terms)


@progress.during("Running Keras")
def _record_keras(model: Network, x: Any, y: Any, upstream: Any, sample_weight: Any, noise: Noise,
                  whole: Collection[int], shared: bool) -> Trace:
    import reference

    if y is not None and not getattr(model, "compiled", False):
        raise ValueError("Expected a compiled Keras model, as there are labels. Received one "
                         "without a loss: call compile, or reference.compile_model")
    check_shape(model, x)
    if y is not None:
        check_labels(model, x, y, sample_weight)
        model = reference.losing_nothing(model, understood(reference.compile_config(model))[0])
    dtype = np.dtype(reference.model_dtype(model))
    x = _as_fed(model, check_precision(x, dtype))
    observed = reference.observe(model, as_tuple(x), as_tuple(y), as_tuple(upstream), whole, noise,
                                 as_tuple(sample_weight), shared)
    parts = [Part(**vars(part)) for part in observed.parts]
    return Trace(reference.versions(), dtype.name, plain(reference.config_of(model)),
                 plain(reference.compile_config(model)) if y is not None else {},
                 x, mapped(np.array, y),
                 None if observed.loss is None else dtype.type(observed.loss),
                 upstream if isinstance(upstream, Several) else as_several(observed.loss_gradient),
                 observed.fused, parts, observed.sources, _weights(sample_weight, dtype),
                 as_several(observed.inference), ends=observed.ends, terms=observed.terms)


@progress.during("Running the candidate")
def _scratch_at_inference(model: Network, x: Any) -> Trace:
    x = model.as_input(check_precision(x, model.dtype))
    run = execution.forward(model, x, {}, training=False)
    return Trace(f"scratch on numpy {np.__version__}", model.dtype.name, plain(model.get_config()),
                 {}, mapped(np.array, x), None, None, None, False, run.parts,
                 [op.sources for op in run.ops], training=False, ends=run.ends)


@progress.during("Running Keras")
def _keras_at_inference(model: Network, x: Any, whole: Collection[int]) -> Trace:
    import reference

    check_shape(model, x)
    dtype = np.dtype(reference.model_dtype(model))
    x = _as_fed(model, check_precision(x, dtype))
    observed = reference.observe_inference(model, as_tuple(x), whole)
    return Trace(reference.versions(), dtype.name, plain(reference.config_of(model)), {}, x, None,
                 None, None, False, [Part(**vars(part)) for part in observed.parts],
                 observed.sources, training=False, ends=observed.ends)


def _as_fed(model: Network, x: Any) -> Any:
    """A batch as a Keras model takes it, which rounds it to the precision of its `Input`."""
    precisions = [tensor.dtype for tensor in model.inputs]
    return mapped(as_fed, x, Several(precisions) if isinstance(x, Several) else precisions[0])


def _weights(sample_weight: Any, dtype: DTypeLike) -> Any:
    return mapped(np.array, sample_weight, dtype)
