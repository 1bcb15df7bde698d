"""Graphs against Keras: the order of layers, configs both ways, outputs, gradients, training."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scratch
from tests.draws import draws
from tests.scratch.support import graphs
from tests.scratch.support.checks import DTYPES, EXAMPLES, assert_exact, real, whole

GRAPHS = [graphs.residual, graphs.excited]


def plain(config):
    """As JSON writes it: tuples are lists."""
    return json.loads(json.dumps(config))


def by_keras(keras, graph, *args, **settings):
    """The same graph, put together by Keras's own calls."""
    return graph(*args, keras.layers, keras.Input, keras.Model, **settings)


def comparable(config):
    """A Keras config without what has no meaning here: quantization, and calls' empty arguments."""
    config = plain(config)
    for layer in config["layers"]:
        layer["config"].pop("quantization_config", None)
        for call in layer["inbound_nodes"]:
            call["kwargs"] = {}
    return config


@pytest.mark.parametrize("graph", GRAPHS)
def test_configs_lose_nothing_either_way(keras, graph):
    twin = by_keras(keras, graph, name="m", trainable=False)
    model = scratch.Model.from_config(plain(twin.get_config()))
    assert comparable(model.get_config()) == comparable(twin.get_config())
    again = keras.Model.from_config(plain(model.get_config()))
    assert comparable(again.get_config()) == comparable(twin.get_config())
    assert not model.trainable and model.name == "m"
    assert plain(graph(name="m", trainable=False).get_config()) == plain(model.get_config())
    assert isinstance(scratch.model_from_config(twin.get_config()), scratch.Model)


def test_every_kind_of_layer_in_a_functional_config(keras):
    """Calls that Keras writes with arguments of no meaning: training and mask."""
    L = keras.layers
    x = keras.Input((6, 5, 3), batch_size=4, name="pixels")
    y = L.Dropout(0.5)(L.BatchNormalization()(L.Conv2D(3, 3, padding="same")(inputs=x)))
    for merge in (L.Add(), L.Average(), L.Maximum(), L.Minimum(), L.Multiply(), L.Subtract()):
        y = merge([y, x])
    twin = keras.Model([x], [L.Concatenate(axis=1)([x, y])])  # in lists, which Keras writes, too
    model = scratch.Model.from_config(plain(twin.get_config()))
    assert [layer.name for layer in model.layers] == [layer.name for layer in twin.layers[1:]]
    assert model.output_shape == twin.output_shape == (4, 12, 5, 3)
    again = comparable(keras.Model.from_config(model.get_config()).get_config())
    expected = comparable(twin.get_config())
    expected.update({key: expected[key][0] for key in ("input_layers", "output_layers")})
    for config in (again, expected):  # the convolution was called on inputs=x
        config["layers"][1].pop("inbound_nodes")
    assert again == expected


@settings(EXAMPLES, max_examples=draws(15))
@given(seed=st.integers(0, 2**32 - 1))
def test_layers_are_in_kerass_order_whatever_the_graph(keras, seed):
    model = graphs.drawn(np.random.default_rng(seed), layers=12)
    twin = by_keras(keras, graphs.drawn, np.random.default_rng(seed), layers=12)
    assert [layer.name for layer in model.layers] == [layer.name for layer in twin.layers[1:]]
    assert [w.shape for w in model.get_weights()] == [w.shape for w in twin.get_weights()]
    read = scratch.Model.from_config(plain(twin.get_config()))
    assert read.sources == model.sources
    assert [layer.name for layer in read.layers] == [layer.name for layer in model.layers]


def keras_pass(twin, x, dy):
    """(output, input gradient, weight gradients) by TensorFlow's tape."""
    import tensorflow as tf

    source = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(source)
        output = twin(source, training=True)
    gradients = tape.gradient(output, [source, *(v.value for v in twin.trainable_variables)],
                              output_gradients=tf.constant(dy))
    return output.numpy(), gradients[0].numpy(), [tf.convert_to_tensor(g).numpy()
                                                  for g in gradients[1:]]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("graph", GRAPHS)
