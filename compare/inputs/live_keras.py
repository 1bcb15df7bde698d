"""A live Keras model's ops and loss as functions, for what runs a candidate beside them."""

import functools

from compare.tracing.model_kinds import is_keras


def keras_ops(twin, whole=frozenset()) -> list | None:
    """The twin's ops as functions for `probe`, None if it is not a live Keras model."""
    if not is_keras(twin):
        return None
    import reference

    return [reference.OpRun(op) for op in reference.ops_of(twin, whole)]


def keras_loss(twin):
    """The twin's loss as a function for `extremes.probe`, None if it is no live Keras model."""
    if not is_keras(twin):
        return None
    import reference

    return functools.partial(reference.run_loss, twin)
