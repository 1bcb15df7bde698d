"""The circle loss against plain loops and Keras: pairs, settings, weights, the mean of those above
0."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scratch.losses import Circle
from tests.draws import draws
from tests.scratch.support.cases import seeds
from tests.scratch.support.checks import EXAMPLES, LAYOUTS, assert_close
from tests.scratch.support.circle_oracle import circle
from tests.scratch.support.loss_cases import REDUCTIONS, keras_says, weights

SETTINGS = [{}, {"gamma": 10.0, "margin": 0.25}, {"remove_diagonal": False},
            {"gamma": 256.0, "remove_diagonal": False, "margin": 0.1}, {"margin": -0.1}]


def drawn(rng, dtype="float64", unit=True):
    """(labels of three classes, embeddings, of which two are equal), of any size."""
    count, width = rng.integers(2, 8), rng.integers(1, 5)
    made = rng.standard_normal((count, width))
    if unit:
        made /= np.linalg.norm(made, axis=1, keepdims=True)
    made[-1] = made[0]
    labels = rng.integers(-1, 2, count)
    labels[-1] = labels[0]
    return labels, made.astype(dtype)


@settings(EXAMPLES, max_examples=draws(200))
@given(arguments=st.sampled_from(SETTINGS), reduction=st.sampled_from(REDUCTIONS),
       weighted=st.sampled_from(["none", "samples", "column"]), column=st.booleans(),
       layout=st.sampled_from(sorted(LAYOUTS)), seed=seeds)
def test_it_is_the_loops_loss(arguments, reduction, weighted, column, layout, seed):
    rng = np.random.default_rng(seed)
    labels, made = drawn(rng, unit=seed % 3 > 0)
    weight = weights({"none": None, "samples": labels.shape,
                      "column": (len(labels), 1)}[weighted], rng)
    held = None if weight is None else weight.reshape(-1)
    loss, laid = Circle(reduction=reduction, **arguments), LAYOUTS[layout](made)
    value = loss.forward(labels[:, None] if column else labels, laid, sample_weight=weight)
    expected, slopes = circle(labels, made, reduction, held, **arguments)
    # 1 - e e may be on either side of 0, where its slope is next to 0 for samples of one class
    assert_close(value, expected, 1e-9 * max(1, abs(expected)))
    assert_close(loss.backward(), slopes, 1e-8 * max(1, np.abs(slopes).max()))
    np.testing.assert_array_equal(laid, made, "the outputs were written to")


@pytest.mark.sampled(3)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("arguments", SETTINGS, ids=str)
def test_it_is_kerass(keras, arguments, dtype):
    for seed in range(16):
        rng = np.random.default_rng(seed)
        labels, made = drawn(rng, dtype)
        reduction = REDUCTIONS[seed % 4]
        weight = weights([None, labels.shape, (len(labels), 1)][seed % 3], rng)
        loss = Circle(reduction=reduction, **arguments)
        twin = keras.losses.Circle(reduction=reduction, dtype=dtype, **arguments)
        expected, slopes = keras_says(twin, labels, made, weight)
        value = loss.forward(labels, made, sample_weight=weight)
        gradient = loss.backward()
        assert value.dtype == gradient.dtype == made.dtype
        near = np.finfo(dtype).eps * 3000
        assert_close(value, expected, near * max(1, abs(expected)), f"seed {seed}")
        assert_close(gradient, slopes, near * max(1, np.abs(slopes).max()), f"seed {seed}")


def test_gradients_are_the_slopes_of_the_loss():
    """Central differences: by the sample itself and by those to which it is near or far."""
    rng = np.random.default_rng(5)
    labels, made = np.array([0, 1, 0, 1, 2, 1]), rng.standard_normal((6, 3)) / 2
    weight, step = rng.random(6), 1e-6
    loss = Circle(gamma=3.0, reduction="mean_with_sample_weight")
    loss.forward(labels, made, sample_weight=weight)
    gradient = loss.backward()
    for at in np.ndindex(made.shape):
        moved = [made.copy(), made.copy()]
        moved[0][at] += step
        moved[1][at] -= step
        up, down = (loss(labels, array, sample_weight=weight) for array in moved)
        assert gradient[at] == pytest.approx((up - down) / (2 * step), abs=1e-7), at


def test_the_mean_is_of_losses_above_0_alone(keras):
    """Sample 4 is the only one of its class: it has nothing to be near to."""
    made = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0.6, 0.8]], "float32")
    labels = np.array([0, 0, 1, 1, 2])
    losses, counts = Circle().each(labels, made)
    np.testing.assert_array_equal(counts, [True] * 4 + [False])
    assert Circle()(labels, made) == pytest.approx(losses.sum() / 4)
    for few in (labels * 0, np.arange(5)):  # nobody to be far from, or near to
        loss = Circle()
        assert loss.forward(few, made) == 0 == keras.losses.Circle()(few, made)
        assert not loss.backward().any()
    # exp(-2 gamma m^2) is below float32's smallest normal number, and float64 holds it
    steep = Circle(gamma=290.0)
    assert not steep.each(labels[:4], made[:4])[1].any()
    assert steep(labels[:4], made[:4]) == 0 == keras.losses.Circle(gamma=290.0)(labels[:4],
                                                                              made[:4])
    assert 0 < steep(labels[:4], made[:4].astype(float)) < 1e-38


def test_a_mask_leaves_a_sample_out_but_not_as_a_partner():
    labels, made = drawn(np.random.default_rng(8))
    mask = np.arange(len(labels)) % 2 == 0
    loss = Circle(gamma=5.0)
    value = loss.forward(labels, made, mask=mask)
    each, above = loss.each(labels, made)
    assert value == pytest.approx(each[mask].sum() / (above & mask).sum())


@pytest.mark.parametrize("labels, shape, said", [
    (np.zeros((4, 2)), (4, 2), r"labels of shape \(batch,\) or \(batch, 1\).*\(4, 2\)"),
    (np.zeros(3), (4, 2), r"Received: labels of shape \(3,\), outputs of shape \(4, 2\)"),
    (np.zeros(4), (4, 3, 2), r"outputs of shape \(batch, width\).*\(4, 3, 2\)"),
    ([0, 1, 0.5, 1], (4, 2), "whole numbers.*Received: 0.5 .label number 2 of 4."),
    ([0, 1, np.nan, 1], (4, 2), "whole numbers.*Received: nan"),
    ([0, 2**24 + 1, 0, 1], (4, 2), "at most 16777216 in size.*Received: 16777217"),
])
def test_labels_that_do_not_fit_are_refused(labels, shape, said):
    with pytest.raises(ValueError, match=said):
        Circle()(np.asarray(labels), np.ones(shape))
