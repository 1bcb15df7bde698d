"""Every declared difference is one: what Keras does and what scratch does, each shown.

The test of an entry bears its name, and fails as soon as either side changes. Here are those in
numbers; those of configs, files and training are in test_in_use.py.
"""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import compare
import scratch
from compare.evaluation import deviations
from compare.evaluation.deviations.difference import Difference
from compare.inputs import twins
from tests.compare.evaluation.deviations import test_in_use
from tests.compare.support.differing import IMAGE, VOLUME, dense, real, sides, whole

ROOT = Path(compare.__file__).parent.parent


def slope(function, x):
    """(y, dx) by TensorFlow's tape, for a gradient of ones."""
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    return y.numpy(), tape.gradient(y, x, output_gradients=tf.ones_like(y)).numpy()


def own_slope(function, x):
    with np.errstate(invalid="ignore"):
        y = function.function(x)
        return y, function.gradient(np.ones_like(x), x, y)


def computes_with_onednn_only(keras, onednn, name, arguments, shape=IMAGE):
    """In both precisions: the same numbers where oneDNN computes, an error from Keras elsewhere.

    The numbers are whole, so that nothing may differ at all.
    """
    theirs, ours = sides(keras, name)
    for dtype in ("float32", "float64"):
        twin, model = theirs(**arguments, dtype=dtype), ours(**arguments, dtype=dtype)
        twin.build(shape)
        model.build((None, *shape[1:]))
        for i, (own, their) in enumerate(zip(model.params.values(), twin.weights, strict=True)):
            own[...] = whole(their.shape, i)
        twin.set_weights(list(model.params.values()))
        x = whole(shape, 7).astype(dtype)
        if onednn(dtype):
            np.testing.assert_array_equal(model(x), twin(x))
        else:
            with pytest.raises(Exception, match="Exception encountered when calling"):
                twin(x)
    return model(x)


def test_every_entry_is_shown_here():
    shown = {name.removeprefix("test_") for name in {**globals(), **vars(test_in_use)}
             if name.startswith("test_")}
    assert set(deviations.ALL) <= shown
    assert len(deviations.ALL) == sum(
        len(module.ENTRIES) for module in (deviations.kernels, deviations.numbers,
                                           deviations.configs, deviations.running))


@pytest.mark.parametrize("entry", deviations.ALL.values(), ids=lambda entry: entry.name)
def test_entries_are_whole(entry):
    for text in (entry.where, entry.keras, entry.ours, entry.why, entry.checks):
        assert text.strip() == text and text and "  " not in text
    assert entry.why[-1] == entry.checks[-1] == "." and entry.keras[-1] != "."
    for path in entry.known_by:
        assert entry.name in (ROOT / path).read_text(encoding="utf-8"), path


def test_entries_are_found_by_what_they_concern():
    (found,) = deviations.concerning("losses.Huber.delta")
    assert isinstance(found, Difference) and found.name == "huber_delta_in_config"
    assert deviations.concerning("Dense.units") == []


# what TensorFlow's CPU kernels cannot do

@pytest.mark.parametrize("name, shape", [("Conv2D", IMAGE), ("Conv1D", IMAGE[:3]),
                                         ("Conv2DTranspose", IMAGE), ("Conv1DTranspose", IMAGE[:3]),
                                         ("Conv3DTranspose", VOLUME)])
def test_channels_first_convolution(keras, onednn, name, shape):
    y = computes_with_onednn_only(keras, onednn, name, dict(
        filters=4, kernel_size=2, data_format="channels_first"), shape)
    assert y.shape[1] == 4


@pytest.mark.parametrize("name, rate, shape, out", [
    ("Conv2DTranspose", (1, 2), IMAGE, (7, 9)), ("Conv1DTranspose", 2, IMAGE[:3], (8,)),
    ("Conv3DTranspose", (1, 3, 2), VOLUME, (4, 7, 9))])
