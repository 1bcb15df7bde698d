"""Operations between layers: outputs and gradients are Keras's, at ties and kinks, too."""

import numpy as np
import pytest

import scratch

SHAPE = (4, 3, 2)
# of two tensors x and y of shape (batch, 4, 3, 2), written with keras.ops as K
OPERATIONS = {
    "add": lambda K, x, y: x + y, "add number": lambda K, x, y: x + 3,
    "number add": lambda K, x, y: 0.1 + x, "subtract": lambda K, x, y: x - y,
    "subtract number": lambda K, x, y: x - 1.5, "number subtract": lambda K, x, y: 2 - x,
    "multiply": lambda K, x, y: x * y, "multiply number": lambda K, x, y: x * (1 / 6),
    "square": lambda K, x, y: x * x, "divide": lambda K, x, y: x / (y + 5.5),
    "divide number": lambda K, x, y: x / 3, "number divide": lambda K, x, y: 2.0 / (x + 5.5),
    "ops.divide": lambda K, x, y: K.divide(x, y + 5.5), "negative": lambda K, x, y: -x,
    "maximum": lambda K, x, y: K.maximum(x, y), "maximum number": lambda K, x, y: K.maximum(1.0, x),
    "minimum": lambda K, x, y: K.minimum(x, y), "minimum number": lambda K, x, y: K.minimum(x, 1),
    "relu": lambda K, x, y: K.relu(x), "relu6": lambda K, x, y: K.relu6(3 * x),
    "clip": lambda K, x, y: K.clip(x, -1, 2), "sigmoid": lambda K, x, y: K.sigmoid(x),
    "tanh": lambda K, x, y: K.tanh(x), "silu": lambda K, x, y: K.silu(x),
    "hard_sigmoid": lambda K, x, y: K.hard_sigmoid(x), "hard_silu": lambda K, x, y: K.hard_silu(x),
    "selu": lambda K, x, y: K.selu(x), "softplus": lambda K, x, y: K.softplus(x),
    "softsign": lambda K, x, y: K.softsign(x), "softmax": lambda K, x, y: K.softmax(x, axis=-1),
    "softmax along rows": lambda K, x, y: K.softmax(x, axis=1),
    "mean": lambda K, x, y: K.mean(x, axis=(1, 2)),
    "mean kept": lambda K, x, y: K.mean(x, axis=[-1, 1], keepdims=True),
    "sum": lambda K, x, y: K.sum(x, axis=2), "reshape": lambda K, x, y: K.reshape(x, (-1, 6, 4)),
    "concatenate": lambda K, x, y: K.concatenate([x, y, x], axis=2),
    "transpose": lambda K, x, y: K.transpose(x, (0, 3, 1, 2)),
    "transpose from behind": lambda K, x, y: K.transpose(x, (0, -1, 2, 1)),
    "swapaxes": lambda K, x, y: K.swapaxes(x, 1, -1),
    "moveaxis": lambda K, x, y: K.moveaxis(x, 1, 3),
    "moveaxis of two": lambda K, x, y: K.moveaxis(x, (1, 3), (-1, 1)),
    "expand_dims": lambda K, x, y: K.expand_dims(x, 2),
    "expand_dims behind": lambda K, x, y: K.expand_dims(x, (-1, 1)),
    "squeeze": lambda K, x, y: K.squeeze(x[:, :1, :, 1:], (1, -1)),
    "stack": lambda K, x, y: K.stack([x, y, x], axis=2),
    "stack behind": lambda K, x, y: K.stack([x, y], axis=-1),
    "an item": lambda K, x, y: x[:, 2],
    "items": lambda K, x, y: x[..., ::-1, None, 1:], "item alone": lambda K, x, y: x[:, 1, -1, 0],
    "every second": lambda K, x, y: x[:, 1::2, ::2],
    "split": lambda K, x, y: K.multiply(*K.split(x, 2, axis=1)),
    "split at": lambda K, x, y: K.split(x, [1, 3], axis=1)[1],
    "unstack": lambda K, x, y: K.subtract(*K.unstack(x, 2, axis=-1)),
    "pad": lambda K, x, y: K.pad(x, ((0, 0), (1, 2), (0, 0), (0, 3))),
    "pad with a number": lambda K, x, y: K.pad(x, [[0, 0], [1, 0], [0, 2], [0, 0]],
                                               constant_values=0.3),
    "pad mirrored": lambda K, x, y: K.pad(x, [[0, 0], [3, 1], [0, 2], [1, 0]], mode="reflect"),
    "pad mirrored whole": lambda K, x, y: K.pad(x, [[0, 0], [4, 1], [0, 3], [2, 0]],
                                                mode="symmetric"),
    "roll": lambda K, x, y: K.roll(x, 1, axis=1),
    "roll of two": lambda K, x, y: K.roll(x, (-1, 2), axis=(1, 2)),
    "flip": lambda K, x, y: K.flip(x, axis=2), "flip of two": lambda K, x, y: K.flip(x, (1, -1)),
    "tile": lambda K, x, y: K.tile(x, (1, 2, 1, 3)),
    "repeat": lambda K, x, y: K.repeat(x, 3, axis=-2),
    "depth_to_space": lambda K, x, y: K.depth_to_space(K.concatenate([x, y, x, -y], axis=-1), 2),
    "space_to_depth": lambda K, x, y: K.space_to_depth(K.pad(x, [[0, 0], [0, 0], [0, 1], [0, 0]]),
                                                       2),
    "extract_patches": lambda K, x, y: K.image.extract_patches(x, (2, 3)),
    "extract_patches overlapping": lambda K, x, y: K.image.extract_patches(x, (3, 2),
                                                                           strides=(1, 1)),
    "exp": lambda K, x, y: K.exp(x), "log": lambda K, x, y: K.log(x * x + 0.5),
    "sqrt": lambda K, x, y: K.sqrt(x * x + 0.5), "rsqrt": lambda K, x, y: K.rsqrt(x * x + 0.5),
    "ops.square": lambda K, x, y: K.square(x), "absolute": lambda K, x, y: K.abs(x),
    "power": lambda K, x, y: x ** 3, "power of a fraction": lambda K, x, y: K.power(x * x + 1, 0.3),
    "reciprocal power": lambda K, x, y: K.power(x * x + 1, -2),
    "max": lambda K, x, y: K.max(x, axis=(1, 2)), "min": lambda K, x, y: K.min(x, axis=-1),
    "max kept": lambda K, x, y: K.max(x, axis=2, keepdims=True),
    "var": lambda K, x, y: K.var(x, axis=(1, 2)),
    "std": lambda K, x, y: K.std(x + K.concatenate([y, x, 3 * y], axis=1)[:, 4:8], axis=(1, 2, 3),
                                 keepdims=True),
    "norm": lambda K, x, y: K.norm(x + 9, axis=-1),
    "norm of two": lambda K, x, y: K.norm(x + 9, axis=(1, 2), keepdims=True),
    "normalize": lambda K, x, y: K.normalize(x + 0.25, axis=-1),
    "normalize along two": lambda K, x, y: K.normalize(x + 9, axis=(1, 2), epsilon=1e-3),
    "matmul": lambda K, x, y: K.matmul(x, K.swapaxes(y, 2, 3)),
    "@ repeated": lambda K, x, y: x @ K.swapaxes(y[:, :1], -1, -2),
    "einsum": lambda K, x, y: K.einsum("nhwc,nkwc->nhk", x, y),
    "einsum with an ellipsis": lambda K, x, y: K.einsum("n...c,nd->n...cd", x, y[:, 0, 0]),
    "einsum summed": lambda K, x, y: K.einsum("nhwc,nhc->nc", x, y[:, :, 0]),
    "resize": lambda K, x, y: K.image.resize(x, (7, 5)),
    "resize nearest": lambda K, x, y: K.image.resize(x, (2, 6), interpolation="nearest"),
    "gelu": lambda K, x, y: K.gelu(x), "gelu exact": lambda K, x, y: K.gelu(x, approximate=False),
    "elu": lambda K, x, y: K.elu(x, alpha=0.4), "leaky_relu": lambda K, x, y: K.leaky_relu(x, 0.1),
    "log_sigmoid": lambda K, x, y: K.log_sigmoid(x),
    "log_softmax": lambda K, x, y: K.log_softmax(x),
    "number of NumPy's": lambda K, x, y: x / np.sqrt(2.0) * np.float32(0.5),
    "number of a tensor": lambda K, x, y: x * K.sqrt(4.0),
    "greater": lambda K, x, y: K.cast(x > y, x.dtype) * y,
    "greater_equal": lambda K, x, y: K.cast(K.greater_equal(x, 1.0), x.dtype) * y,
    "less": lambda K, x, y: K.cast(x < y, x.dtype) + x,
    "less_equal": lambda K, x, y: K.cast(K.less_equal(0.0, x), x.dtype) * y,
    "equal": lambda K, x, y: K.cast(K.equal(x, y), x.dtype) * x,
    "not_equal": lambda K, x, y: K.cast(K.not_equal(x, 0.0), x.dtype) - y,
    "where": lambda K, x, y: K.where(x > y, x, 2.0 * y),
    "where of numbers": lambda K, x, y: K.where(x >= y, 1.0, -0.5) * x,
    "where of one number": lambda K, x, y: K.where(K.less(x, y), 0.25, y),
    "where repeated": lambda K, x, y: K.where(x > y, K.mean(x, axis=(1, 3), keepdims=True), y),
    "logical_and": lambda K, x, y: K.where(K.logical_and(x > 0, y < 1), x, y),
    "logical_or": lambda K, x, y: K.where(K.logical_or(x > 0, y < 1), x, y),
    "logical_xor": lambda K, x, y: K.where(K.logical_xor(x > 0, y < 1), x, y),
    "logical_not": lambda K, x, y: K.where(K.logical_not(x > y), x, y),
    "cast of numbers": lambda K, x, y: K.where(K.cast(x, "bool"), x + 1, y),
    "stop_gradient": lambda K, x, y: K.stop_gradient(x) * x + y,
    "broadcast": lambda K, x, y: x * K.mean(y, axis=(1, 3), keepdims=True) + y,
}


