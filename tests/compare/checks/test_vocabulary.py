"""Networks over the whole vocabulary, built in Keras: their twins pass live and from a file."""

import numpy as np
import pytest

import compare
from compare.inputs import twins
from compare.tracing.noise import noise_of
from compare.tracing.trace import Trace

SAMPLES = 5


def residual(keras, source):
    layers, regularizers = keras.layers, keras.regularizers
    x = layers.Conv2D(4, (3, 2), padding="same", use_bias=False,
                      kernel_regularizer=regularizers.L2(0.01))(source)
    x = layers.BatchNormalization(momentum=0.9)(x)
    x = layers.ReLU()(x)
    y = layers.Conv2D(4, 3, padding="same")(x)
    y = layers.BatchNormalization(gamma_regularizer="l2")(y)
    x = layers.LeakyReLU()(layers.Add()([x, y]))
    x = layers.Dropout(0.3)(x)
    z = layers.Conv2D(2, 1, activation="elu", activity_regularizer="l1")(x)
    x = layers.GlobalAveragePooling2D()(layers.Concatenate()([x, z]))
    return layers.Dense(4, activation="softmax",
                        kernel_regularizer=regularizers.L1L2(0.01, 0.02))(x)


def gated(keras, source):
    layers = keras.layers
    a = layers.Dense(5, activation="gelu")(source)
    x = layers.Multiply()([a, layers.Dense(5, activation="sigmoid")(source)])
    x = layers.LayerNormalization()(layers.GaussianNoise(0.2)(x))
    x = layers.Add()([x, x])
    return layers.Dense(1, activation="sigmoid", activity_regularizer="l2")(x)


def segmenting(keras, source):
    layers = keras.layers
    x = layers.SeparableConv2D(6, 3, padding="same", activation=layers.LeakyReLU(0.1))(source)
    x = layers.DepthwiseConv2D((2, 3), padding="same", depthwise_regularizer="l2")(x)
    x = layers.MaxPooling2D(2, padding="same")(x)
    x = layers.Conv2DTranspose(3, 2, strides=2, activation="tanh")(x)
    x = layers.PReLU()(x)
    x = layers.Cropping2D(((0, 1), (1, 0)))(layers.UpSampling2D(2)(x))
    return layers.Conv2D(3, 1, activation="softmax")(x)


def sequences(keras, source):
    layers = keras.layers
    x = layers.Conv1D(4, 3, dilation_rate=2, padding="causal", activation="softplus",
                      bias_regularizer="l1")(source)
    x = layers.MaxPooling1D(2)(x)
    y = layers.LayerNormalization()(x)
    x = layers.Maximum()([layers.Average()([x, y]), layers.Subtract()([x, y])])
    x = layers.Permute((2, 1))(layers.Reshape((2, -1))(x))
    return layers.Dense(4)(layers.SpatialDropout1D(0.4)(x))


def volumes(keras, source):
    layers = keras.layers
    x = layers.Conv3D(4, (2, 3, 1), padding="same", activation="relu", kernel_regularizer="l2")(
        source)
    x = layers.MaxPooling3D((2, 1, 2), strides=(1, 1, 2))(layers.ZeroPadding3D(1)(x))
    x = layers.Conv3DTranspose(4, 2, strides=(2, 1, 1))(x)
    x = layers.BatchNormalization()(layers.AveragePooling3D((2, 1, 1), padding="same")(x))
    x = layers.Conv3D(4, 2, groups=2)(layers.UpSampling3D((1, 2, 1))(layers.Cropping3D(
        ((1, 0), (0, 1), (0, 0)))(x)))
    x = layers.Concatenate()([layers.GlobalAveragePooling3D()(x), layers.GlobalMaxPooling3D()(x)])
    return layers.Dense(3, activation="softmax")(x)


def growing(keras, source):
    layers = keras.layers
    x = layers.UpSampling2D((2, 3), interpolation="bilinear")(source)
    x = layers.Conv2D(3, 2, strides=2)(layers.UpSampling2D(2, interpolation="bicubic")(x))
    x = layers.Reshape((-1, 3))(x)
    x = layers.SeparableConv1D(4, 2, activation="tanh")(layers.DepthwiseConv1D(3, strides=2)(x))
    x = layers.Conv1DTranspose(2, 3, strides=2, padding="same", bias_regularizer="l1")(x)
    return layers.Dense(2)(layers.Flatten()(x))


def labels(classes, *shape):
    return lambda rng: rng.integers(0, classes, (SAMPLES, *shape))