def test_transposed_dilation(keras, onednn, name, rate, shape, out):
    y = computes_with_onednn_only(keras, onednn, name,
                                  dict(filters=3, kernel_size=2, dilation_rate=rate), shape)
    assert y.shape == (2, *out, 3)


@pytest.mark.parametrize("name", ["MaxPooling3D", "AveragePooling3D"])
def test_pooling_of_volumes_in_float64(keras, name):
    theirs, ours = sides(keras, name)
    x = whole(VOLUME)
    y = ours(2, dtype="float64")(x.astype("float64"))
    np.testing.assert_array_equal(y, theirs(2)(x))
    with pytest.raises(Exception, match="Exception encountered when calling"):
        theirs(2, dtype="float64")(x.astype("float64"))


@pytest.mark.parametrize("name, arguments", [("DepthwiseConv2D", {}),
                                             ("SeparableConv2D", {"filters": 3})])
def test_unequal_depthwise_strides(keras, onednn, name, arguments):
    y = computes_with_onednn_only(keras, onednn, name,
                                  dict(kernel_size=2, strides=(1, 2), **arguments))
    assert y.shape[1:3] == (5, 3)


@pytest.mark.parametrize("name, arguments", [
    ("Resizing", dict(height=4, width=9)), ("CenterCrop", dict(height=9, width=3))])
def test_resizing_in_float64(keras, name, arguments):
    """Keras's numbers are float32's, ours as good as float64's."""
    theirs, ours = sides(keras, name)
    twin, model = theirs(**arguments, dtype="float64"), ours(**arguments, dtype="float64")
    model.build((None, *IMAGE[1:]))
    x = real(IMAGE).astype("float64")
    y = model(x)
    off = np.abs(twin(x).numpy() - y).max()
    assert 1e-9 < off < 1e-6
    assert (slope(twin, x)[0].dtype == "float32") == (name == "CenterCrop")
    dy = real(y.shape, 2).astype("float64")
    dx = model.backward(dy)  # the layer is linear
    assert (dx * x).sum() == pytest.approx((dy * y).sum(), rel=1e-12)
    if name == "Resizing":
        assert compare.check(*twins.twins(scratch.Sequential([
            scratch.Input(IMAGE[1:]), ours(**arguments)], dtype="float64")), x, upstream=dy)


OVERRUN = """
import itertools
import numpy as np, reference
from reference.quiet import keras, tf

rng = np.random.default_rng(0)
for _, size, batch, filters in itertools.product(range(3), (16, 32, 64), (1, 2), (1, 6, 64)):
    layer = {layer}(filters, 1, strides=2, use_bias=False)
    x = rng.integers(-3, 4, (batch, size, size, 4)).astype("float32")
    with tf.GradientTape() as tape:
        y = layer(x)
    dy = rng.integers(-3, 4, y.shape).astype("float32")
    gradient = tape.gradient(y, layer.kernel.value, output_gradients=dy).numpy()[0, 0]
    if "transpose" in layer.name:
        right = np.einsum("nijf,nijc->fc", dy[:, ::2, ::2], x)
    else:
        right = np.einsum("nijc,nijf->cf", x[:, ::2, ::2], dy)
    assert (gradient == right).all(), "wrong numbers"
print("all right")
"""


def survives(layer, onednn) -> bool:
    """Whether kernel gradients come out right, in a process that may die of them."""
    run = subprocess.run([sys.executable, "-c", OVERRUN.format(layer=layer)], cwd=ROOT,
                         env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": str(int(onednn))},
                         capture_output=True, text=True)
    return run.stdout.strip() == "all right"


@pytest.mark.long
@pytest.mark.parametrize("layer", ["keras.layers.Conv2D", "keras.layers.Conv2DTranspose"])
def test_strided_pointwise_gradient(onednn, layer):
    """Whole numbers, whose sums of products are exact."""
    assert survives(layer, onednn=False)
    if onednn("float32"):
        assert not survives(layer, onednn=True), "oneDNN's gradient is right by now"