def pair(keras, make):
    """(Keras's model of one operation on two convolutions of the input, ours)."""
    L = keras.layers
    source = keras.Input(SHAPE, dtype="float64")
    # whole numbers in and out: the first channel's tensor and a shifted one tie often
    x = L.Conv2D(2, 1, use_bias=False, dtype="float64", name="x")(source)
    y = L.Conv2D(2, 1, use_bias=False, dtype="float64", name="y")(source)
    theirs = keras.Model(source, make(keras.ops, x, y))
    kernels = {"x": [[[[1, 0], [1, 1]]]], "y": [[[[1, 1], [0, 1]]]]}
    for layer in theirs.layers:
        if layer.name in kernels:
            layer.set_weights([np.array(kernels[layer.name])])
    ours = scratch.model_from_config(theirs.get_config())
    ours.set_weights(theirs.get_weights())
    return theirs, ours


# of float32 in Keras, whatever the model's precision
SINGLE = {"resize": {"rtol": 1e-5, "atol": 1e-6}}


@pytest.mark.parametrize("name", OPERATIONS)
def test_outputs_and_gradients_are_kerass(keras, name):
    import tensorflow as tf

    theirs, ours = pair(keras, OPERATIONS[name])
    rng = np.random.default_rng(3)
    for x in (rng.integers(-2, 3, (5, *SHAPE)).astype(float), rng.standard_normal((5, *SHAPE))):
        before = x.copy()
        with tf.GradientTape() as tape:
            tensor = tf.constant(x)
            tape.watch(tensor)
            want = theirs(tensor)
        dy = rng.standard_normal(want.shape)
        grads = tape.gradient(want, [tensor, *(v.value for v in theirs.trainable_variables)],
                              output_gradients=tf.constant(dy))
        near = SINGLE.get(name, {"rtol": 1e-7, "atol": 1e-9})
        np.testing.assert_allclose(ours.forward(x), want, **near)
        dx = ours.backward(dy)
        own = [layer.grads.get("kernel") for layer in ours.layers if layer.params]
        for mine, other in zip([dx, *own], grads, strict=True):
            assert (mine is None) == (other is None)  # what is only compared has no gradient
            np.testing.assert_allclose(*(0 if each is None else each for each in (mine, other)),
                                       **near)
        np.testing.assert_array_equal(x, before)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", OPERATIONS)
