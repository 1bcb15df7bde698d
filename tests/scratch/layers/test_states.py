"""Initial states and returned ones: against loops over complex numbers, against Keras, in files."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scratch
from scratch.errors import UnsupportedError
from scratch.several import Several
from tests.scratch.support.definitions import gru, lstm, simple_rnn
from tests.scratch.support.keras_files import assert_goes_round

DEFINITIONS = {"SimpleRNN": simple_rnn, "LSTM": lstm, "GRU": gru}
STATES = {"SimpleRNN": 1, "LSTM": 2, "GRU": 1}
UNITS = 3
each = pytest.mark.parametrize("kind", DEFINITIONS)


def drawn(rng, *shape):
    return rng.standard_normal(shape)


def built(kind, rng, steps=4, **settings):
    layer = getattr(scratch, kind)(UNITS, dtype="float64", return_state=True, **settings)
    layer.read_states(STATES[kind])
    layer.build([(None, steps, 2), *[(None, UNITS)] * STATES[kind]])
    for weight in layer.params.values():
        weight[...] = drawn(rng, *weight.shape) / 2
    return layer


@each
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
def test_loops(kind, sequences, backwards):
    """All outputs, and by complex steps the gradients of all inputs and weights."""
    rng = np.random.default_rng(1)
    layer = built(kind, rng, return_sequences=sequences, go_backwards=backwards)
    inputs = [drawn(rng, 5, 4, 2), *(drawn(rng, 5, UNITS) for _ in range(STATES[kind]))]
    config = {"units": UNITS, "return_sequences": sequences, "go_backwards": backwards,
              "return_state": True}
    made = layer(inputs[0], initial_state=inputs[1:])
    right = DEFINITIONS[kind](config, inputs, layer.params)
    assert len(made) == len(right) == 1 + STATES[kind]
    for ours, theirs in zip(made, right):
        np.testing.assert_allclose(ours, theirs.real, atol=1e-12)
    sent = [drawn(rng, *y.shape) for y in made]
    dx = layer.backward(layer.side_by_side(sent[:1], sent[1:]))
    found = [*zip(inputs, dx, strict=True), *((weight, layer.grads[name])
                                              for name, weight in layer.params.items())]
    weights = dict(layer.params)
    for k, (array, gradient) in enumerate(found):
        for place in [tuple(rng.integers(0, n) for n in array.shape) for _ in range(4)]:
            moved = array.astype(complex)
            moved[place] += 1e-20j
            given_inputs = [moved if i == k else each for i, each in enumerate(inputs)]
            given_weights = {name: moved if i + len(inputs) == k else weight
                             for i, (name, weight) in enumerate(weights.items())}
            outputs = DEFINITIONS[kind](config, given_inputs, given_weights)
            slope = sum((y.imag * d).sum() for y, d in zip(outputs, sent)) / 1e-20
            np.testing.assert_allclose(gradient[place], slope, rtol=1e-9, atol=1e-12)


@each
@given(cut=st.integers(1, 5), seed=st.integers(0, 99), backwards=st.booleans())
def test_a_sequence_in_two_parts_is_one(kind, cut, seed, backwards):
    """The second part begins where the first one ended, forward and on the way back."""
    rng = np.random.default_rng(seed)
    layer = built(kind, rng, steps=6, return_sequences=True, go_backwards=backwards)
    x = drawn(rng, 3, 6, 2)
    zeros = [np.zeros((3, UNITS)) for _ in range(STATES[kind])]
    whole = layer(x, initial_state=zeros)
    sent = [drawn(rng, *y.shape) for y in whole]
    dx, *d_zeros = layer.backward(layer.side_by_side(sent[:1], sent[1:]))
    gradients = {name: g.copy() for name, g in layer.grads.items()}
    parts = [x[:, cut:], x[:, :cut]] if backwards else [x[:, :cut], x[:, cut:]]
    first, second = layer.another_call("first"), layer.another_call("second")
    for call, part in zip((first, second), parts):
        call.take_inputs([part.shape, *(state.shape for state in zeros)])
    y, *states = first(parts[0], initial_state=zeros)
    z, *last = second(parts[1], initial_state=states)
    np.testing.assert_allclose(np.concatenate([y, z], axis=1), whole[0], atol=1e-12)
    np.testing.assert_allclose(last, whole[1:], atol=1e-12)
    at = y.shape[1]
    dx_2, *between = second.backward(second.side_by_side([sent[0][:, at:]], sent[1:]))
    dx_1, *d_first = first.backward(first.side_by_side([sent[0][:, :at]], between))
    order = [dx_2, dx_1] if backwards else [dx_1, dx_2]
    np.testing.assert_allclose(np.concatenate(order, axis=1), dx, atol=1e-10)
    np.testing.assert_allclose(d_first, d_zeros, atol=1e-10)
    for name, total in gradients.items():
        np.testing.assert_allclose(first.grads[name] + second.grads[name], total, atol=1e-10)


@each
def test_zeros_are_the_states_of_a_layer_that_is_given_none(kind):
    rng = np.random.default_rng(2)
    layer = built(kind, rng)
    x = drawn(rng, 2, 4, 2)
    zeros = [np.zeros((2, UNITS))] * STATES[kind]
    held = layer(x, initial_state=zeros)
    np.testing.assert_array_equal(layer(x), held)
    np.testing.assert_array_equal(layer(x, initial_state=zeros), held)


def encoder_and_decoder(ns, masked=False):
    """What most people have them for; also through two directions."""
    source, target = ns.Input((5,)) if masked else ns.Input((5, 4)), ns.Input((6, 2))
    L = ns.layers
    x = L.Embedding(7, 4, mask_zero=True)(source) if masked else source
    y, *states = L.Bidirectional(L.LSTM(2, return_state=True, return_sequences=True),
                                 name="encoder")(x)
    h, c = (L.Concatenate(name=name)(pair)
            for name, pair in (("h", states[::2]), ("c", states[1::2])))
    z, _, last = L.LSTM(4, return_sequences=True, return_state=True, name="decoder")(
        target, initial_state=[h, c])
    z = L.GRU(4, return_sequences=True)(z, initial_state=last)
    forth, back = L.Bidirectional(L.SimpleRNN(3), merge_mode=None)(y)
    both = L.Add(name="sum")([forth, back])
    return ns.Model([source, target], [L.Dense(3, name="end")(z), both, c])


def both(keras, build, **settings):
    """The model and Keras's twin with its weights, of which all differ from 0."""
    keras.utils.set_random_seed(3)
    twin, model = build(keras, **settings), build(scratch, **settings)
    rng = np.random.default_rng(3)
    twin.set_weights([w + 0.2 * rng.standard_normal(w.shape) for w in twin.get_weights()])
    model.set_weights(twin.get_weights())
    return model, twin


