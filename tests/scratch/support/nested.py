"""Models inside models and layers called more than once, drawn at random, in Keras's words."""

import numpy as np

SIZE = 3  # of every tensor but the last


def drawn(rng, keras, calls=7, depth=2, name="net", dtype="float32"):
    """A functional model or a Sequential on (None, 3), whose layers and models are called again.

    Args:
        calls: how many, before the last.
        depth: how deep models may stand in one another.
    """
    L = keras.layers
    if depth < 2 and rng.random() < 0.3:
        stack = [_unit(rng, keras, depth, f"{name}_{i}", dtype) for i in range(3)]
        return keras.Sequential([keras.Input((SIZE,), dtype=dtype), *stack], name=name)
    tensors, units = [keras.Input((SIZE,), dtype=dtype)], []
    for i in range(calls):
        x = tensors[rng.integers(max(0, len(tensors) - 3), len(tensors))]
        kind = rng.random()
        if units and kind < 0.35:
            tensors.append(units[rng.integers(len(units))](x))
        elif kind < 0.65:
            units.append(_unit(rng, keras, depth, f"{name}_{i}", dtype))
            tensors.append(units[-1](x, training=False) if rng.random() < 0.2 else units[-1](x))
        else:
            merge = (L.Add, L.Subtract, L.Average)[rng.integers(3)]
            other = tensors[rng.integers(len(tensors))]
            tensors.append(merge(name=f"{name}_merge{i}", dtype=dtype)([x, other]))
    end = L.Add(name=f"{name}_all", dtype=dtype)(tensors[-3:])
    return keras.Model(tensors[0], end, name=name)


def _unit(rng, keras, depth, name, dtype):
    """A layer, or a model unless that would be too deep."""
    L = keras.layers
    kind = rng.random()
    if depth and kind < 0.5:
        inner = drawn(rng, keras, 4, depth - 1, name, dtype)
        if rng.random() < 0.2:
            inner.trainable = False
        return inner
    if kind < 0.8:
        return L.Dense(SIZE, name=name, dtype=dtype, activation="tanh",
                       kernel_regularizer=(None, "l2")[rng.integers(2)])
    return (L.BatchNormalization, L.LayerNormalization)[rng.integers(2)](name=name, dtype=dtype)


def numbers(rng, model):
    """Weights for a model: small ones, and statistics' variances over zero."""
    return [rng.uniform(0.2, 0.8, w.shape) for w in model.get_weights()]


def plain_pass(keras, model, x, y):
    """(output, loss, gradients in the order of trainable_variables) of Keras alone, in training."""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        output = model(x, training=True)
        loss = model.compute_loss(x=x, y=y, y_pred=output, training=True)
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
    return np.array(output), float(loss), [np.array(gradient) for gradient in gradients]
