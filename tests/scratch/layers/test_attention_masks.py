"""Masks in attentions: against loops, and whole graphs against Keras."""

import math

import numpy as np
import pytest

import scratch
from scratch.errors import UnsupportedError
from tests.scratch.support.keras_files import assert_goes_round

QUERIES = np.array([[1, 1, 0], [0, 1, 1], [0, 0, 0], [1, 0, 1]], bool)
KEYS = np.array([[1, 0, 1, 1, 0], [0, 0, 1, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]], bool)
IDS = np.array([[0, 3, 0, 1, 2, 0], [2, 2, 1, 3, 0, 0], [1, 0, 0, 0, 0, 3]])
OTHERS = np.array([[1, 0, 2, 0], [0, 0, 0, 3], [2, 2, 0, 1]])


def softmax(scores):
    made = [math.exp(each - max(scores)) for each in scores]
    return [each / sum(made) for each in made]


def attended(scores, values, seen, blind):
    """One query's weighted sum by a loop over the keys that it sees."""
    there = [k for k in range(len(scores)) if seen[k]]
    if there:
        shares = dict(zip(there, softmax([scores[k] for k in there])))
    elif blind == "scores":
        shares = dict(enumerate(softmax(scores)))
    else:
        shares = {k: 1 / len(scores) if blind == "alike" else 0.0 for k in range(len(scores))}
    return sum(share * values[k] for k, share in shares.items())


def drawn(*sizes):
    rng = np.random.default_rng(5)
    return [rng.standard_normal(size) for size in sizes]


@pytest.mark.parametrize("of_three", [False, True])
@pytest.mark.parametrize("cls", ["Attention", "AdditiveAttention"])
def test_scored_attention_by_a_loop(cls, of_three):
    query, value, key = drawn((4, 3, 2), (4, 5, 2), (4, 5, 2))
    inputs = [query, value, key] if of_three else [query, value]
    key = key if of_three else value
    layer = getattr(scratch, cls)(use_scale=False, dtype="float64")
    layer.build([(None, *each.shape[1:]) for each in inputs])
    kept = [each.copy() for each in (*inputs, QUERIES, KEYS)]
    y = layer.forward([*inputs, QUERIES, KEYS])
    for n, q in np.ndindex(4, 3):
        scores = [sum(query[n, q] * key[n, k]) if cls == "Attention" else
                  sum(np.tanh(query[n, q] + key[n, k])) for k in range(5)]
        right = attended(scores, value[n], KEYS[n], "scores") if QUERIES[n, q] else np.zeros(2)
        np.testing.assert_allclose(y[n, q], right, atol=1e-6)  # 1e9 leaves scores 7 digits
    for array, before in zip((*inputs, QUERIES, KEYS), kept):
        np.testing.assert_array_equal(array, before)
    sent = layer.backward(np.ones_like(y))
    assert sent[-2:] == [None, None] and len(sent) == len(inputs) + 2
    assert not sent[0][~QUERIES].any()
    assert not sent[1][:3][~KEYS[:3]].any()  # the last sample has no key


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("grouped", [False, True])
def test_heads_by_a_loop(grouped, dropout):
    query, value = drawn((4, 3, 2), (4, 5, 2))
    layer = scratch.GroupedQueryAttention(3, 2, 1, dropout=dropout, dtype="float64") if grouped \
        else scratch.MultiHeadAttention(2, 3, dropout=dropout, dtype="float64")
    layer.build([(None, 3, 2), (None, 5, 2)])
    y = layer.forward([query, value, QUERIES, KEYS])
    w = {name: np.repeat(kernel, 2, axis=1) if grouped and name in ("key/kernel", "value/kernel")
         else kernel for name, kernel in layer.params.items()}
    for n, q in np.ndindex(4, 3):
        right = np.zeros(2)
        for h in range(2):
            own = query[n, q] @ w["query/kernel"][:, h]
            scores = [own @ (value[n, k] @ w["key/kernel"][:, h]) / math.sqrt(3) for k in range(5)]
            heads = attended(scores, [value[n, k] @ w["value/kernel"][:, h] for k in range(5)],
                             KEYS[n] & QUERIES[n, q], "zero" if dropout else "alike")
            right = right + heads @ w["attention_output/kernel"][h]
        np.testing.assert_allclose(y[n, q], right, atol=1e-6)
    sent = layer.backward(np.ones_like(y))
    assert sent[2:] == [None, None]
    assert not sent[0][~QUERIES].any()  # which has no say in any weight