@pytest.mark.parametrize("masked", [False, True])
def test_keras(keras, masked):
    """Outputs and all gradients of an encoder and a decoder."""
    import tensorflow as tf

    model, twin = both(keras, encoder_and_decoder, masked=masked)
    rng = np.random.default_rng(4)
    source = rng.integers(0, 3, (3, 5)) if masked else rng.standard_normal((3, 5, 4))
    x = [source.astype("float32"), rng.standard_normal((3, 6, 2)).astype("float32")]
    ours = model(x)
    sent = [rng.standard_normal(y.shape).astype("float32") for y in ours]
    inputs = [tf.constant(each) for each in x]
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        made = twin(inputs)
        total = sum(tf.reduce_sum(y * d) for y, d in zip(made, sent))
    dx, grads = tape.gradient(total, [inputs, twin.trainable_weights])
    for y, theirs in zip(ours, made, strict=True):
        np.testing.assert_allclose(y, theirs, atol=1e-6)
    back = model.backward(Several(sent), (False,) * 3)
    for own, theirs in list(zip(back.arrays, dx))[masked:]:
        np.testing.assert_allclose(own, theirs, atol=1e-5)
    own = [layer.grads[name] for layer in model.unique_layers for name in layer.params]
    for g, theirs in zip(own, grads, strict=True):
        np.testing.assert_allclose(g, tf.convert_to_tensor(theirs), atol=1e-5)


@pytest.mark.parametrize("kind", ["GRU", "Bidirectional"])
def test_a_mask_does_not_reach_a_layer_that_is_called_on_states(keras, kind):
    """Keras hands it none, but the mask goes along with what that puts out."""
    def build(ns):
        L, words, state = ns.layers, ns.Input((5,)), ns.Input((3,))
        x = L.Embedding(4, 2, mask_zero=True)(words)
        inner = L.GRU(3, return_sequences=True, zero_output_for_mask=True, name="gru")
        layer = L.Bidirectional(inner) if kind == "Bidirectional" else inner
        y = layer(x, initial_state=[state] * (2 if kind == "Bidirectional" else 1))
        return ns.Model([words, state], [y, L.GlobalAveragePooling1D()(y)])

    model, twin = both(keras, build)
    rng = np.random.default_rng(0)
    x = [rng.integers(0, 2, (3, 5)).astype("float32"), rng.standard_normal((3, 3))]
    for ours, theirs in zip(model(x), twin(x)):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    again = scratch.Model.from_config(twin.get_config())
    again.set_weights(twin.get_weights())
    np.testing.assert_array_equal(again(x)[1], model(x)[1])