@pytest.mark.parametrize("name, size, arguments, refused", [
    ("Conv2DTranspose", (3, 4), {}, True), ("Conv2D", (6, 4), {}, True), ("Conv1D", (6,), {}, True),
    ("ConvLSTM2D", (2, 6, 4), {}, True), ("ConvLSTM1D", (2, 6), {}, True),
    ("ConvLSTM2D", (2, 6, 5), {}, False), ("Conv2D", (6, 4), dict(trainable=False), False),
    ("Conv2D", (6, 5), {}, False),
    ("Conv2D", (6, 4), dict(dtype="float64"), False)])
def test_strided_pointwise_gradient_is_refused_before_it_runs(keras, onednn, name, size, arguments,
                                                              refused):
    dtype = arguments.get("dtype", "float32")
    layer = getattr(keras.layers, name)(2, 1, strides=2, name="points", **arguments)
    model, twin = twins.twins(keras.Sequential([keras.Input((*size, 3), dtype=dtype), layer]))
    x = real((3, *size, 3)).astype(dtype)
    upstream = real((3, *twin.output_shape[1:]), 2).astype(dtype)
    if refused and onednn("float32"):
        with pytest.raises(ValueError, match="'points'.*Received: kernel_size=1 with strides over"):
            compare.check(model, twin, x, upstream=upstream)
    else:
        assert compare.check(model, twin, x, upstream=upstream, probes=False)


@pytest.mark.parametrize("size, refused", [((6, 4), True), ((6, 5), False)])
def test_patches_of_one_pixel_are_refused_before_they_are_cut_out(keras, onednn, size, refused):
    patches = scratch.operations.ExtractPatchesOperation([1, 1], [2, 2], name="points")
    x = scratch.Input((*size, 3))
    model, twin = twins.twins(scratch.Model(x, patches(scratch.Conv2D(2, 1)(x))))
    images = real((3, *size, 3))
    upstream = real((3, *model.output_shape[1:]), 2)
    if refused and onednn("float32"):
        with pytest.raises(ValueError, match="'points'.*Received: size=1 with strides over"):
            compare.check(model, twin, images, upstream=upstream)
    else:
        assert compare.check(model, twin, images, upstream=upstream, probes=False)


POOLED = """
import numpy as np
from reference.quiet import keras

x = np.arange(70.0, dtype="float32").reshape(1, 7, 5, 2)
print("pooled", float(np.asarray(keras.layers.AdaptiveMaxPooling2D(1)(x)).max()))
"""


@pytest.mark.compiled
def test_adaptive_pooling_to_one(keras, onednn):
    run = subprocess.run([sys.executable, "-c", POOLED], cwd=ROOT, capture_output=True, text=True)
    if onednn("float32"):
        assert not run.stdout.strip() and run.returncode < 0, "oneDNN pools by now"
    else:
        assert (run.stdout.strip(), run.returncode) == ("pooled 69.0", 0)
    x = np.arange(70.0).reshape(1, 7, 5, 2)
    assert scratch.AdaptiveMaxPooling2D(1)(x).ravel().tolist() == [68.0, 69.0]
    for kind in ("Average", "Max"):
        model, twin = twins.twins(scratch.Sequential([
            scratch.Input((7, 5, 2)),
            getattr(scratch, f"Adaptive{kind}Pooling2D")((1, 3), name="few")]))
        with pytest.raises(ValueError, match="'few'.*output_size=.1, 3.*larger than the image"):
            compare.check(model, twin, real((3, 7, 5, 2)), upstream=real((3, 1, 3, 2), 2))
    with pytest.raises(ValueError, match="[Nn]egative dimension"):  # an average, compiled
        twins.twins(scratch.Sequential([scratch.Input((7, 5, 2)), scratch.AdaptiveAveragePooling2D(
            1)]))[1].predict(x, verbose=0)


# numbers

