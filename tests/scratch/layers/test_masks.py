"""Masks: layers that make and use them against loops, models against Keras, what is refused."""

import copy

import numpy as np
import pytest

import scratch
from scratch.errors import UnsupportedError
from tests.scratch.support.checks import DTYPES
from tests.scratch.support.keras_files import assert_goes_round

IDS = np.array([[0, 3, 0, 1, 2, 0], [2, 2, 1, 3, 0, 0], [1, 0, 0, 0, 0, 3]])


def recurrent(cls, **settings):
    layer = cls(3, dtype="float64", bias_initializer="random_normal", **settings)
    layer.build((None, 6, 4))
    return layer


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("value", [0.0, -1.0, 0.1])
def test_masking_by_a_loop(dtype, value):
    rng = np.random.default_rng(0)
    x = rng.integers(-1, 2, (4, 5, 2)).astype(dtype)
    x[1, 2], x[3, 0] = value, (value, 7)
    kept = x.copy()
    layer, dy = scratch.Masking(value, dtype=dtype), rng.standard_normal(x.shape).astype(dtype)
    y, dx = layer(x), layer.backward(dy)
    for n, t in np.ndindex(4, 5):
        counts = any(each != np.asarray(value, dtype) for each in x[n, t])
        np.testing.assert_array_equal(y[n, t], x[n, t] if counts else [0, 0])
        np.testing.assert_array_equal(dx[n, t], dy[n, t] if counts else [0, 0])
        assert layer.compute_mask(x)[n, t] == counts
    np.testing.assert_array_equal(x, kept)
    assert {y.dtype, dx.dtype} == {np.dtype(dtype)}


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("cls", [scratch.SimpleRNN, scratch.LSTM, scratch.GRU])
def test_a_masked_step_is_as_if_it_were_not_there(cls, zeros, backwards):
    """Sample by sample the same layer on the steps that count alone, and its states in between."""
    rng = np.random.default_rng(1)
    layer = recurrent(cls, return_sequences=True, go_backwards=backwards,
                      zero_output_for_mask=zeros)
    x, dy, mask = rng.standard_normal((3, 6, 4)), rng.standard_normal((3, 6, 3)), IDS != 0
    y = layer.forward([x, mask])
    dx, none = layer.backward(dy)
    grads = copy.deepcopy(layer.grads)
    assert none is None
    total = {name: 0.0 for name in grads}
    for n in range(3):
        order = range(6)[::-1] if backwards else range(6)
        counting = [t for t in order if mask[n, t]]
        short = x[n, sorted(counting)][None]
        states = layer.forward(short)[0]
        sent, seen = np.zeros_like(states), 0
        for place, t in enumerate(order):  # outputs come in the order in which steps are read
            seen += mask[n, t]
            expected = states[seen - 1] if seen and (mask[n, t] or not zeros) else np.zeros(3)
            np.testing.assert_allclose(y[n, place], expected, atol=1e-12)
            if seen and (mask[n, t] or not zeros):
                sent[seen - 1] += dy[n, place]
        own = layer.backward(sent[None])[0]
        np.testing.assert_allclose(dx[n, sorted(counting)], own, atol=1e-12)
        assert not dx[n, ~mask[n]].any()
        total = {name: total[name] + layer.grads[name] for name in total}
    for name, gradient in grads.items():
        np.testing.assert_allclose(gradient, total[name], atol=1e-12)


@pytest.mark.parametrize("keeps", [False, True])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_a_mean_over_the_steps_that_count(data_format, keeps):
    rng = np.random.default_rng(2)
    x, mask = rng.standard_normal((3, 6, 4)), IDS != 0
    layer = scratch.GlobalAveragePooling1D(data_format, keeps, dtype="float64")
    first = data_format == "channels_first"
    y = layer.forward([x.swapaxes(1, 2) if first else x, mask])
    dx, none = layer.backward(np.ones_like(y) * np.arange(3).reshape(-1, *[1] * (y.ndim - 1)))
    assert none is None and y.shape == ((3, 4, 1) if first else (3, 1, 4)) if keeps else (3, 4)
    for n in range(3):
        own = [x[n, t] for t in range(6) if mask[n, t]]
        np.testing.assert_allclose(y[n].reshape(-1), sum(own) / len(own), atol=1e-14)
        steps = dx[n].T if first else dx[n]
        for t in range(6):
            np.testing.assert_allclose(steps[t], n * mask[n, t] / len(own), atol=1e-14)