def test_a_file_of_keras(keras, tmp_path):
    _, twin = both(keras, lambda ns: encoder_and_decoder_of_one_output(ns))
    twin.compile("adam", "mse")
    rng = np.random.default_rng(1)
    x = [rng.standard_normal((5, 4, 3)), rng.standard_normal((5, 6, 2))]
    assert_goes_round(keras, twin, x, rng.standard_normal((5, 6, 2)), tmp_path, steps=3)


def encoder_and_decoder_of_one_output(ns):
    L, source, target = ns.layers, ns.Input((4, 3)), ns.Input((6, 2))
    _, state = L.GRU(3, return_state=True)(source)
    return ns.Model([source, target], L.Dense(2)(L.GRU(3, return_sequences=True)(
        target, initial_state=state)))


def test_a_layer_called_twice_and_a_model_inside(keras):
    def build(ns):
        L, x, inner = ns.layers, ns.Input((4, 3)), ns.Input((4, 3))
        y, _, c = L.LSTM(3, return_state=True, name="lstm")(inner)
        base = ns.Model(inner, [y, c], name="base")
        layer = L.LSTM(3, return_state=True, name="outer")
        made = [*base(x), *layer(x), *base(L.Dense(3)(x)), *layer(L.Dense(3)(x))[::2]]
        return ns.Model(x, L.Concatenate()(made))

    model, twin = both(keras, build)
    x = np.random.default_rng(0).standard_normal((2, 4, 3)).astype("float32")
    np.testing.assert_allclose(model(x), twin(x), atol=1e-6)
    again = scratch.Model.from_config(twin.get_config())
    again.set_weights(twin.get_weights())
    np.testing.assert_array_equal(again(x), model(x))
    assert sorted(layer.name for layer in model.layers if "[" in layer.name) == [
        "base.lstm[0]", "base.lstm[0] (call 2)", "base.lstm[2]", "base.lstm[2] (call 2)",
        "outer[0]", "outer[0] (call 2)", "outer[1]", "outer[2]", "outer[2] (call 2)"]


def test_a_single_state_needs_no_list(keras):
    state = scratch.Input((3,))
    y = scratch.GRU(3)(scratch.Input((4, 2)), initial_state=state)
    assert y.sources[1] is state and y.shape == (None, 3)


def test_any_number_of_steps():
    x = scratch.Input((None, 2))
    y, h = scratch.GRU(3, return_sequences=True, return_state=True)(x)
    model = scratch.Model(x, [y, h])
    rng = np.random.default_rng(0)
    for steps in (3, 7):
        y, h = model.predict(rng.standard_normal((2, steps, 2)), verbose=0)
        assert y.shape == (2, steps, 3)
        np.testing.assert_array_equal(y[:, -1], h)


def test_what_is_refused():
    x, h, wide = scratch.Input((4, 2)), scratch.Input((3,)), scratch.Input((5,))
    with pytest.raises(ValueError, match="initial_state to be 2 arrays. Received: 1"):
        scratch.LSTM(3)(x, initial_state=[h])
    with pytest.raises(ValueError, match=r"of shapes \[\(None, 3\)\]. Received: \[\(None, 5\)\]"):
        scratch.GRU(3)(x, initial_state=wide)
    layer = scratch.GRU(3)
    layer(x, initial_state=h)
    with pytest.raises(UnsupportedError, match="a call with 0 initial states beside one with 1"):
        layer(x)
    with pytest.raises(ValueError, match="same return_sequences, return_state and"):
        scratch.Bidirectional(scratch.GRU(2), backward_layer=scratch.GRU(
            2, go_backwards=True, return_state=True))
    with pytest.raises(UnsupportedError, match="return_state=True of stateful layers"):
        scratch.Bidirectional(scratch.GRU(2, stateful=True, return_state=True))
    with pytest.raises(UnsupportedError, match="return_state=True"):
        scratch.ConvLSTM1D(3, 2, return_state=True)
    with pytest.raises(UnsupportedError, match="initial_state"):
        scratch.ConvLSTM1D(3, 2)(scratch.Input((4, 6, 2)), initial_state=[h, h])
    with pytest.raises(UnsupportedError, match="layer=GRU"):
        scratch.TimeDistributed(scratch.GRU(2, return_state=True))
