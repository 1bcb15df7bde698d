"""Operations of somebody else's runtime, written out number by number with a mistake in each: what
must be said of them."""

import numpy as np
import pytest

import compare
import scratch
from scratch import operations as ops

SHAPE = (3, 6, 5, 8)  # of what the operation reads


def pixel_shuffle(x):
    """As PyTorch's: channel k of pixel (i, j) of a block comes from channel k b b + i b + j."""
    n, rows, columns, _ = x.shape
    y = np.zeros((n, 2 * rows, 2 * columns, 2), x.dtype)
    for k, i, j in np.ndindex(2, 2, 2):
        y[:, i::2, j::2, k] = x[..., 4 * k + 2 * i + j]
    return y


def unfold(x):
    """As PyTorch's: of each patch channel by channel."""
    n, rows, columns, channels = x.shape
    y = np.zeros((n, rows // 3, columns - 1, 6 * channels), x.dtype)
    for p, q in np.ndindex(*y.shape[1:3]):
        for k, i, j in np.ndindex(channels, 3, 2):
            y[:, p, q, 6 * k + 2 * i + j] = x[:, 3 * p + i, q + j, k]
    return y


def tiled(x):
    return np.concatenate([x, x, x], axis=2)


def mirrored_with_the_edge(x):
    return np.concatenate([x[:, :, 1::-1], x, x[:, :, :-2:-1]], axis=2)


CASES = [
    (ops.DepthToSpaceOperation(2, name="op"), pixel_shuffle, "block-order"),
    (ops.ExtractPatchesOperation([3, 2], [3, 1], name="op"), unfold, "block-order"),
    (ops.RepeatOperation(3, 2, name="op"), tiled, "copies-order"),
    (ops.PadOperation([[0, 0], [0, 0], [2, 1], [0, 0]], "reflect", name="op"),
     mirrored_with_the_edge, "padding-value"),
    (ops.SplitOperation(2, axis=-1, place=1, name="op:1"), lambda x: x[..., 1::2], "part-other"),
    (ops.UnstackOperation(axis=1, place=1, name="op:1"), lambda x: x[:, -1], "part-other"),
    (ops.FlipOperation(1, name="op"), lambda x: x[:, :, ::-1], "axis-other"),
    (ops.RollOperation([1], [1], name="op"),
     lambda x: np.concatenate([x[:, 1:], x[:, :1]], axis=1), "shifted"),
    (ops.StdOperation(axis=[1, 2], name="op"), lambda x: x.std(axis=(1, 2), ddof=1),
     "reduction-other"),
    (ops.MaxOperation(axis=[1, 2], name="op"), lambda x: np.abs(x).max(axis=(1, 2)),
     "reduction-other"),
    (ops.ExpOperation(name="op"), lambda x: np.exp2(x), "function-other"),
    (ops.AddOperation([None, 0.5], name="op"), lambda x: x - np.float32(0.5), "number-other"),
    (ops.ClipOperation(-0.5, 0.5, name="op"), lambda x: np.minimum(x, np.float32(0.5)),
     "clip-missing"),
]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("operation, wrong, cause", CASES,
                         ids=[f"{type(case[0]).__name__}-{case[2]}" for case in CASES])
def test_what_another_runtime_made_is_named(keras, operation, wrong, cause):
    x = scratch.Input((*SHAPE[1:3], 2))
    model = scratch.Model(x, operation(scratch.Conv2D(SHAPE[3], 1, name="front")(x)))
    twin = compare.twin(model)
    batch = np.random.default_rng(3).standard_normal((*SHAPE[:3], 2)).astype("float32")
    right = {part.layer: part.output
             for part in compare.record(twin, batch, gradients=False).parts}
    last = next(name for name in right if name.startswith("op"))
    assert compare.check_outputs(twin, batch, right)
    report = compare.check_outputs(twin, batch, {**right, last: wrong(right["front"])})
    assert report.first_failure.layer == last
    assert report.cause.identifier == cause, report


def products(kind, **settings):
    """A model of the product of two tensors (6, 5, 5)."""
    x = scratch.Input((6, 5, 2))
    a, b = (scratch.Conv2D(5, 1, name=name)(x) for name in "ab")
    return scratch.Model(x, kind(name="op", **settings)([a, b]))


def test_a_gradient_of_a_product_that_lacks_a_transpose_is_named(keras):
    model = products(ops.MatmulOperation)
    twin, layer = compare.twin(model), model.layers[-1]

    def backward(dy, wants_input_gradient=True):
        a, b = layer._a, layer._b
        return [dy @ b, np.stack([u.T @ v for u, v in zip(
            a.reshape(-1, 5, 5), dy.reshape(-1, 5, 5))]).reshape(b.shape)]

    layer.backward = backward
    batch = np.random.default_rng(4).standard_normal((3, 6, 5, 2))
    report = compare.check(model, twin, batch, steps=0)
    assert (report.first_failure.layer, report.first_failure.tensor) == ("op", "input_gradient_1")
    assert report.cause.identifier == "product-axes", report


def test_a_sum_along_an_axis_of_another_length_is_named_though_its_shape_is_wrong(keras):
    x = scratch.Input((6, 5, 2))
    model = scratch.Model(x, ops.SumOperation(axis=1, name="op")(scratch.Conv2D(4, 1)(x)))
    twin, layer = compare.twin(model), model.layers[-1]
    layer.forward = lambda x, training=False: x.sum(axis=2)
    batch = np.random.default_rng(5).standard_normal((3, 6, 5, 2))
    report = compare.check(model, twin, batch, steps=0, upstream=np.ones((3, 5, 4)))
    assert report.cause.identifier == "axis-other", report


def test_a_gradient_of_what_is_not_defined_below_zero_is_named(keras):
    x = scratch.Input((6, 5, 2))
    above_zero = ops.SoftplusOperation()(scratch.Conv2D(4, 1)(x)) + 0.25
    model = scratch.Model(x, ops.SqrtOperation(name="op")(above_zero))
    twin, layer = compare.twin(model), model.layers[-1]
    layer.backward = lambda dy, wants_input_gradient=True: dy / 2 / layer._x
    batch = np.random.default_rng(6).standard_normal((3, 6, 5, 2))
    report = compare.check(model, twin, batch, steps=0)
    assert report.cause.identifier == "function-other", report


def test_a_gradient_that_is_not_added_up_is_named_by_its_shape(keras):
    x = scratch.Input((6, 5, 2))
    y = scratch.Conv2D(4, 1)(x)
    mean = ops.MeanOperation(axis=[1, 2], keepdims=True)(scratch.Conv2D(4, 1)(x))
    model = scratch.Model(x, ops.AddOperation(name="op")([y, mean]))
    twin, layer = compare.twin(model), model.layers[-1]
    layer.backward = lambda dy, wants_input_gradient=True: [dy, dy]
    batch = np.random.default_rng(7).standard_normal((3, 6, 5, 2))
    report = compare.check(model, twin, batch, steps=0)
    assert report.cause.identifier == "copies-not-added", report
    assert "not added up along axes 1 and 2" in str(report.cause)
