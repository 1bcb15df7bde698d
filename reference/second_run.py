"""What a model with states that go on from batch to batch puts out for the same batch once more."""

from typing import Any

import numpy as np

from reference.carried_states import stateful_layers
from reference.graph import layers_of
from reference.model import model_dtype
from reference.ops import held
from reference.quiet import keras, precision, tf
from reference.structures import as_inputs, flat, mapped


def at_the_second_run(model: Any, x: Any) -> Any:
    """What a model puts out outside of training at its second run on a batch, the first one being
    from zeros; its own states are then as they were.

    Args:
        x: (batch, ...), of several inputs a tuple.

    Returns:
        An array, or a tuple of several.
    """
    layers = [layer for layer in stateful_layers(layers_of(model))
              if not isinstance(layer, keras.layers.Bidirectional)]
    kept = [[np.array(state.numpy()) for state in layer.states] for layer in layers]
    try:
        for layer in layers:
            layer.reset_state()
        with precision(model_dtype(model)):
            given = as_inputs(model, mapped(tf.constant, x))
            model(given, training=False)
            made = tuple(held(np.array(each)) for each in flat(model(given, training=False)))
        return made if len(made) > 1 else made[0]
    finally:
        for layer, states in zip(layers, kept):
            for state, value in zip(layer.states, states):
                state.assign(value)