@pytest.mark.parametrize("axis", [-1, 1])
def test_moments_of_the_steps_that_count(keras, axis):
    """By a loop, and with all gradients by Keras."""
    import tensorflow as tf

    rng = np.random.default_rng(6)
    x, dy, mask = rng.standard_normal((3, 6, 4)), rng.standard_normal((3, 6, 4)), IDS != 0
    kept = x.copy()
    layer = scratch.BatchNormalization(axis, dtype="float64", name="norm")
    theirs = keras.layers.BatchNormalization(axis, dtype="float64")
    for each in (layer, theirs):
        each.build((None, 6, 4))
    weights = [rng.uniform(0.5, 2, w.shape) for w in layer.get_weights()]
    for each in (layer, theirs):
        each.set_weights(weights)
    layer.take_masks((scratch.Masking(),))
    layer.build([(None, 6, 4), (None, 6)])
    layer.set_weights(weights)
    y = layer.forward([x, mask], training=True)
    for channel in range(4 if axis == -1 else 6):
        of = (slice(None), slice(None), channel) if axis == -1 else (slice(None), channel)
        own = x[of][mask] if axis == -1 else x[of][mask[:, channel]].reshape(-1)
        mean = own.sum() / (len(own) + 1e-7)
        variance = sum((each - mean) ** 2 for each in own) / (len(own) + 1e-7)
        expected = (x[of] - mean) / np.sqrt(variance + 1e-3) * weights[0][channel]
        np.testing.assert_allclose(y[of], expected + weights[1][channel], atol=1e-10)
        assert layer.params["moving_mean"][channel] == pytest.approx(
            0.99 * weights[2][channel] + 0.01 * mean)
    tensor = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        made = theirs(tensor, training=True, mask=tf.constant(mask))
    dx, *gradients = tape.gradient(made, [tensor, *theirs.trainable_weights], tf.constant(dy))
    np.testing.assert_allclose(y, made, atol=1e-10)
    own, none = layer.backward(dy)
    np.testing.assert_allclose(own, dx, atol=1e-10)
    for ours, gradient in zip(layer.grads.values(), gradients, strict=True):
        np.testing.assert_allclose(ours, gradient, atol=1e-10)
    for ours, weight in zip(layer.get_weights(), theirs.get_weights()):
        np.testing.assert_allclose(ours, weight, atol=1e-10)
    assert none is None
    np.testing.assert_array_equal(x, kept)


def stacks(L):
    """Models of layers of a package, each with what it is fed."""
    words = {"input_dim": 4, "output_dim": 4, "mask_zero": True}
    rng = np.random.default_rng(3)
    numbers = np.where((IDS == 0)[..., None], -1.0, rng.standard_normal((3, 6, 2)))
    return {
        "last state": (IDS, [L.Embedding(**words), L.LSTM(3), L.Dense(2)]),
        "carried": (IDS, [L.Embedding(**words), L.Dropout(0.0), L.Dense(3, activation="relu"),
                          L.GRU(3, return_sequences=True, zero_output_for_mask=True),
                          L.LayerNormalization(), L.GlobalAveragePooling1D(), L.Dense(2)]),
        "backwards": (IDS, [L.Embedding(**words), L.SimpleRNN(3, go_backwards=True,
                                                              return_sequences=True),
                            L.LSTM(2, unroll=True), L.Dense(2)]),
        "both ways": (IDS, [L.Embedding(**words), L.Bidirectional(L.LSTM(2, return_sequences=True)),
                            L.Bidirectional(L.GRU(2), merge_mode="sum"), L.Dense(2)]),
        "normalized": (IDS, [L.Embedding(**words), L.BatchNormalization(), L.LSTM(
            3, return_sequences=True), L.BatchNormalization(scale=False), L.GRU(2), L.Dense(2)]),
        "lost": (IDS, [L.Embedding(**words), L.Conv1D(3, 2), L.LSTM(3), L.Dense(2)]),
        "numbers": (numbers, [L.Masking(-1.0), L.Activation("tanh"), L.GRU(2, reset_after=False),
                              L.Dense(2)]),
    }