def test_configs_and_files_go_there_and_back(keras, name, tmp_path):
    theirs, ours = pair(keras, OPERATIONS[name])
    x = np.random.default_rng(0).standard_normal((3, *SHAPE))
    again = keras.Model.from_config(ours.get_config())
    again.set_weights(ours.get_weights())
    np.testing.assert_array_equal(again(x), theirs(x))
    ours.save(tmp_path / "ours.keras")
    theirs.save(tmp_path / "theirs.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "ours.keras")(x), theirs(x))
    read = scratch.load_model(tmp_path / "theirs.keras")
    np.testing.assert_array_equal(read.forward(x), ours.forward(x))
    assert [layer.name for layer in read.layers] == [layer.name for layer in ours.layers]


def test_operators_of_ours_are_those_of_keras(keras):
    def expression(x, y):
        return -(2.0 - x * 0.5) / (y / 4 + 9.0) + (x - y) * (1 / (3.0 + x * x)) - 1

    source, theirs = scratch.Input((3,), dtype="float64"), keras.Input((3,), dtype="float64")
    ours = scratch.Model(source, expression(source, scratch.ReLU()(source)))
    theirs = keras.Model(theirs, expression(theirs, keras.layers.ReLU(dtype="float64")(theirs)))
    x = np.random.default_rng(0).standard_normal((4, 3))
    np.testing.assert_allclose(ours.forward(x), theirs(x), rtol=1e-12)


def test_the_loss_is_computed_from_in_front_of_a_sigmoid(keras):
    """As behind a layer or an activation: otherwise it would be cut off near 16."""
    source = keras.Input((3,))
    theirs = keras.Model(source, keras.ops.sigmoid(keras.layers.Dense(1)(source)))
    theirs.compile("sgd", "binary_crossentropy")
    ours = scratch.model_from_config(theirs.get_config())
    ours.compile(scratch.SGD(0.01), "binary_crossentropy")
    theirs.set_weights([np.full((3, 1), 20.0), np.zeros(1)])
    ours.set_weights(theirs.get_weights())
    x, y = np.ones((2, 3)), np.zeros((2, 1))
    assert ours.evaluate(x, y, verbose=0) == pytest.approx(60)
    assert theirs.evaluate(x, y, verbose=0) == pytest.approx(60)


@pytest.mark.parametrize("make, named", [
    (lambda K, x: K.sinh(x), "an operation between layers, Sinh, which is not supported"),
    (lambda K, x: K.mean(x), "expected axes of the input other than the batch"),
    (lambda K, x: K.mean(x, axis=0), "expected axes of the input other than the batch"),
    (lambda K, x: K.reshape(x, (2, 3)), "expected -1 for the batch"),
    (lambda K, x: x[0], "does not support an index of the batch"),
    (lambda K, x: x[:1, :], "does not support an index of the batch"),
    (lambda K, x: x[..., 1:, :], "does not support an index of the batch"),
    (lambda K, x: K.transpose(x), "does not support another place for the batch"),
    (lambda K, x: K.transpose(K.expand_dims(x, 2), (1, 0, 2)), "x\\[:, :, 0\\] or keras.ops.split"),
    (lambda K, x: K.stack([x, x]), "other than the batch"),
    (lambda K, x: K.split(x, 2), "other than the batch"),
    (lambda K, x: K.flip(x), "other than the batch"),
    (lambda K, x: K.max(x, axis=1, initial=2.0), "keras.ops.maximum of the result"),
    (lambda K, x: K.norm(x, ord=1, axis=1), "does not support ord=1 along 1 axes"),
    (lambda K, x: K.normalize(x, order=1), "does not support order=1"),
    (lambda K, x: K.einsum("ij,kj->ik", x, x), "the batch first in both tensors"),
    (lambda K, x: K.einsum("ij->i", x), "expected two tensors"),
    (lambda K, x: K.pad(x, [[1, 0], [0, 0]]), "\\(0, 0\\) for the batch"),
    (lambda K, x: K.log_softmax(x, axis=0), "does not support axis=0"),
    (lambda K, x: x + np.ones(3), "an array, which a Dense or an Embedding could hold"),
    (lambda K, x: K.concatenate([x, x], axis=0), "other than the batch"),
])
def test_what_is_not_supported_is_refused_by_name(keras, make, named):
    source = keras.Input((3,), batch_size=2)
    config = keras.Model(source, make(keras.ops, source), name="m").get_config()
    with pytest.raises(ValueError, match=named):
        scratch.model_from_config(config)


@pytest.mark.parametrize("make, named", [
    (lambda x: x + "1", "expected tensors and numbers as operands. Received: '1' of type str"),
    (lambda x: x * True, "expected tensors and numbers as operands. Received: True of type bool"),
    (lambda x: x + scratch.Input((4,)), "shapes are equal, or 1"),
    (lambda x: x + scratch.Input((2, 3)), "expected tensors of as many axes"),
    (lambda x: scratch.operations.AddOperation(operands=[1, 2])(x), "one of them a tensor"),
    (lambda x: scratch.operations.ClipOperation(2, 1)(x), "numbers x_min <= x_max"),
])
def test_operands_that_cannot_be_are_refused(make, named):
    with pytest.raises(ValueError, match=named):
        make(scratch.Input((3,)))
