"""Two directions against loops and against Keras, in files, and what is refused."""

import numpy as np
import pytest

import scratch
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding
from tests.scratch.support.definitions import gru, lstm
from tests.scratch.support.keras_files import assert_goes_round

MODES = ("concat", "sum", "mul", "ave")
DEFINITIONS = {"LSTM": lstm, "GRU": gru}


def built(kind, mode, sequences, dtype="float32"):
    inner = getattr(scratch, kind)(2, return_sequences=sequences)
    layer = scratch.Bidirectional(inner, merge_mode=mode, dtype=dtype)
    layer.build((None, 4, 3))
    for i, weight in enumerate(layer.params.values()):
        weight[...] = np.random.default_rng(i).standard_normal(weight.shape)
    return layer


def example(layer):
    rng = np.random.default_rng(9)
    return (rng.standard_normal((5, 4, 3)).astype(layer.dtype),
            rng.standard_normal((5, *layer.output_shape[1:])).astype(layer.dtype))


def merged(a, b, mode):
    if mode == "concat":
        return np.concatenate([a, b], axis=-1)
    return {"sum": a + b, "mul": a * b, "ave": (a + b) / 2}[mode]


@pytest.mark.sampled(4, of="kind")
@pytest.mark.parametrize("sequences", [True, False])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", DEFINITIONS)
def test_loops(kind, mode, sequences):
    layer = built(kind, mode, sequences, "float64")
    x, _ = example(layer)
    ways = []
    for prefix, backwards in (("forward_layer/", False), ("backward_layer/", True)):
        weights = {name.removeprefix(prefix): w for name, w in layer.params.items()
                   if name.startswith(prefix)}
        y = DEFINITIONS[kind]({"units": 2, "return_sequences": sequences,
                               "go_backwards": backwards}, [x], weights).real
        ways.append(y[:, ::-1] if backwards and sequences else y)
    np.testing.assert_allclose(layer.forward(x), merged(*ways, mode), atol=1e-12)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kind", DEFINITIONS)
def test_keras_and_the_bounds(keras, kind, mode):
    """Output and gradients as Keras's, and both within what the oracle allows."""
    import tensorflow as tf

    from reference.weight_names import weight_names

    layer = built(kind, mode, True)
    x, dy = example(layer)
    twin = keras.layers.Bidirectional(getattr(keras.layers, kind)(2, return_sequences=True),
                                      merge_mode=mode)
    twin.build((None, 4, 3))
    twin.set_weights(list(layer.params.values()))
    names = weight_names(twin)
    assert list(names.values()) == list(layer.params)
    x_ = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x_)
        y = twin(x_)
    dx, *grads = tape.gradient(y, [x_, *twin.trainable_weights], output_gradients=tf.constant(dy))
    kept = x.copy(), dy.copy()
    made = {"y": layer.forward(x), "dx": layer.backward(dy), **layer.grads}
    theirs = {"y": y, "dx": dx, **{names[id(w)]: g for w, g in zip(twin.trainable_weights, grads)}}
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(dy, kept[1])
    rounding = Rounding.of("float32")
    oracle = oracle_for("Bidirectional", layer.get_config())
    output = oracle.forward(Bounded(x, rounding), {
        name: Bounded(w, rounding) for name, w in layer.params.items()})
    gradient, of_weights = oracle.backward(Bounded(dy, rounding))
    right = {"y": output, "dx": gradient, **of_weights}
    assert made.keys() == theirs.keys() == right.keys()
    for name, value in right.items():
        for array in (made[name], np.asarray(theirs[name])):
            assert (np.abs(array - value.value) <= value.bound).all(), name
        assert value.bound.max() < 1e-3


def test_a_file_of_keras(keras, tmp_path):
    keras.utils.set_random_seed(0)
    layers = keras.layers
    twin = keras.Sequential([
        keras.Input((6, 3)), layers.Bidirectional(layers.LSTM(
            2, return_sequences=True, recurrent_regularizer="l2", kernel_constraint="max_norm")),
        layers.Bidirectional(layers.GRU(3), merge_mode="sum",
                             backward_layer=layers.SimpleRNN(3, go_backwards=True))])
    twin.compile("adam", "mse")
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((5, 6, 3)), rng.standard_normal((5, 3))
    assert_goes_round(keras, twin, x, y, tmp_path, steps=3)


def test_what_is_refused():
    with pytest.raises(ValueError, match="merge_mode='max'"):
        scratch.Bidirectional(scratch.GRU(2), merge_mode="max")
    with pytest.raises(ValueError, match="expected recurrent layers. Received: Dense"):
        scratch.Bidirectional(scratch.Dense(2))
    with pytest.raises(ValueError, match="one reads backwards"):
        scratch.Bidirectional(scratch.GRU(2), backward_layer=scratch.GRU(2))
    with pytest.raises(ValueError, match="as many units"):
        scratch.Bidirectional(scratch.GRU(2), "sum", backward_layer=scratch.GRU(
            3, go_backwards=True)).build((None, 4, 3))
