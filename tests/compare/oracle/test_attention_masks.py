"""Oracles of attentions with masks: values and bounds, and whole checks of networks of them."""

import numpy as np
import pytest

import compare
import scratch
from compare.oracle.registry import oracle_for
from compare.oracle.running_error import Bounded, Rounding

QUERIES = np.array([[1, 1, 0], [0, 1, 1], [0, 0, 0], [1, 0, 1]])
KEYS = np.array([[1, 0, 1, 1, 0], [0, 0, 1, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]])
HEADS = {"num_heads": 2, "key_dim": 3}
KINDS = [("Attention", {"use_scale": True}), ("Attention", {"score_mode": "concat"}),
         ("AdditiveAttention", {}), ("MultiHeadAttention", HEADS),
         ("MultiHeadAttention", {**HEADS, "dropout": 0.4}),
         ("GroupedQueryAttention", {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2})]


def drawn(kind, settings, dtype, of_three):
    rng = np.random.default_rng(1)
    layer = scratch.layers.LAYERS[kind](**settings, dtype=dtype)
    x = [rng.standard_normal(shape).astype(dtype) for shape in ((4, 3, 2), (4, 5, 2), (4, 5, 2))]
    x = x if of_three else x[:2]
    layer.build([(None, *each.shape[1:]) for each in x])
    layer.set_weights([0.5 * rng.standard_normal(w.shape) for w in layer.get_weights()])
    return layer, [*x, QUERIES.astype(dtype), KEYS.astype(dtype)], \
        rng.standard_normal((4, 3, 2)).astype(dtype)


@pytest.mark.parametrize("of_three", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind, settings", KINDS)
def test_what_is_computed_lies_within_the_bounds(kind, settings, dtype, of_three):
    """Also in rows that see nothing."""
    layer, x, dy = drawn(kind, settings, dtype, of_three)
    rounding = Rounding.of(dtype)
    y = layer.forward(x)
    sent = layer.backward(dy)
    oracle = oracle_for(kind, layer.get_config())
    oracle.training = False
    right = oracle.forward([Bounded(each, rounding) for each in x],
                           {name: Bounded(w, rounding) for name, w in layer.params.items()})
    back, gradients = oracle.backward(Bounded(dy, rounding))
    made = [(y, right), *zip(sent[:-2], back), *((layer.grads[k], g) for k, g in gradients.items())]
    for ours, bounded in made:
        assert (np.abs(ours - bounded.value) <= bounded.bound).all()
        assert bounded.bound.max() < (1e-3 if dtype == "float32" else 1e-4)
    assert len(back) == len(x)
    assert all(not each.value.any() and each.shape == mask.shape
               for each, mask in zip(back[-2:], (QUERIES, KEYS)))


def test_large_scores_of_a_sample_without_keys():
    """In float32 what is left of scores beyond 32 less 1e9 is a multiple of 64."""
    rng, rounding = np.random.default_rng(2), Rounding.of("float32")
    x = [(10 * rng.standard_normal(shape)).astype("float32") for shape in ((2, 3, 4), (2, 5, 4))]
    x += [np.ones((2, 3), "float32"), np.zeros((2, 5), "float32")]
    layer = scratch.Attention()
    layer.build([(None, 3, 4), (None, 5, 4)])
    y = layer.forward(x)
    right = oracle_for("Attention", {}).forward([Bounded(each, rounding) for each in x], {})
    assert (np.abs(y - right.value) <= right.bound).all()


def test_drawn_numbers_become_masks():
    x = (np.ones((2, 3, 1)), np.ones((2, 2, 1)), np.array([[-2.0, 0, 7], [3, -1, 0.5]]),
         np.array([[-1.0, 2], [0, -3]]))
    made = oracle_for("Attention", {}).admitted_inputs(x)
    assert made[2].tolist() == [[0, 0, 1], [1, 0, 1]] and made[3].tolist() == [[1, 1], [1, 0]]


def graph(K, kind, dropout=0.0, dtype="float32"):
    """Two attentions, their sum with what they read, and a mean."""
    L = K.layers
    source = K.Input((6,))
    words = L.Embedding(4, 4, mask_zero=True, name="words", dtype=dtype)(source)
    if kind in ("Attention", "AdditiveAttention"):
        seen = getattr(L, kind)(dropout=dropout, name="first", dtype=dtype)([words, words])
    elif kind == "MultiHeadAttention":
        seen = L.MultiHeadAttention(2, 3, dropout=dropout, name="first", dtype=dtype)(words, words)
    else:
        cls = getattr(L, "GroupQueryAttention", None) or L.GroupedQueryAttention
        seen = cls(3, 4, 2, dropout=dropout, name="first", dtype=dtype)(words, words)
    joined = L.Add(name="sum", dtype=dtype)([words, seen])
    second = L.Attention(name="second", dtype=dtype)([seen, joined])
    mean = L.GlobalAveragePooling1D(name="mean", dtype=dtype)(second)
    return K.Model(source, L.Dense(2, name="last", dtype=dtype)(mean))


def batch():
    rng = np.random.default_rng(2)
    ids = rng.integers(0, 4, (5, 6))
    ids[3] = 0  # all of it padding
    ids[3, 2] = 1
    return ids, rng.standard_normal((5, 2))


@pytest.mark.sampled(2, of="dropout")
@pytest.mark.filterwarnings("ignore:Layer .* was passed an input with a mask")
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("kind", ["Attention", "AdditiveAttention", "MultiHeadAttention",
                                  "GroupedQueryAttention"])
def test_a_right_network_holds_against_keras(keras, kind, dropout):
    keras.utils.set_random_seed(0)
    theirs = graph(keras, kind, dropout)
    theirs.compile("sgd", "mse")
    model = scratch.Model.from_config(theirs.get_config())
    model.set_weights(theirs.get_weights())
    model.compile("sgd", "mse")
    report = compare.check(model, theirs, *batch())
    assert report, str(report)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["Attention", "MultiHeadAttention"])
def test_a_mask_ignored_or_inverted_is_named(kind, dtype):
    models = []
    for _ in range(2):
        scratch.set_random_seed(0)
        model = graph(scratch, kind, dtype=dtype)
        model.compile("sgd", "mse")
        models.append(model)
    assert compare.check(*models, *batch())
    mine = models[0].get_layer("first")
    right = mine.forward
    for change in (np.ones_like, np.logical_not):
        mine.forward = lambda x, training=False, f=change: right(
            [*x[:2], *(f(np.asarray(mask) != 0) for mask in x[2:])], training)
        report = compare.check(*models, *batch())
        assert not report and "masked steps are treated otherwise" in str(report)
