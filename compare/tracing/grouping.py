"""A batch as its owner hands it over, made one that every room can cut and copy: `Several` where a
network has several inputs or outputs."""

from typing import Any, NamedTuple

import numpy as np

from compare.tracing.model_kinds import is_scratch
from compare.tracing.types import Network
from scratch.several import Several, Structure, each, grouped, mapped


class Forms(NamedTuple):
    """In which form a network has its inputs and its outputs, None for a single one, and their
    names."""

    inputs: Structure | None
    input_names: list[str]
    outputs: Structure | None
    output_names: list[str]


def forms_of(model: Network) -> Forms:
    """Those of a scratch model or a Keras model."""
    if is_scratch(model):
        return Forms(model.inputs_as, model.input_names, model.outputs_as,
                     model.output_names if model.outputs_as is not None else [])
    owner = f"Model {model.name!r}"
    inputs = _form(getattr(model, "_inputs_struct", None), "input", owner)
    outputs = _form(getattr(model, "_outputs_struct", None), "output", owner)
    return Forms(inputs, [tensor.name for tensor in model.inputs] if inputs else [],
                 outputs, list(model.output_names) if outputs else [])


def _form(struct: Any, what: str, owner: str) -> Structure | None:
    several = isinstance(struct, dict) or (isinstance(struct, (list, tuple)) and len(struct) > 1)
    return Structure(struct, what, owner) if several else None


def inputs_of(model: Network, x: Any) -> Any:
    """The inputs, arrays or `Several` arrays.

    Raises:
        ValueError: for another number, or other names.
    """
    forms = forms_of(model)
    return _as_arrays(grouped(x, forms.inputs, forms.input_names))


def outputs_of(model: Network, values: Any) -> Any:
    """Labels, weights of samples, or gradients of the outputs likewise; labels may be those of the
    outputs that have a loss."""
    forms = forms_of(model)
    if forms.outputs is None or values is None or isinstance(values, Several):
        return values
    if is_scratch(model) and model.loss is not None:
        return _as_arrays(model.grouped_labels(values))
    return _as_arrays(grouped(values, forms.outputs, forms.output_names))


def weights_of(model: Network, sample_weight: Any) -> Any:
    """Weights of samples: one array for all outputs, or one for each."""
    if forms_of(model).outputs is None or not isinstance(sample_weight, (list, tuple, dict)):
        return sample_weight
    return outputs_of(model, sample_weight)


def as_tuple(value: Any) -> Any:
    """`Several` arrays as the tuple that the Keras side takes, anything else as it is."""
    return value.arrays if isinstance(value, Several) else value


def as_several(value: Any) -> Any:
    """A tuple from the Keras side as `Several`."""
    return Several(value) if isinstance(value, tuple) else value


def same(a: Any, b: Any) -> bool:
    """Whether two batches, or the like, hold the same numbers."""
    ours, theirs = each(a), each(b)
    return len(ours) == len(theirs) and all(np.array_equal(*pair) for pair in zip(ours, theirs))


def _as_arrays(value: Any) -> Any:
    return mapped(np.asarray, value) if isinstance(value, Several) else value