def layers(keras, dtype):
    """(ours, Keras's) of each kind, with one set of weights, built for these inputs."""
    settings = {"Attention": {"use_scale": True, "score_mode": "concat"}, "AdditiveAttention": {},
                "MultiHeadAttention": {"num_heads": 2, "key_dim": 3},
                "dropping": {"num_heads": 2, "key_dim": 3, "dropout": 0.3},
                "GroupQueryAttention": {"head_dim": 3, "num_query_heads": 4,
                                        "num_key_value_heads": 2}}
    for name, arguments in settings.items():
        name = "MultiHeadAttention" if name == "dropping" else name
        ours = getattr(scratch, name.replace("Group", "Grouped"))(**arguments, dtype=dtype)
        yield ours, getattr(keras.layers, name)(**arguments, dtype=dtype)


@pytest.mark.parametrize("which", range(5))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_outputs_and_gradients_of_keras(keras, which, dtype):
    """Also of rows that see nothing; a query without a mask of its own counts as a whole."""
    import tensorflow as tf

    from reference.handing import handed

    ours, theirs = list(layers(keras, dtype))[which]
    query, value, key, dy = (each.astype(dtype) for each in drawn(
        (4, 3, 2), (4, 5, 2), (4, 5, 2), (4, 3, 2)))
    shapes = [(None, 3, 2), (None, 5, 2), (None, 5, 2)]
    ours.build(shapes)
    theirs.build(shapes) if which < 2 else theirs.build(*shapes)
    weights = [np.random.default_rng(i).standard_normal(w.shape)
               for i, w in enumerate(theirs.get_weights())]
    theirs.set_weights(weights)
    ours.set_weights(weights)
    tensors = [tf.constant(each) for each in (query, value, key)]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        inputs, more = handed(theirs, tensors, [tf.constant(QUERIES), tf.constant(KEYS)])
        made = theirs.call(inputs, **more) if which < 2 else theirs.call(*inputs, **more)
    variables = theirs.trainable_weights
    gradients = tape.gradient(made, [*tensors, *variables], tf.constant(dy))
    y = ours.forward([query, value, key, QUERIES.astype(dtype), KEYS.astype(dtype)])
    sent = ours.backward(dy)
    tolerance = 2e-5 if dtype == "float32" else 1e-6
    np.testing.assert_allclose(y, made, atol=tolerance, rtol=tolerance)
    assert y.dtype == dtype
    for own, right in zip([*sent[:3], *(ours.grads[name] for name in ours.params)], gradients):
        right = np.zeros_like(own) if right is None else right
        np.testing.assert_allclose(own, right, atol=10 * tolerance, rtol=10 * tolerance)