@pytest.mark.parametrize("name, arguments, shape", [
    ("Conv2D", dict(filters=4, groups=2), (2, 6, 5, 4)),
    ("Conv1D", dict(filters=4, groups=2), (2, 6, 4)),
    ("DepthwiseConv2D", {}, (2, 4, 5, 4)), ("SeparableConv2D", dict(filters=4), (2, 6, 5, 4)),
    ("Conv3D", dict(filters=4), (2, 2, 6, 5, 4)), ("DepthwiseConv1D", {}, (2, 4, 4)),
    ("SeparableConv1D", dict(filters=4), (2, 6, 4))])
def test_bias_along_width(keras, name, arguments, shape):
    """Nothing but the bias, which differs by channel: as many columns as channels come out."""
    theirs, ours = (cls(kernel_size=1, data_format="channels_first", **arguments)
                    for cls in sides(keras, name))
    x = np.zeros(shape, "float32")
    theirs.build(shape)
    theirs.set_weights([w if w.ndim > 1 else np.arange(4.0) for w in theirs.get_weights()])
    ours.build((None, *shape[1:]))
    for own, their in zip(ours.params.values(), theirs.get_weights(), strict=True):
        own[...] = their
    bias = np.arange(4, dtype="float32")
    shape = ours.output_shape[1:]
    across = bias.reshape(4, *[1] * (len(shape) - 1))
    np.testing.assert_array_equal(theirs(x), np.broadcast_to(bias, (2, *shape)))
    np.testing.assert_array_equal(ours(x), np.broadcast_to(across, (2, *shape)))
    model = scratch.Sequential([scratch.Input(x.shape[1:]), ours])
    twin = keras.Sequential([keras.Input(x.shape[1:]), theirs])
    report = compare.check(model, twin, x, upstream=np.ones((2, *shape)), probes=False)
    assert {row.off for row in report.rows if not row.passed} == {"reference"}


@pytest.mark.parametrize("sizes, along", [((9, 2, 2), 2), ((2, 2, 3), 0), ((9, 4, 2), 1)])
def test_bias_along_width_of_einsum_dense(keras, sizes, along):
    """A bias along the middle axis; only where no other is as long it comes to lie there."""
    arguments = dict(equation="abc,cde->abde", output_shape=sizes, bias_axes="d")
    theirs, ours = (cls(**arguments) for cls in sides(keras, "EinsumDense"))
    x = np.zeros((2, sizes[0], 1), "float32")
    theirs.build(x.shape)
    ours.build((None, *x.shape[1:]))
    bias = np.arange(1.0, sizes[1] + 1, dtype="float32")
    theirs.set_weights([theirs.get_weights()[0], bias[:, None]])
    ours.set_weights(theirs.get_weights())

    def spread(axis):
        shape = [1, 1, 1, 1]
        shape[axis + 1] = -1
        return np.broadcast_to(bias.reshape(shape), (2, *sizes))

    np.testing.assert_array_equal(theirs(x), spread(along))
    np.testing.assert_array_equal(ours(x), spread(1))


@pytest.mark.parametrize("steps", [2, 3])
@pytest.mark.parametrize("name, arguments", [
    ("MultiHeadAttention", dict(num_heads=2, key_dim=3, value_dim=1)),
    ("GroupQueryAttention", dict(head_dim=1, num_query_heads=4, num_key_value_heads=2))])
def test_bias_along_width_of_attentions(keras, name, arguments, steps):
    """Two heads of one number, or two of keys and values: at two steps alone Keras's differs."""
    theirs, ours = (cls(**arguments) for cls in sides(keras, name))
    x = real((3, steps, 5))
    theirs.build(x.shape, x.shape)
    ours.build([(None, *x.shape[1:])] * 2)
    rng = np.random.default_rng(1)
    theirs.set_weights([rng.standard_normal(w.shape) for w in theirs.get_weights()])
    ours.set_weights(theirs.get_weights())
    off = np.abs(theirs(x, x).numpy() - ours.forward([x, x])).max()
    assert (off > 1e-2) == (steps == 2) and (off < 1e-5) == (steps == 3)