@pytest.mark.sampled(4)
@pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask")
@pytest.mark.parametrize("functional", [False, True])
@pytest.mark.parametrize("name", stacks(scratch.layers))
def test_keras(keras, tmp_path, name, functional):
    """Predictions and steps of training, out of a file that Keras wrote and back into one."""
    keras.utils.set_random_seed(0)
    x, layers = stacks(keras.layers)[name]
    twin = keras.Sequential([keras.Input(x.shape[1:]), *layers])
    if functional:
        tensor = source = keras.Input(x.shape[1:])
        for layer in layers:
            tensor = layer(tensor)
        twin = keras.Model(source, tensor)
    twin.compile(keras.optimizers.SGD(0.5), "mse")
    y = np.random.default_rng(4).standard_normal((3, 2))
    assert_goes_round(keras, twin, x, y, tmp_path)


def test_a_graph_of_ones_own():
    source = scratch.Input((6,))
    words = scratch.Embedding(4, 2, mask_zero=True)(source)
    model = scratch.Model(source, scratch.LSTM(3)(words))
    x = np.array(IDS)
    before = model.predict(x, verbose=0)
    table = model.layers[0].params["embeddings"]
    table[0] += 5  # of the padding, which nothing reads
    np.testing.assert_array_equal(before, model.predict(x, verbose=0))
    assert model.sources == [(-1,), (0, -1)] and model.end_masks == [None]
    assert copy.deepcopy(model).predict(x, verbose=0).tolist() == before.tolist()


@pytest.mark.parametrize("layer", [
    lambda: scratch.Softmax(), lambda: scratch.StochasticDepth(0.5),
    lambda: scratch.TimeDistributed(scratch.GRU(2))])
def test_layers_that_do_not_take_a_mask(layer):
    with pytest.raises(UnsupportedError, match="does not support the mask that comes from Embed"):
        scratch.Sequential([scratch.Input((6,)), scratch.Embedding(4, 2, mask_zero=True),
                            scratch.Identity(), layer()])


def test_what_keras_does_with_masks_that_are_refused(keras):
    """Behind a layer that hands its very input on at inference a mask goes on, but not in training;
    and it hands out no states of stateful layers in both directions."""
    from keras.src.applications.convnext import StochasticDepth

    x = keras.ops.ones((2, 4, 3))
    for layer in (StochasticDepth(0.5), keras.layers.RandomFlip(), keras.layers.RandomErasing()):
        masked = keras.layers.Masking()(x if isinstance(layer, StochasticDepth) else x[:, None])
        assert getattr(layer(masked, training=False), "_keras_mask", None) is not None
        assert getattr(layer(masked, training=True), "_keras_mask", None) is None
    both = keras.layers.Bidirectional(keras.layers.GRU(2, stateful=True, return_state=True))
    with pytest.raises(TypeError):
        both(x)


@pytest.mark.parametrize("layer", [lambda: scratch.RandomFlip(), lambda: scratch.RandomErasing()])
def test_images_that_come_with_a_mask(layer):
    with pytest.raises(UnsupportedError, match="ends there in training and goes on at inference"):
        scratch.Sequential([scratch.Input((4, 5, 3)), scratch.Masking(), layer()])