def graphs(K):
    """Graphs whose attentions get masks: of a package."""
    L = K.layers
    source, other = K.Input((6,)), K.Input((4,))
    words = L.Embedding(4, 4, mask_zero=True, name="words")(source)
    unmasked = L.Embedding(4, 4, name="unmasked")(other)
    decoded = L.Embedding(4, 4, mask_zero=True, name="decoded")(other)
    heads = L.MultiHeadAttention(2, 3, name="heads")
    grouped = getattr(L, "GroupQueryAttention", None) or L.GroupedQueryAttention
    mean = L.GlobalAveragePooling1D(name="mean")

    def block(tensor, name):
        seen = L.MultiHeadAttention(2, 3, name=f"{name}_heads")(tensor, tensor)
        return L.LayerNormalization(name=f"{name}_norm")(L.Add(name=f"{name}_sum")([tensor, seen]))

    within = K.Input((6, 4))
    inner = K.Model(within, L.MultiHeadAttention(2, 3, name="inside_heads")(within, within),
                    name="inner")
    linear = L.Dropout(0.0, name="drop")(words)
    return [source, other], {
        "self": mean(L.Attention(name="scored")([words, words])),
        "additive": mean(L.AdditiveAttention(name="scored")([words, words])),
        "heads": mean(heads(words, words)),
        "heads in a row": mean(L.MultiHeadAttention(1, 2, name="more")(*[heads(words, words)] * 2)),
        "grouped": mean(grouped(3, 4, 2, name="groups")(words, words)),
        "skip": mean(L.Add(name="sum")([words, heads(words, words)])),
        "two blocks": mean(block(block(words, "first"), "second")),
        "only keys": L.Dense(2, name="last")(L.Attention(name="scored")([unmasked, words])),
        "only queries": L.Dense(2, name="last")(heads(words, unmasked)),
        "across": mean(heads(decoded, words)),
        "across, scored": mean(L.Attention(name="scored")([decoded, words, words])),
        "states": L.LSTM(2, name="states")(L.Dense(3, name="dense")(heads(words, words))),
        "to the loss": L.Dense(2, name="last")(heads(words, words)),
        "inside": L.Attention(name="scored")([words, inner(words)]),
        "same": mean(L.Add(name="sum")([linear, heads(linear, linear)])),
        "taken off": L.Attention(name="scored")([words, heads(words, words)]),
    }


@pytest.mark.sampled(4)
@pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask")
@pytest.mark.parametrize("name", graphs(scratch)[1])
def test_graphs(keras, tmp_path, name):
    """Predictions and steps of training, out of a file that Keras wrote and back into one."""
    keras.utils.set_random_seed(0)
    (source, other), tensors = graphs(keras)
    tensor = tensors[name]
    twin = keras.Model([source, other], tensor) if name.startswith(("only", "across")) else \
        keras.Model(source, tensor)
    x = [IDS, OTHERS] if len(twin.inputs) > 1 else IDS
    twin.compile(keras.optimizers.SGD(0.2), "mse")
    y = np.random.default_rng(4).standard_normal(tuple(twin.predict(x, verbose=0).shape))
    assert_goes_round(keras, twin, x, y, tmp_path, atol=1e-5, rtol=1e-4)


def lost(L):
    """Graphs in which a mask is taken off an array that has two names, or is put back on."""
    source = scratch.Input((6,))
    words = L.Embedding(4, 4, mask_zero=True, name="words")(source)
    same = L.Identity(name="same")(words)
    linear = L.Dense(4, name="dense")(words)
    dropped = L.Dropout(0.2, name="drop")(linear)
    heads = L.MultiHeadAttention(2, 3, name="heads")
    within = scratch.Input((6, 4))
    inner = scratch.Model(within, L.MultiHeadAttention(2, 3, name="inside_heads")(within, within),
                          name="inner")
    return source, {
        "another name": lambda: L.Attention(name="scored")([words, heads(same, same)]),
        "one behind": lambda: L.Attention(name="scored")([same, heads(words, words)]),
        "an output": lambda: [linear, heads(dropped, dropped)],
        "put back": lambda: L.Attention(name="scored")([inner(words), inner(words)])}


@pytest.mark.parametrize("name", lost(scratch)[1])
def test_masks_that_two_lose(name):
    source, tensors = lost(scratch)
    with pytest.raises(UnsupportedError, match="does not support a mask that .* has taken off"):
        scratch.Model(source, tensors[name]())


def test_masks_of_value_and_key_that_differ():
    source, other = scratch.Input((6,)), scratch.Input((6,))
    value = scratch.Embedding(4, 4, mask_zero=True)(source)
    key = scratch.Embedding(4, 4, mask_zero=True)(other)
    with pytest.raises(UnsupportedError, match="a mask of the key that is not that of the value"):
        scratch.Model([source, other], scratch.MultiHeadAttention(2, 3)(value, value, key))