@pytest.mark.parametrize("batch", [2, 3, 5])
@pytest.mark.parametrize("shape", [(3,), (3, 4), (4, 3)])
def test_bias_along_width_of_sums(keras, shape, batch):
    """One number a sample, added to what has as many numbers, or steps, as the batch has samples.
    Numbers that are drawn for the two have another batch, so that the check stays silent."""
    a = real((batch, *shape))
    b = np.arange(batch, dtype="float32").reshape(batch, *[1] * len(shape))
    theirs, ours = (cls() for cls in sides(keras, "Add"))
    ours.build([(None, *shape), (None, *b.shape[1:])])
    np.testing.assert_array_equal(ours.forward([a, b]), a + b)
    assert np.array_equal(theirs([a, b]), a + b) == (batch != 3)
    x = scratch.Input(shape)
    mean = scratch.operations.MeanOperation(axis=[*range(1, len(shape) + 1)], keepdims=True)(x)
    model = scratch.Model(x, scratch.Add()([x, mean]))
    report = compare.check(model, compare.twin(model), a, upstream=real(a.shape))
    assert {row.off for row in report.rows if not row.passed} == {
        2: set(), 5: set(), 3: {"reference"}}[batch], report


@pytest.mark.parametrize("name, shape", [("Conv2D", (2, 6, 5, 4)), ("Conv1D", (2, 6, 4)),
                                         ("Conv2DTranspose", (2, 6, 5, 4))])
def test_bias_along_width_where_only_onednn_convolves(keras, onednn, name, shape):
    layer = getattr(keras.layers, name)(4, 1, data_format="channels_first")
    layer.build(shape)
    bias = np.arange(4, dtype="float32")
    layer.set_weights([layer.get_weights()[0], bias])
    if deviations.ALL["channels_first_convolution"].holds(onednn("float32")):
        with pytest.raises(Exception, match="Exception encountered when calling"):
            layer(np.zeros(shape, "float32"))
    else:
        y = layer(np.zeros(shape, "float32"))
        np.testing.assert_array_equal(y, np.broadcast_to(bias, y.shape))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_average_pooling_beyond_image(keras, onednn, dtype):
    """An image with a single one in it shows what the gradient has to be: pooling is linear."""
    entry = deviations.ALL["average_pooling_beyond_image"]
    arguments = dict(pool_size=(8, 6), strides=(1, 2), padding="same")
    model = scratch.Sequential([scratch.Input((7, 6, 1)), scratch.AveragePooling2D(**arguments)],
                               dtype=dtype)
    twin = keras.Sequential([keras.Input((7, 6, 1), dtype=dtype),
                             keras.layers.AveragePooling2D(**arguments, dtype=dtype)])
    x, ones = real((1, 7, 6, 1)).astype(dtype), np.eye(42, dtype=dtype).reshape(42, 7, 6, 1)
    right = twin(ones).numpy().sum(axis=(1, 2, 3)).reshape(1, 7, 6, 1)
    y, theirs = slope(twin, x)
    np.testing.assert_allclose(model.forward(x), y, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.backward(np.ones_like(y)), right, rtol=1e-5)
    report = compare.check(model, twin, x, upstream=np.ones_like(y), probes=False)
    if entry.holds(onednn(dtype)):
        assert np.abs(theirs - right).max() > 0.01
        assert {row.off for row in report.rows if not row.passed} == {"reference"}
    else:
        np.testing.assert_allclose(theirs, right, rtol=1e-5)
        assert report, report


@pytest.mark.parametrize("kind", ["bilinear", "bicubic", "lanczos3", "lanczos5"])
def test_interpolation_in_float64(keras, kind):
    theirs, ours = sides(keras, "UpSampling2D")
    x = real(IMAGE).astype("float64")
    layer = theirs((2, 3), interpolation=kind, dtype="float64")
    y = layer(x).numpy()
    assert y.dtype == np.float64 and np.array_equal(y, y.astype("float32"))
    off = np.abs(ours((2, 3), interpolation=kind, dtype="float64")(x) - y).max()
    assert 1e-9 < off < 1e-4
    if kind.startswith("lanczos"):
        with pytest.raises(Exception, match="ScaleAndTranslateGrad"):
            slope(layer, x)
        return
    model = scratch.Sequential([scratch.Input(x.shape[1:]), ours(3, interpolation=kind)],
                               dtype="float64")
    twin = keras.Sequential([keras.Input(x.shape[1:], dtype="float64"),
                             theirs(3, interpolation=kind, dtype="float64")])
    upstream = np.ones((2, *model.output_shape[1:]))
    assert compare.check(model, twin, x, upstream=upstream, probes=False)