def graphs(K):
    """Graphs in which masks meet, or go into models inside and out of them: of a package."""
    L = K.layers
    source = K.Input((6,))
    words = L.Embedding(4, 3, mask_zero=True, name="words")(source)
    places = L.Embedding(4, 3, name="places")(source)
    states = L.GRU(3, return_sequences=True, name="states")(words)

    def reader(name, **more):
        return K.Sequential([K.Input((6, 3)), L.LSTM(2, name=f"{name}_lstm", **more)], name=name)

    maker = K.Sequential([K.Input((6,)), L.Embedding(4, 3, mask_zero=True, name="made")],
                         name="maker")
    again = L.ReLU(threshold=0.02, name="again")
    inner_source = K.Input((6, 3))
    inner = K.Model(inner_source, L.Dense(3, name="inner_dense")(
        L.SimpleRNN(3, return_sequences=True, name="inner_rnn")(inner_source)), name="inner")
    masked = K.Model(inner_source, L.LSTM(2, name="inner_lstm")(
        L.Masking(0.5, name="inner_maker")(inner_source)), name="masked")
    return source, {
        "sum": L.LSTM(2, name="last")(L.Add(name="sum")([words, states])),
        "sum of one without": L.LSTM(2, name="last")(L.Add(name="sum")([words, places])),
        "beside": L.LSTM(2, name="last")(L.Concatenate(name="beside")([states, words])),
        "beside one without": L.LSTM(2, name="last", return_sequences=True)(
            L.Concatenate(name="beside")([words, places])),
        "dot": L.Dot(1, name="dot")([states, words]),
        "steps": L.GlobalAveragePooling1D(name="mean")(L.TimeDistributed(
            L.Dense(2, name="dense"), name="each")(words)),
        "into": reader("reader")(words),
        "into and out": reader("reader", return_sequences=True)(words),
        "out": L.LSTM(2, name="last")(maker(source)),
        "through": L.LSTM(2, name="last", return_sequences=True)(inner(words)),
        "made inside": masked(again(places)),
        "operation": L.LSTM(2, name="last")(words - states),  # behind which there is no mask
        "of a second call": L.LSTM(2, name="last")(L.Masking(name="maker")(again(again(places)))),
    }


@pytest.mark.sampled(3)
@pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask")
@pytest.mark.parametrize("name", [
    "sum", "sum of one without", "beside", "beside one without", "dot", "steps", "into",
    "into and out", "out", "through", "made inside", "operation",
    "of a second call"])
def test_masks_in_graphs(keras, tmp_path, name):
    """Predictions and steps of training, out of a file that Keras wrote and back into one."""
    keras.utils.set_random_seed(0)
    source, tensors = graphs(keras)
    twin = keras.Model(source, tensors[name])
    twin.compile(keras.optimizers.SGD(0.5), "mse")
    y = np.random.default_rng(4).standard_normal(twin.compute_output_shape((3, 6)))
    assert_goes_round(keras, twin, IDS, y, tmp_path)


def test_masks_that_meet():
    source = scratch.Input((6, 2))
    both = scratch.Add()([scratch.Masking()(source), scratch.Masking(1.0)(source)])
    with pytest.raises(UnsupportedError, match="LSTM .* does not support the mask of Add"):
        scratch.Model(source, scratch.LSTM(3)(both))
    model = scratch.Model(source, both)
    with pytest.raises(UnsupportedError, match="masks meet that are not the same"):
        model.compile("sgd", "mse")


def test_zeros_of_an_unrolled_layer():
    with pytest.raises(UnsupportedError, match="a mask with unroll=True"):
        scratch.Sequential([scratch.Input((6,)), scratch.Embedding(4, 2, mask_zero=True),
                            scratch.LSTM(3, unroll=True, zero_output_for_mask=True)])


def test_a_mask_of_somebodys_own(keras):
    source = keras.Input((6, 2))
    other = keras.ops.not_equal(keras.ops.sum(source, axis=-1), 0)
    twin = keras.Model(source, keras.layers.LSTM(3)(source, mask=other))
    with pytest.raises(UnsupportedError, match="does not support a mask of its own|operation"):
        scratch.Model.from_config(twin.get_config())


def test_a_mask_of_another_call(keras):
    """What the layer read at its second call is not what the mask is made of."""
    source, again = keras.Input((6, 2)), keras.layers.ReLU(name="again")
    first = again(source)
    counting = keras.ops.any(keras.ops.not_equal(first, 0.0), -1)
    steps = keras.layers.Masking(name="maker")(again(first))
    twin = keras.Model(source, keras.layers.LSTM(3)(steps, mask=counting))
    with pytest.raises(UnsupportedError, match="a mask of its own, made of 'again' and 0.0"):
        scratch.Model.from_config(twin.get_config())


def test_a_value_that_is_no_number():
    with pytest.raises(TypeError, match="expected mask_value to be a number"):
        scratch.Masking("0")
