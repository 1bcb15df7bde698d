"""Networks that cut tensors, and others that strangers bring: in Keras's order, and held."""

import keras
import numpy as np
import pytest

import compare
import reference
import scratch
from compare.inputs.twins import twins
from scratch import operations as ops

L, K = keras.layers, keras.ops


def attention(x, steps, heads, size):
    """Query, key and value cut out of one dense layer, as in a vision transformer."""
    def apart(t):
        return K.transpose(K.reshape(t, (-1, steps, heads, size)), (0, 2, 1, 3))

    query, key, value = map(apart, K.split(L.Dense(3 * heads * size)(x), 3, axis=-1))
    scores = K.softmax(K.einsum("bhqd,bhkd->bhqk", query, key) / np.sqrt(size), axis=-1)
    mixed = K.transpose(K.matmul(scores, value), (0, 2, 1, 3))
    return K.reshape(mixed, (-1, steps, heads * size))


def transformer():
    source = keras.Input((5, 6))
    return keras.Model(source, attention(source, 5, 2, 3)[:, 0])


def twice():
    """A model that cuts its input, called twice inside another."""
    source = keras.Input((4, 6))
    first, second = K.unstack(K.reshape(source, (-1, 4, 2, 3)), axis=2)
    inner = keras.Model(source, K.concatenate([second, L.Dense(3)(first)], axis=-1), name="half")
    outer = keras.Input((4, 6))
    return keras.Model(outer, K.max(inner(inner(outer)), axis=1))


def class_numbers():
    return keras.Sequential([keras.Input((6,), dtype="int64"), L.Embedding(9, 4),
                             L.GlobalMaxPooling1D(), L.Dense(3)])


@pytest.mark.sampled(3)
@pytest.mark.parametrize("make", [transformer, twice, class_numbers])
def test_parity_holds(make):
    keras.utils.set_random_seed(2)
    model = make()
    model.compile(keras.optimizers.SGD(0.01), "mean_squared_error")
    candidate, twin = twins(model)
    names = [call.name for call in reference.graph.calls_of(model)]
    assert [layer.name for layer in candidate.layers] == names
    rng = np.random.default_rng(3)
    shape = (4, *model.input_shape[1:])
    x = rng.integers(0, 9, shape) if make is class_numbers else rng.normal(size=shape)
    y = rng.normal(size=(4, *model.output_shape[1:]))
    report = compare.check(candidate, twin, x, y, steps=1)
    assert report, report


def test_a_piece_that_nobody_reads_is_none():
    source = keras.Input((6,))
    model = keras.Model(source, K.split(source, 3, axis=-1)[2])
    read = scratch.model_from_config(model.get_config())
    assert [layer.name for layer in read.layers] == [f"{model.operations[-1].name}:2"]
    assert read.output_shape == (None, 2)


def test_pieces_of_one_name_are_cut_in_one_way():
    x = scratch.Input((6,))
    parts = [ops.SplitOperation(count, axis=1, place=place, name=f"cut:{place}")(x)
             for place, count in ((0, 2), (1, 3))]
    with pytest.raises(ValueError, match="pieces of 'cut' that are cut in one way"):
        scratch.Model(x, parts).get_config()


@pytest.mark.parametrize("make, said", [
    (lambda x: ops.SplitOperation(4, axis=1)(x), "4 parts as long as each other"),
    (lambda x: ops.SplitOperation(2, axis=1, place=2)(x), "a piece of 2, from 0"),
    (lambda x: ops.SplitOperation([4, 2], axis=1)(x), "ends in ascending order"),
    (lambda x: ops.UnstackOperation(5, axis=1)(x), "an axis of length num"),
    (lambda x: ops.MatmulOperation()([x, x]), "as many axes. Received"),
    (lambda x: x[:, 7], "expected indices of an input of shape"),
    (lambda x: x[:, "a"], "does not support the index 'a'")])
def test_what_cannot_be_is_refused(make, said):
    with pytest.raises(ValueError, match=said):
        make(scratch.Input((6,)))


def test_a_layer_without_its_name_in_its_config_is_called_by_it(tmp_path):
    """As Keras writes one whose class has no get_config of its own."""
    class Own(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)

        def call(self, x):
            return x * self.variables if self.variables else x

    source = keras.Input((3,))
    config = keras.Model(source, Own(name="mine")(source)).get_config()
    del config["layers"][1]["config"]["name"]
    with pytest.raises(ValueError, match="Layer 'mine' is a custom class"):
        scratch.model_from_config(config)


def piece(x, place, axis=-1):
    return ops.SplitOperation(2, axis=axis, place=place)(x)


def the_other_way_round(x):
    a, b = piece(x, 0), piece(x, 1)
    return scratch.Concatenate()([b, a])


def of_two_cuts(x):
    a, b, c = piece(x, 0), piece(x, 1, axis=1), piece(x, 1)
    return scratch.Concatenate()([c, a, ops.TileOperation([1, 2, 1])(b)])


def of_two_tensors(x):
    y = scratch.Dense(4)(x)
    a, b = piece(x, 0), piece(y, 1)
    return scratch.Concatenate()([b, a])


@pytest.mark.parametrize("made, names", [
    (the_other_way_round, ["split:0", "split:1"]),
    (of_two_cuts, ["split:0", "split:1", "split_1:1"]),
    (of_two_tensors, ["split:0", "split_1:1"])])
def test_pieces_without_names_are_named_by_what_they_are_cut_from(made, names):
    x = scratch.Input((6, 4))
    model, twin = twins(scratch.Model(x, scratch.Dense(2)(made(x))))
    assert sorted(layer.name for layer in model.layers if "split" in layer.name) == names
    batch = np.random.default_rng(1).standard_normal((3, 6, 4))
    report = compare.check(model, twin, batch, upstream=np.ones((3, 6, 2)), steps=0)
    assert report, report