@pytest.mark.parametrize("shape", [(1, 6, 1, 1, 1), (1, 7, 1, 2, 1)])
def test_max_pooling_beyond_volume(keras, shape):
    """All numbers tie, so that each should get the gradient of every window that it is in."""
    arguments = dict(pool_size=(9, 1, 1), strides=1, padding="same")
    model = scratch.Sequential([scratch.Input(shape[1:]), scratch.MaxPooling3D(**arguments)])
    twin = keras.Sequential([keras.Input(shape[1:]), keras.layers.MaxPooling3D(**arguments)])
    x = np.ones(shape, "float32")
    y, theirs = slope(twin, x)
    inside = [sum(abs(i - window) <= 4 for window in range(shape[1])) for i in range(shape[1])]
    model.forward(x)
    for i, dx in enumerate(model.backward(np.ones_like(y))[0]):
        np.testing.assert_array_equal(dx, inside[i])
    assert (theirs < np.max(inside)).all() or (theirs[0, :, 0, 0, 0] != inside).any()
    report = compare.check(model, twin, x, upstream=np.ones_like(y), probes=False)
    assert {row.off for row in report.rows if not row.passed} == {"reference"}


@pytest.mark.parametrize("below, passed", [(2e-6, True), (3e-5, False)])
def test_max_pooling_near_ties(keras, below, passed):
    x = np.array([0.5, 0.5 - below, 0.25, 0.5], "float32").reshape(1, 4, 1, 1, 1)
    model = scratch.Sequential([scratch.Input(x.shape[1:]), scratch.MaxPooling3D((4, 1, 1))])
    twin = keras.Sequential([keras.Input(x.shape[1:]), keras.layers.MaxPooling3D((4, 1, 1))])
    y, theirs = slope(twin, x)
    model.forward(x)
    assert model.backward(np.ones_like(y)).ravel().tolist() == [1, 0, 0, 1]
    assert theirs.ravel().tolist() == [1, float(passed), 0, 1]
    assert compare.check(model, twin, x, upstream=np.ones_like(y), probes=False)


@pytest.mark.parametrize("name, shape", [("MaxPooling2D", (1, 2, 2, 1)),
                                         ("MaxPooling1D", (1, 4, 1)),
                                         ("MaxPooling3D", (1, 4, 1, 1, 1))])
def test_nan_in_max_pooling(keras, name, shape):
    theirs, ours = sides(keras, name)
    x = np.array([1, np.nan, 3, 2], "float32").reshape(shape)
    size = shape[1] if len(shape) < 5 else (4, 1, 1)
    assert theirs(size)(x).numpy() == 3
    assert np.isnan(ours(size)(x)).all()
    with pytest.raises(ValueError, match="finite"):
        model = scratch.Sequential([scratch.Input(shape[1:]), ours(size)])
        compare.check(model, model, x, upstream=np.ones((1, *model.output_shape[1:])))


@pytest.mark.parametrize("name, x, theirs, ours", [
    ("elu", np.nan, (np.nan, 1), (np.nan, np.nan)), ("celu", np.nan, (np.nan, 0), (np.nan, np.nan)),
    ("hard_shrink", np.nan, (0, 0), (np.nan, 0)), ("soft_shrink", np.nan, (0, 0), (np.nan, 0)),
    ("sparse_sigmoid", np.nan, (np.nan, 0.5), (np.nan, 0)),
    ("sparse_plus", np.inf, (np.inf, np.nan), (np.inf, 1)),
    ("sparse_plus", -np.inf, (0, np.nan), (0, 0))])
