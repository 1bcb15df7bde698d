"""Arrays that lie in one vector, and what cannot."""

import hypothesis.extra.numpy as npst
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import scratch
from scratch import building, side_by_side


@st.composite
def arrays(draw):
    """Some arrays whose axes lie in memory in any order."""
    made = []
    for i in range(draw(st.integers(1, 5))):
        shape = draw(npst.array_shapes(min_dims=1, max_dims=4, max_side=4))
        order = draw(st.permutations(range(len(shape))))
        array = np.random.default_rng(i).normal(size=[shape[axis] for axis in order])
        made.append(array.astype(np.float32).transpose(np.argsort(order)))
    return made


@given(arrays())
def test_copies_are_equal_neighbours_in_the_same_memory_order(originals):
    copies = side_by_side.copies(originals)
    vector = side_by_side.joined(copies)
    assert vector is not None and vector.size == sum(array.size for array in originals)
    for copied, original in zip(copies, originals):
        np.testing.assert_array_equal(copied, original)
        sides = [i for i, side in enumerate(original.shape) if side > 1]
        assert [copied.strides[i] for i in sides] == [original.strides[i] for i in sides]
        assert side_by_side.has_place(copied)
    vector[...] = 3
    assert all((copied == 3).all() for copied in copies)
    assert side_by_side.runs(copies, copies) == [slice(0, len(copies))]


@given(arrays())
def test_zeros_have_a_memory_of_their_own(originals):
    zeros = side_by_side.zeros_like(originals)
    assert not any(map(np.any, zeros))
    assert not any(np.shares_memory(a, b) for a, b in zip(zeros, originals))


def test_other_arrays_are_no_neighbours():
    a, b, c = side_by_side.copies([np.ones(2), np.ones((2, 3)), np.ones(4)])
    assert side_by_side.joined([a, c]) is None and side_by_side.joined([b, a]) is None
    assert side_by_side.joined([np.ones(2), np.ones(3)]) is None
    assert side_by_side.joined([b[:, ::2]]) is None  # has gaps
    assert side_by_side.runs([a, b, c], [np.ones(2), np.ones((2, 3)), np.ones(4)]) == [
        slice(0, 1), slice(1, 2), slice(2, 3)]
    turned = side_by_side.copies([np.ones(2), np.ones((3, 2)).T, np.ones(4)])
    assert side_by_side.runs([a, b, c], turned) == [slice(0, 1), slice(1, 2), slice(2, 3)]


def test_precisions_stay_apart():
    mixed = side_by_side.copies([np.ones(2, np.float32), np.ones(2), np.ones(3)])
    assert [array.dtype.itemsize for array in mixed] == [4, 8, 8]
    assert side_by_side.runs(mixed) == [slice(0, 1), slice(1, 3)]


@given(arrays())
def test_flat_has_all_numbers(originals):
    for array in originals:
        assert sorted(side_by_side.flat([array])) == sorted(array.reshape(-1))
    copies = side_by_side.copies(originals)
    assert np.shares_memory(side_by_side.flat(copies), copies[0])


def test_weights_that_a_model_only_shares_stay_where_they_are(monkeypatch):
    monkeypatch.setattr(building, "MOST_SIDE_BY_SIDE", 40)
    source, hidden = scratch.Input((5,)), scratch.Dense(6, "relu")
    model = scratch.Model(source, scratch.Dense(4)(hidden(source)))  # too many to lie side by side
    model.compile("adam", "mse")
    x, y = np.ones((2, 5), np.float32), np.ones((2, 4), np.float32)
    model.train_on_batch(x, y)
    kernel = hidden.params["kernel"]
    features = scratch.Model(source, hidden(source))
    assert features.count_params() <= 40 and hidden.params["kernel"] is kernel
    model.train_on_batch(x, y)
    np.testing.assert_array_equal(features.predict_on_batch(x), hidden(x))


def test_weights_that_a_layer_knows_under_another_name_stay_where_they_are():
    class Scale(scratch.layers.Layer):
        def build(self, input_shape):
            super().build(input_shape)
            self.add_weight("factor", (1,), scratch.initializers.get("ones"))
            self.factor = self.params["factor"]

        def compute_output_shape(self, input_shape):
            return tuple(input_shape)

    scale = Scale()
    scratch.Sequential([scratch.Input((3,)), scale, scratch.Dense(2)])
    assert scale.factor is scale.params["factor"]