def test_outputs_and_gradients(keras, graph, dtype):
    """Each within a few hundred roundings of the largest entry: about as many as there are layers.

    The weights keep the last softmax away from its ends. A logit of 100 is off by 100 roundings of
    one, and exp makes a factor of that: probabilities of 1e-22, and all gradients that start from
    them, lose several digits on either side, whoever computes them.
    """
    model = graph(dtype=dtype)
    model.set_weights([0.4 * w for w in graphs.numbers(3, model)])
    twin = keras.Model.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    x, dy = real(1, (4, *model.input_shape[1:])), real(2, (4, 5))
    x, dy = x.astype(dtype), dy.astype(dtype)
    y, dx = model.forward(x), model.backward(dy)
    ours = [layer.grads[name] for layer in model.layers for name in layer.params]
    expected = keras_pass(twin, x, dy)
    for a, b in zip([y, dx, *ours], [expected[0], expected[1], *expected[2]], strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=300 * np.finfo(dtype).eps * np.abs(b).max())


MERGES = {"Add": 4, "Average": 2, "Subtract": 2, "Multiply": 3, "Maximum": 3, "Minimum": 3,
          "Concatenate": 3}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", MERGES)
def test_merging_whole_numbers_agrees_to_the_last_bit(keras, kind, dtype):
    """Ties on nearly every place; shapes that broadcast, where the layer allows it."""
    same = kind == "Concatenate"
    shapes = [(4, 5, 2), (4, 5, 2), (1, 5, 2) if not same else (4, 5, 2), (2,)][:MERGES[kind]]

    def build(L, Input, Model):
        x = Input((40,), dtype=dtype)
        parts = [L.Reshape(shape, dtype=dtype)(L.Dense(int(np.prod(shape)), use_bias=False,
                                                       dtype=dtype)(x)) for shape in shapes]
        return Model(x, getattr(L, kind)(dtype=dtype)(parts))

    model = build(scratch, scratch.Input, scratch.Model)
    twin = build(keras.layers, keras.Input, keras.Model)
    weights = [whole(i, w.shape, 1) for i, w in enumerate(model.get_weights())]
    model.set_weights(weights)
    twin.set_weights(weights)
    x = whole(7, (3, 40), 1).astype(dtype)
    dy = whole(8, (3, *model.output_shape[1:]), 2).astype(dtype)
    y, dx = model.forward(x), model.backward(dy)
    theirs = keras_pass(twin, x, dy)
    assert_exact(y, theirs[0], "y")
    assert_exact(dx, theirs[1], "dx")
    ours = [layer.grads[name] for layer in model.layers for name in layer.params]
    for a, b in zip(ours, theirs[2], strict=True):
        assert_exact(a, b, "weight gradient")


@pytest.mark.parametrize("graph", GRAPHS)
def test_training_steps(keras, graph):
    """Eight steps of momentum in float64, where what rounding differs by stays small."""
    model = graph(dtype="float64")
    model.set_weights([0.3 * w for w in graphs.numbers(5, model)])
    twin = keras.Model.from_config(model.get_config())
    twin.set_weights(model.get_weights())
    from_logits = graph is graphs.excited
    model.compile(scratch.SGD(0.125, momentum=0.5),
                  scratch.losses.SparseCategoricalCrossentropy(from_logits=from_logits))
    twin.compile(keras.optimizers.SGD(0.125, momentum=0.5), keras.losses.
                 SparseCategoricalCrossentropy(from_logits=from_logits, dtype="float64"),
                 run_eagerly=True)
    x, y = real(1, (40, *model.input_shape[1:])), np.arange(40) % 5
    for rows in np.arange(40).reshape(8, 5):
        ours = model.train_on_batch(x[rows], y[rows])
        theirs = float(twin.train_on_batch(x[rows], y[rows]))
        twin.reset_metrics()
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    for a, b in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-10 * np.abs(b).max())