def test_nan_in_activations(keras, name, x, theirs, ours):
    x = np.array([x], "float32")
    np.testing.assert_array_equal(slope(keras.activations.get(name), x), np.array([theirs]).T)
    np.testing.assert_array_equal(own_slope(scratch.activations.get(name), x), np.array([ours]).T)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_in_softmax(keras, onednn, value, dtype):
    x = np.array([[1, value, 2]], dtype)
    _, theirs = slope(keras.activations.softmax, x)
    with np.errstate(invalid="ignore"):
        ours, _ = own_slope(scratch.activations.get("softmax"), x)
    y = keras.activations.softmax(x).numpy()
    made_up = deviations.ALL["nan_in_softmax"].holds(onednn(dtype))
    np.testing.assert_array_equal(y, [[0, np.nan, 0]] if made_up else np.full((1, 3), np.nan))
    assert np.isnan(ours).all() and np.isnan(theirs).all()


def test_no_other_activation_differs_at_nan_and_infinities(keras, onednn):
    declared = {name for entry in ("nan_in_activations", "nan_in_softmax")
                for name in deviations.ALL[entry].concerns if name.islower()
                and deviations.ALL[entry].holds(onednn("float32"))}
    found = set()
    for name, value in itertools.product(scratch.activations.ACTIVATIONS,
                                         (np.nan, np.inf, -np.inf)):
        x = np.array([[value, 1.0]], "float32")
        with np.errstate(all="ignore"):
            ours = own_slope(scratch.activations.get(name), x)
        theirs = slope(keras.activations.get(name), x)
        if not np.allclose(ours, theirs, rtol=1e-4, atol=1e-6, equal_nan=True):
            found.add(name)
    assert found == declared


def test_nan_in_generalized_cross_entropy(keras):
    """The label's slope is infinite on both sides, also as a quotient of differences."""
    p, label = np.array([[0, 0.25, 0.75], [0.5, 0.25, 0.25]], "float32"), np.array([0, 1])
    theirs = keras.losses.CategoricalGeneralizedCrossEntropy(reduction="sum")
    _, found = slope(lambda x: theirs(label, x)[None], p)
    ours = scratch.losses.CategoricalGeneralizedCrossEntropy(reduction="sum")
    value, own = ours(label, p), ours.backward()
    assert own[0].tolist() == [-np.inf, 0, 0] and found[0, 0] == -np.inf
    assert np.isnan(found[0, 1:]).all()
    np.testing.assert_allclose(found[1], own[1], rtol=1e-5)
    for place in (1, 2):  # the loss does not depend on the other classes
        moved = p.copy()
        moved[0, place] += 0.125
        assert ours(label, moved) == value


def test_selu_near_zero(keras):
    x = np.full((2, 3), -1e-8, "float32")
    _, theirs = slope(keras.activations.selu, x)
    _, ours = own_slope(scratch.activations.selu, x)
    np.testing.assert_allclose(theirs, 1.0507, rtol=1e-4)
    np.testing.assert_allclose(ours, 1.7581, rtol=1e-4)
    model, twin = twins.twins(keras.Sequential([keras.Input((3,)),
                                                keras.layers.Activation("selu")]))
    report = compare.check(model, twin, x, upstream=np.ones_like(x), probes=False)
    assert report, report  # the bound reaches from one slope to the other


def test_squareplus_of_large_numbers(keras):
    x = np.array([[1.7e19, -1.7e19, 1e20, -1e20, 3e38]], "float32")
    y, dx = slope(keras.activations.squareplus, x)
    np.testing.assert_array_equal(y, np.array([[1.7e19, 0, np.inf, np.inf, np.inf]], "float32"))
    np.testing.assert_array_equal(dx, np.array([[1, 0, 0.5, 0.5, np.nan]], "float32"))
    y, dx = own_slope(scratch.activations.get("squareplus"), x)
    np.testing.assert_array_equal(y, np.maximum(x, 0))
    np.testing.assert_array_equal(dx, x > 0)
    model, twin = twins.twins(keras.Sequential([keras.Input((5,)),
                                                keras.layers.Activation("squareplus")]))
    report = compare.check(model, twin, x, upstream=np.ones_like(x), probes=False)
    assert {row.off for row in report.rows if not row.passed} == {"reference"}


