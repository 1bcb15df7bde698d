"""Networks as people bring them, under a policy of mixed_float16: small ones by hand, and those of
keras.applications."""

import keras
import numpy as np
import pytest
from keras.src.applications.convnext import LayerScale

import compare
import scratch
from compare.checks.gate import Gate
from compare.inputs import twins
from tests.compare.support.policies import under

L = keras.layers


def u_net(enlarged):
    """Two levels, with connections across."""
    x = keras.Input((16, 12, 3))
    across = L.BatchNormalization()(L.Conv2D(4, 3, padding="same", activation="relu")(x))
    h = L.Conv2D(6, 3, padding="same", activation="swish")(L.MaxPooling2D()(across))
    h = L.Concatenate()([enlarged(L.SpatialDropout2D(0.2)(h)), across])
    return keras.Model(x, L.Conv2D(2, 1, activation="softmax", dtype="float32")(h))


def inverted_residual():
    """As in EfficientNet and MobileNetV3: pixels rescaled, a gate for each channel."""
    x = keras.Input((16, 12, 3))
    h = L.Normalization(mean=[.4, .5, .6], variance=[.2, .3, .1])(L.Rescaling(1 / 255)(x))
    h = L.Conv2D(8, 3, strides=2, use_bias=False)(L.ZeroPadding2D(((0, 1), (0, 1)))(h))
    h = L.Activation("hard_swish")(L.BatchNormalization()(h))
    d = L.BatchNormalization()(L.DepthwiseConv2D(3, padding="same", use_bias=False)(h))
    d = L.Activation("swish")(d)
    gate = L.Conv2D(2, 1, activation="swish")(L.GlobalAveragePooling2D(keepdims=True)(d))
    gate = L.Conv2D(8, 1)(gate)
    gate = L.ReLU(6.0)(gate + 3.0) * (1.0 / 6.0)
    h = L.Add()([h, L.Dropout(0.2)(L.Conv2D(8, 1)(L.Multiply()([d, gate])))])
    return keras.Model(x, L.Dense(3, dtype="float32", activation="softmax")(
        L.GlobalAveragePooling2D()(h)))


def conv_next():
    x = keras.Input((16, 12, 3))
    h = L.LayerNormalization(epsilon=1e-6)(L.Conv2D(6, 4, strides=4)(x))
    d = L.LayerNormalization(epsilon=1e-6)(L.DepthwiseConv2D(7, padding="same")(h))
    d = L.Dense(6)(L.Activation("gelu")(L.Dense(12)(d)))
    h = h + LayerScale(0.1, 6)(d)
    h = L.LayerNormalization(epsilon=1e-6)(L.GlobalAveragePooling2D()(h))
    return keras.Model(x, L.Dense(3, dtype="float32", activation="softmax")(h))


def transformer():
    x = keras.Input((16, 12, 3))
    h = L.Reshape((-1, 6))(L.Conv2D(6, 4, strides=4)(x))
    n = L.LayerNormalization()(h)
    h = h + L.MultiHeadAttention(2, 3)(n, n)
    h = h + L.Dense(6)(L.Dense(12, activation="gelu")(L.LayerNormalization()(h)))
    return keras.Model(x, L.Dense(3, dtype="float32", activation="softmax")(
        L.GlobalAveragePooling1D()(h)))


def separable():
    """As in Xception."""
    x = keras.Input((15, 11, 3))  # odd, for oneDNN spoils the gradient of one pixel with strides
    h = L.SeparableConv2D(6, 3, padding="same", use_bias=False)(x)
    h = L.SeparableConv2D(6, 3, padding="same")(L.ReLU()(L.BatchNormalization()(h)))
    h = L.add([L.MaxPooling2D(3, strides=2, padding="same")(h), L.Conv2D(6, 1, strides=2)(x)])
    return keras.Model(x, L.Dense(3, dtype="float32", activation="softmax")(
        L.GlobalAveragePooling2D()(h)))


NETWORKS = {
    "U-Net, transposed": lambda: u_net(L.Conv2DTranspose(4, 2, strides=2, padding="same")),
    "U-Net, nearest": lambda: u_net(L.UpSampling2D(2)),
    "U-Net, bilinear": lambda: u_net(L.UpSampling2D(2, interpolation="bilinear")),
    "EfficientNet": inverted_residual, "ConvNeXt": conv_next, "ViT": transformer,
    "Xception": separable,
}


def batch(model, size=3, highest=255.0):
    rng = np.random.default_rng(0)
    return ((highest * rng.random((size, *model.input_shape[1:]))).astype(np.float32),
            rng.integers(0, model.output_shape[-1], (size, *model.output_shape[1:-1])))


def compiled(policy, build):
    model = under(policy, build)
    model.compile(keras.optimizers.SGD(0.001), "sparse_categorical_crossentropy")
    return model


@pytest.mark.sampled(4)
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_holds(name, policy):
    model = compiled(policy, NETWORKS[name])
    report = compare.check(*twins.twins(model), *batch(model))
    assert report, str(report)
    assert f"Judged in {policy.removeprefix('mixed_')}" in " ".join(str(report).split())


@pytest.mark.long
@pytest.mark.parametrize("name, settings", [
    ("MobileNetV2", dict(alpha=0.35)), ("MobileNetV3Small", {}), ("EfficientNetB0", {})])
def test_a_network_of_keras_holds(name, settings):
    def build():
        body = getattr(keras.applications, name)(
            weights=None, input_shape=(32, 32, 3), include_top=False, pooling="avg", **settings)
        return keras.Model(body.input, L.Dense(5, activation="softmax", dtype="float32")(
            body.output))

    model = compiled("mixed_float16", build)
    report = compare.check(*twins.twins(model), *batch(model, 8), steps=1)
    assert report, str(report)


def overflowing():
    """Its loss is scaled by 32768, at which gradients are beyond 65504."""
    x = keras.Input((16, 12, 3))
    h = L.BatchNormalization()(L.Conv2D(4, 3, strides=3)(x))
    return keras.Model(x, L.Dense(3, dtype="float32", activation="softmax")(
        30.0 * L.GlobalAveragePooling2D()(h)))


def test_gradients_that_overflow_are_judged_at_the_scale_that_training_comes_to():
    model = compiled("mixed_float16", overflowing)
    candidate, twin = twins.twins(model)
    x, y = batch(model, highest=1.0)
    with np.errstate(all="ignore"):
        candidate.loss_and_gradients(x, y)
    assert not all(np.isfinite(gradient).all()
                   for layer in candidate.layers for gradient in layer.grads.values())
    candidate, twin = twins.twins(model)
    report = compare.check(candidate, twin, x, y)
    assert report, str(report)
    assert "At 32768, with which training begins, a gradient overflows in float16" in \
        " ".join(str(report).split())
    backward = [row for row in report.rows if row.gate is Gate.BACKWARD]
    assert backward and not any(row.unjudged for row in backward)
    assert candidate.optimizer.initial_scale == candidate.optimizer.dynamic_scale == 32768
    assert twin.optimizer.initial_scale == 32768


def test_a_layer_that_casts_nothing_is_to_read_its_own_precision():
    def build():
        x = keras.Input((6,))
        return keras.Model(x, L.Dense(2, dtype="float32")(L.LayerNormalization()(x)))

    with pytest.raises(scratch.UnsupportedError, match="computes in float16 without a cast of what "
                                                       "it reads.*Received: float32"):
        twins.twins(compiled("mixed_float16", build))
