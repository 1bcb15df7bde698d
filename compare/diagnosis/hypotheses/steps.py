"""Mistakes of a layer that is run on every step: those of the layer itself, whose samples are the
steps, and those of batch normalization, for which each step is a batch."""

from collections.abc import Callable

import numpy as np

from compare.diagnosis.computation import LayerComputation
from compare.diagnosis.hypothesis import Variant, inside
from compare.oracle.layers.time_distributed import PLAIN, TimeDistributed
from compare.oracle.running_error import Bounded
from compare.tracing.trace import WHOLE

ALL_AT_ONCE = "moments-of-all-steps"


def of_layer_inside(c, shape: tuple, of_layer: Callable) -> list[Variant]:
    """What explains the layer inside, on all steps as samples.

    Args:
        of_layer: gives the variants for a layer's computation and the shape of what was made.
    """
    if not isinstance(c.layer, TimeDistributed):
        return []
    if c.layer.mixes_samples and c.training:
        return _of_batches(c)
    by_step = c.tensor == "output" or c.tensor.startswith("input_gradient")
    inner = (shape[0] * shape[1], *shape[2:]) if by_step else shape
    return [_on_steps(variant, by_step) for variant in of_layer(_of_samples(c), inner)]


def _of_batches(c) -> list[Variant]:
    """Of batch normalization in training."""
    found = [inside(ALL_AT_ONCE, "all steps are one batch",
                    lambda c: _evaluated(c, _of_samples(c)))]
    if not c.tensor.endswith("_updated"):
        found.append(inside("moving-statistics", "the moving averages where each step's own belong",
                            lambda c: c.changed(training=False)))
    return found


def _of_samples(c) -> LayerComputation:
    """The computation of the layer inside, of which every step is a sample.

    Raises:
        ValueError: for a computation whose result comes from elsewhere already.
    """
    if c.own is not None:
        raise ValueError("Expected what the layer computes. Received: a change of its result")
    if "samples" not in c.memo:
        entry = c.config["layer"]
        part = "" if entry["config"].get("activation") in PLAIN else WHOLE
        weights = dict(c.weights)
        if "noise" in weights:
            first = np.shape(c.x[0] if isinstance(c.x, tuple) else c.x)[:2]
            noise = np.asarray(c.value(weights["noise"]))
            weights["noise"] = _merged(np.broadcast_to(noise, (*first, *noise.shape[2:])))
        c.memo["samples"] = LayerComputation(
            c.rounding, class_name=entry["class_name"], config=entry["config"], part=part,
            tensor=c.tensor, weights=weights, training=c.training, context=c.context,
            x=tuple(map(_merged, c.x)) if isinstance(c.x, tuple) else _merged(c.x),
            dy=None if c.dy is None else _merged(c.dy))
    made: LayerComputation = c.memo["samples"]
    return made


def _merged(array):
    """(batch, steps, ...) -> (batch steps, ...), of an array or a `Bounded`."""
    return array.reshape(-1, *array.shape[2:])


def _evaluated(c, samples):
    """The computation with the result of one of its samples."""
    return c.changed(own=lambda c: _apart(c, samples.evaluate()))


def _apart(c, result: Bounded) -> Bounded:
    """What was made of all samples, in the shape of the sequences again."""
    if c.tensor != "output" and not c.tensor.startswith("input_gradient"):
        return result
    first = np.shape(c.x[0] if isinstance(c.x, tuple) else c.x)[:2]
    return result.reshape(*first, *result.shape[1:])


def _on_steps(variant: Variant, by_step: bool) -> Variant:
    """A variant for the layer inside as one for the layer on every step."""
    def known(c, made):
        return _of_samples(c), _merged(made) if by_step else made

    def change(c, made):
        return _evaluated(c, variant.change(*known(c, made)))

    def of_all(function):
        return lambda seen: function([known(*each) for each in seen])

    detail = of_all(variant.detail) if callable(variant.detail) else variant.detail
    return Variant(variant.identifier, detail, change, variant.cheap,
                   variant.agrees and of_all(variant.agrees))