@pytest.mark.parametrize("name", ["gelu", "silu", "softsign", "tanh_shrink"])
def test_other_activations_take_large_numbers_alike(keras, name):
    x = np.array([[1.7e19, -1.7e19, 1e20, -1e20, 3e38]], "float32")
    with np.errstate(over="ignore"):
        ours = own_slope(scratch.activations.get(name), x)
    np.testing.assert_allclose(ours, slope(keras.activations.get(name), x), rtol=1e-5,
                               atol=float(np.finfo(np.float32).tiny))


def test_denormal_numbers(keras):
    x, weights = np.full((1, 3), 1e-20, "float32"), [np.full((3, 1), 1e-20, "f"), np.zeros(1, "f")]
    model, twin = dense(scratch, weights=weights), dense(keras, weights=weights)
    assert twin.predict(x, verbose=0) == 0
    np.testing.assert_allclose(model.predict(x, verbose=0), 3e-40, rtol=1e-4)
    assert compare.check(model, twin, x, upstream=np.ones((1, 1)), steps=0, probes=False)


def test_float64_loss(keras):
    """Labels and weights of which no float32 holds the loss."""
    layer = keras.layers.Dense(2, dtype="float64")
    twin = keras.Sequential([keras.Input((3,), dtype="float64"), layer])
    twin.compile("sgd", keras.losses.MeanSquaredError(dtype="float64"))
    model = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2)], dtype="float64")
    model.compile("sgd", "mse")
    model.set_weights(twin.get_weights())
    assert float(twin.optimizer.learning_rate) == float(np.float32(0.01)) != 0.01
    assert model.optimizer.learning_rate == 0.01
    x, y = real((4, 3)).astype("float64"), real((4, 2), 2) / 3.0
    exact = np.mean((model.forward(x) - y) ** 2)
    theirs = float(twin.compute_loss(x=x, y=y, y_pred=twin(x)))
    assert theirs == np.float32(exact) != exact
    assert model.test_on_batch(x, y) == pytest.approx(exact, rel=1e-14)
    report = compare.check(model, twin, x, y, probes=False, steps=0)
    assert [row.passed for row in report.rows if row.gate == "loss"] == [True, True]
    assert "it is judged in float64" in " ".join(str(report).split()), str(report)
    assert report.cause.identifier == "specification"  # the learning rate


def test_sums_in_metrics(keras):
    theirs, ours = keras.metrics.MeanSquaredError(), scratch.metrics.MeanSquaredError()
    theirs.total.assign(2.0 ** 24)
    theirs.count.assign(2.0 ** 24)
    ours.total = ours.count = 2.0 ** 24
    for metric in (theirs, ours):
        metric.update_state(np.array([[1.0]]), np.array([[0.0]]))
    assert float(theirs.count) == 2.0 ** 24 and ours.count == 2.0 ** 24 + 1


def test_low_precision_in_float32_arrays(keras):
    for name, theirs in (("float16", np.float16), ("bfloat16", None)):
        twin = keras.layers.Dense(3, dtype=name)
        model = scratch.Dense(3, dtype=name)
        twin.build((2, 4))
        model.build((None, 4))
        for own, their in zip(model.params.values(), twin.weights, strict=True):
            own[...] = whole(their.shape, 3)
        twin.set_weights(list(model.params.values()))
        x = whole((2, 4), 7).astype(np.float32)
        ours, made = model(x), np.asarray(twin(x))
        assert ours.dtype == np.float32 and made.dtype == (theirs or "bfloat16")
        np.testing.assert_array_equal(ours, made.astype(np.float32))