def numbers(*shape):
    return lambda rng: rng.standard_normal((SAMPLES, *shape))


def cases(keras):
    optimizers, losses = keras.optimizers, keras.losses
    decay = optimizers.schedules.ExponentialDecay(0.01, 2, 0.9)
    return {
        "residual": (residual, (6, 5, 2), "sparse_categorical_crossentropy", labels(4), None,
                     optimizers.Adam(0.01)),
        "gated": (gated, (7,), "binary_crossentropy", labels(2, 1), [1, 2, 0.5, 0, 3],
                  optimizers.RMSprop(0.01, momentum=0.9)),
        "segmenting": (segmenting, (6, 5, 2),
                       losses.SparseCategoricalCrossentropy(ignore_class=0), labels(3, 11, 11),
                       None, optimizers.AdamW(decay, global_clipnorm=0.3)),
        "volumes": (volumes, (3, 4, 5, 2), "sparse_categorical_crossentropy", labels(3), None,
                    optimizers.Adam(0.01)),
        "growing": (growing, (3, 4, 2), "mse", numbers(2), None, optimizers.SGD(0.01)),
        "sequences": (sequences, (8, 3), losses.Huber(), numbers(8, 4),
                      [[0], [1], [2], [1], [0.5]],
                      optimizers.SGD(0.1, momentum=0.9, nesterov=True, clipvalue=0.05,
                                     weight_decay=0.001)),
    }


def built(keras, name, dtype):
    """(candidate, Keras model, batch as keyword arguments) of one of the cases."""
    keras.utils.set_random_seed(1)
    policy = keras.config.dtype_policy().name
    try:  # losses and optimizers, too, are made in the precision that is then the default
        keras.config.set_floatx(dtype)
        keras.config.set_dtype_policy(dtype)
        build, shape, loss, targets, weight, optimizer = cases(keras)[name]
        source = keras.Input(shape)
        model = keras.Model(source, build(keras, source))
        model.compile(optimizer, loss)
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy(policy)
    rng = np.random.default_rng(2)
    for variable in model.weights:
        drawn = rng.standard_normal(variable.shape) / 2
        variable.assign(np.abs(drawn) + 0.5 if variable.name == "moving_variance" else drawn)
    x = rng.standard_normal((SAMPLES, *shape)).astype(dtype)
    return *twins.twins(model), {"x": x, "y": targets(rng), "sample_weight": weight}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name, dtype", [
    ("residual", "float32"), ("residual", "float64"), ("gated", "float32"), ("gated", "float64"),
    ("segmenting", "float32"), ("growing", "float32"),
    # of groups of a Conv3D TensorFlow knows no gradient on a CPU unless it is compiled
    pytest.param("volumes", "float32", marks=pytest.mark.compiled),
    ("sequences", "float32"), ("sequences", "float64")])
def test_twins_pass_live_and_from_a_file(keras, name, dtype, tmp_path):
    model, twin, batch = built(keras, name, dtype)
    before = [w.tolist() for w in twin.get_weights()], str(twin.get_config())
    report = compare.check(model, twin, **batch)
    assert report, report.failures() + report.summary()
    assert report.dtype == dtype
    assert ([w.tolist() for w in twin.get_weights()], str(twin.get_config())) == before
    compare.record(twin, **batch).save(tmp_path / "t.npz")
    golden = Trace.load(tmp_path / "t.npz")
    assert golden.sample_weight is None or golden.sample_weight.dtype == dtype
    report = compare.check(twins.golden_candidate(golden, None), golden)
    assert report, report.failures() + report.summary()
    report = compare.diff(compare.record(model, noise=noise_of(golden), **batch), golden)
    assert report, report.failures() + report.summary()


def test_the_way_back_through_keras_alone(keras):
    """Without a loss: no penalty takes part, on either side."""
    model, twin, batch = built(keras, "residual", "float32")
    upstream = np.random.default_rng(3).standard_normal((SAMPLES, 4))
    report = compare.check(model, twin, batch["x"], upstream=upstream)
    assert report, report.failures() + report.summary()


def test_a_functional_file_and_its_dtype(keras, tmp_path):
    _, twin, batch = built(keras, "residual", "float32")
    twin.save(tmp_path / "m.keras")
    for dtype in (None, "float64"):
        model, twin = twins.pair(str(tmp_path / "m.keras"), dtype)
        assert type(model).__name__ == "Model" and model.dtype == (dtype or "float32")
        report = compare.check(model, twin, **batch, steps=0)
        assert report, report.failures() + report.summary()