REFUSED = {
    "function": (lambda k, x: k.ops.sinh(x), "is an operation between layers, Sinh"),
    "lambda": (lambda k, x: k.layers.Lambda(abs, name="f")(x), "'f' is a Lambda"),
    "a class that is not here": (lambda k, x: k.layers.ReversibleEmbedding(
        4, 2, name="f")(x), "'f' is of class ReversibleEmbedding"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_supported_is_refused_by_name(keras, name):
    make, named = REFUSED[name]
    x = keras.Input((3,))
    config = plain(keras.Model(x, make(keras, x), name="m").get_config())
    with pytest.raises(scratch.UnsupportedError) as error:
        scratch.Model.from_config(config)
    assert named in str(error.value)


def test_outputs_of_no_known_form_are_refused_by_name(keras):
    L = keras.layers
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    inner = {"c": [L.Dense(2)(a), L.Dense(3)(a)], "d": L.Dense(1)(b)}
    for inputs, outputs, named in (([a, b], inner, "expected the inputs, and the outputs, side by"),
                                   (a, [L.Dense(2)(a), a], "expected outputs that layers make")):
        config = plain(keras.Model(inputs, outputs, name="m").get_config())
        with pytest.raises(scratch.UnsupportedError, match=f"'m': {named}"):
            scratch.model_from_config(config)


def entry(config, name):
    return next(layer for layer in config["layers"] if layer["name"] == name)


def history(config, name):
    return entry(config, name)["inbound_nodes"][0]["args"][0]["config"]["keras_history"]


@pytest.mark.parametrize("spoil, named", [
    (lambda c: c.pop("layers"), "Expected a functional model's config"),
    (lambda c: c.update(layers=[None]), "expected for each layer a dictionary"),
    (lambda c: c["layers"].append(c["layers"][1]), "a name of its own"),
    (lambda c: entry(c, "a2").pop("inbound_nodes"), "expected for each layer a dictionary"),
    (lambda c: entry(c, "a2").update(inbound_nodes=[]), "'a2': expected calls as"),
    (lambda c: entry(c, "a2").update(inbound_nodes=[[["a1", 0, 0, {}]]]), "expected calls as"),
    (lambda c: history(c, "a1").__setitem__(0, "a3"), "can be reached from its input"),
    (lambda c: history(c, "a1").__setitem__(0, "nobody"), "can be reached from its input"),
    (lambda c: history(c, "a1").__setitem__(1, 1), "can be reached from its input"),
    (lambda c: history(c, "a1").__setitem__(1, "0"), "expected a tensor as"),
    (lambda c: history(c, "a1").__setitem__(2, 1), "output 1"),
    (lambda c: history(c, "a1").pop(), "expected a tensor as"),
    (lambda c: c.update(output_layers=["nobody", 0, 0]), "expected the output to be one of"),
    (lambda c: c.update(output_layers=[]), "expected at least one output"),
    (lambda c: c.update(input_layers=["stem", 0, 0]), "whose layers are InputLayers"),
    (lambda c: entry(c, "a4").update(class_name="Flatten"), "'a4'"),
    (lambda c: entry(c, "a1")["config"].update(filters=0), "'a1'"),
    (lambda c: entry(c, "a3")["config"].update(strides=[2, 2]), "'a4'"),
])
def test_a_broken_config_is_a_value_error(spoil, named):
    config = plain(graphs.residual().get_config())
    spoil(config)
    with pytest.raises(ValueError) as error:
        scratch.model_from_config(config)
    assert named in str(error.value)


@pytest.mark.parametrize("wrapped, named", [
    ({"class_name": "Mine", "module": "my.models", "config": {}}, "class 'Mine' from 'my.models'"),
    ({"class_name": "Sequential", "module": "my", "config": {}}, "'Sequential' from 'my'"),
    ({"class_name": "Functional", "module": "keras", "config": None}, "functional model's config"),
    ({"class_name": "Sequential", "config": {}}, "Sequential's config"),
    ([], "Sequential's config"), (None, "Sequential's config")])
def test_what_is_no_models_config_is_refused(wrapped, named):
    with pytest.raises(ValueError, match=named):
        scratch.model_from_config(wrapped)
