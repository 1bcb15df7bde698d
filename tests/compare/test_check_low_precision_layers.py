"""Each layer and operation that computes in float16 and bfloat16, checked in every way."""

import keras
import numpy as np
import pytest
from keras import ops

import compare
import scratch
from compare.checks.gate import Gate
from compare.evaluation.faults.injection import half, patched
from compare.inputs import twins
from tests.compare.support.policies import under

L, SL = keras.layers, scratch.layers
IMAGE, SEQUENCE, VOLUME = (7, 6, 4), (7, 5), (4, 3, 5, 2)

# name: (shape of a sample, layers of Keras made for a policy)
LAYERS = {
    "swish": (IMAGE, lambda: L.Activation("swish")),
    "hard_swish": (IMAGE, lambda: L.Activation("hard_swish")),
    "gelu": (IMAGE, lambda: L.Activation("gelu")),
    "selu inside": (SEQUENCE, lambda: L.Dense(4, activation="selu")),
    "ELU": (IMAGE, lambda: L.ELU(0.7)),
    "Rescaling": (IMAGE, lambda: L.Rescaling(1 / 255, offset=-0.3)),
    "Rescaling by channel": (IMAGE, lambda: L.Rescaling([0.1, 0.3, 0.7, 2.0])),
    "Normalization": (IMAGE, lambda: L.Normalization(mean=[.1, .2, .3, .4],
                                                     variance=[1., 2., .5, .3])),
    "SpatialDropout1D": (SEQUENCE, lambda: L.SpatialDropout1D(0.3)),
    "SpatialDropout3D": (VOLUME, lambda: L.SpatialDropout3D(0.3)),
    "SpatialDropout2D": (IMAGE, lambda: L.SpatialDropout2D(0.3)),
    "GaussianNoise": (IMAGE, lambda: L.GaussianNoise(0.2)),
    "GaussianDropout": (IMAGE, lambda: L.GaussianDropout(0.2)),
    "RandomFlip": (IMAGE, lambda: L.RandomFlip()),
    "UpSampling1D": (SEQUENCE, lambda: L.UpSampling1D(2)),
    "UpSampling2D": (IMAGE, lambda: L.UpSampling2D((2, 3))),
    "UpSampling2D bilinear": (IMAGE, lambda: L.UpSampling2D((2, 3), interpolation="bilinear")),
    "UpSampling3D": (VOLUME, lambda: L.UpSampling3D((2, 1, 2))),
    "Resizing": (IMAGE, lambda: L.Resizing(5, 8)),
    "CenterCrop": (IMAGE, lambda: L.CenterCrop(4, 3)),
    "Conv1DTranspose": (SEQUENCE, lambda: L.Conv1DTranspose(3, 3, strides=2)),
    "Conv2DTranspose": (IMAGE, lambda: L.Conv2DTranspose(3, (3, 2), strides=(1, 2))),
    "Conv3DTranspose": (VOLUME, lambda: L.Conv3DTranspose(2, 2, strides=2)),
    "Conv3D": (VOLUME, lambda: L.Conv3D(3, (2, 3, 2), padding="same")),
    "DepthwiseConv1D": (SEQUENCE, lambda: L.DepthwiseConv1D(3)),
    "SeparableConv1D": (SEQUENCE, lambda: L.SeparableConv1D(4, 3)),
    "SeparableConv2D": (IMAGE, lambda: L.SeparableConv2D(5, (3, 2), depth_multiplier=2)),
    "LayerNormalization": (IMAGE, lambda: L.LayerNormalization(axis=[1, -1])),
    "GroupNormalization": (IMAGE, lambda: L.GroupNormalization(2)),
    "RMSNormalization": (IMAGE, lambda: L.RMSNormalization()),
    "LayerScale": (IMAGE, lambda: keras.src.applications.convnext.LayerScale(0.3, 4)),
    "EinsumDense": (SEQUENCE, lambda: L.EinsumDense("abc,cd->abd", (7, 4), bias_axes="d")),
    "AdaptiveAveragePooling2D": (IMAGE, lambda: L.AdaptiveAveragePooling2D((3, 2))),
    "AdaptiveMaxPooling1D": (SEQUENCE, lambda: L.AdaptiveMaxPooling1D(3)),
}
# of two tensors that are computed from one input
OPERATIONS = {
    "h + g": lambda h, g: h + g, "h - 2.3": lambda h, g: h - 2.3, "h * g": lambda h, g: h * g,
    "h / (g g + 1)": lambda h, g: h / (g * g + 1.0), "0.3 h": lambda h, g: h * 0.3,
    "mean": lambda h, g: ops.mean(h, axis=(1, 2), keepdims=True) * g,
    "sum": lambda h, g: ops.sum(h, axis=-1), "maximum": ops.maximum,
    "reshape": lambda h, g: ops.reshape(h, (-1, 21, 4)),
    "concatenate": lambda h, g: ops.concatenate([h, g], axis=2),
    "gelu": lambda h, g: ops.gelu(h), "clip": lambda h, g: ops.clip(h, -0.3, 0.7),
    "sqrt": lambda h, g: ops.sqrt(h * h + 0.5), "h^1.5": lambda h, g: (h * h + 0.5) ** 1.5,
    "matmul": lambda h, g: ops.matmul(h, ops.swapaxes(g, 2, 3)),
    "pad": lambda h, g: ops.pad(h, ((0, 0), (1, 2), (0, 1), (0, 0)), constant_values=0.3),
    "resize": lambda h, g: ops.image.resize(h, (5, 6)),
    "with float32": lambda h, g: h + L.Conv2D(4, 1, dtype="float32")(g),
    "attention": lambda h, g: L.Attention(use_scale=True)([rows(h), rows(g)],
                                                          use_causal_mask=True),
    "heads": lambda h, g: L.MultiHeadAttention(2, 3, dropout=0.2)(rows(h), rows(g)),
    "grouped heads": lambda h, g: L.GroupQueryAttention(3, 4, 2)(rows(h), rows(g)),
    "Dot": lambda h, g: L.Dot(axes=2)([rows(h), rows(g)]),
}


def rows(h):
    return L.Reshape((-1, 4))(h)


def compiled(policy, build):
    """The model that a function builds under a policy for all layers, compiled."""
    model = under(policy, build)
    model.compile(keras.optimizers.SGD(0.01), "mse", auto_scale_loss=False)
    return model


def checked(model, change=None, scale=1.0):
    rng = np.random.default_rng(5)
    x = (scale * rng.standard_normal((3, *model.input_shape[1:]))).astype(np.float32)
    y = rng.standard_normal((3, *model.output_shape[1:])).astype(np.float32)
    candidate, twin = twins.twins(model)
    if change is not None:
        change(candidate)
    return compare.check(candidate, twin, x, y)


def around(make, shape):
    """A layer between others, which it reads and is read by."""
    def build():
        x = keras.Input(shape)
        y = make()(L.Activation("linear")(x))
        return keras.Model(x, L.Dense(3, dtype="float32")(L.Flatten()(y)))

    return build


def between(operation):
    def build():
        x = keras.Input((7, 3, 2))
        h, g = L.Conv2D(4, (3, 2), padding="same")(x), L.Conv2D(4, 1)(x)
        return keras.Model(x, L.Dense(3, dtype="float32")(L.Flatten()(operation(h, g))))

    return build


def largest_share(report, gates=(Gate.FORWARD, Gate.BACKWARD)):
    return max(row.used for row in report.rows if row.gate in gates)


@pytest.mark.sampled(12)
@pytest.mark.parametrize("policy", ["mixed_float16", "bfloat16", "mixed_bfloat16", "float16"])
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_holds(name, policy):
    shape, make = LAYERS[name]
    report = checked(compiled(policy, around(make, shape)))
    assert report, str(report)
    assert policy in str(report)


@pytest.mark.sampled(8)
@pytest.mark.parametrize("policy", ["mixed_float16", "bfloat16"])
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_between_layers_holds(name, policy):
    report = checked(compiled(policy, between(OPERATIONS[name])))
    assert report, str(report)
    assert largest_share(report) > 0.1


@pytest.mark.parametrize("policy", ["mixed_float16", "float16"])
def test_class_numbers_are_not_cast(policy):
    """Class 2049 is none of float16's numbers."""
    def build():
        x = keras.Input((3,), dtype="int32")
        return keras.Model(x, L.Dense(2, dtype="float32")(L.Flatten()(L.Embedding(3000, 4)(x))))

    model = compiled(policy, build)
    x = np.int32([[2049, 2047, 2999], [1, 2049, 2049]])
    candidate, twin = twins.twins(model)
    np.testing.assert_allclose(candidate.predict(x, verbose=0), twin.predict(x, verbose=0),
                               rtol=1e-5)
    report = compare.check(candidate, twin, x, np.zeros((2, 2), np.float32))
    assert report, str(report)


MISTAKES = {
    "moments in half": ("LayerNormalization", lambda layer: patched(
        layer, _normalize=lambda self, right, c, v: right(half(c), half(v)))),
    "a scale that is not cast": ("Rescaling", lambda layer: patched(
        layer, rounded=lambda self, right, array: array)),
    "statistics that are not cast": ("Normalization", lambda layer: patched(
        layer, rounded=lambda self, right, array: array)),
    "an input that is not cast": ("Resizing", lambda layer: patched(
        layer, autocast=lambda self, right, value: value)),
    "images turned over that are not cast": ("RandomFlip", lambda layer: patched(
        layer, autocast=lambda self, right, value: value)),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_a_cast_that_is_missing_is_found(what):
    name, change = MISTAKES[what]
    shape, make = LAYERS[name]

    def build():
        x = keras.Input(shape)
        read = L.Activation("linear")(x) if name == "LayerNormalization" else x
        return keras.Model(x, L.Dense(3, dtype="float32")(L.Flatten()(make()(read))))

    model = compiled("mixed_float16", build)
    assert checked(model)
    report = checked(model, lambda candidate: change(
        next(layer for layer in candidate.layers if type(layer).__name__ == name)))
    assert not report
    assert name.lower().replace("normalization", "") in report.first_failure.layer.replace("_", "")


def test_an_operation_that_is_computed_with_fewer_bits_is_found():
    def less(self, right, x, training=False):
        y = right(x, training)
        return y * np.float32(1 + 2.0**-9)

    model = compiled("mixed_float16", between(OPERATIONS["h + g"]))
    report = checked(model, lambda candidate: patched(
        next(layer for layer in candidate.layers if "Add" in type(layer).__name__), forward=less))
    assert not report and report.first_failure.layer.startswith("add")


def test_a_policy_that_keras_s_config_forgets_is_read_from_the_layer():
    import reference

    model = compiled("mixed_float16", around(*LAYERS["SpatialDropout2D"][::-1]))
    said = {layer["class_name"]: layer["config"]["dtype"] for layer in model.get_config()["layers"]}
    assert said["SpatialDropout2D"] == "float32", "Keras writes the policy by now"
    read = {layer["class_name"]: layer["config"]["dtype"]
            for layer in reference.config_of(model)["layers"]}
    assert read["SpatialDropout2D"] == "mixed_float16"
    assert twins.twins(model)[0].layers[1].policy.name == "mixed_float16"


def test_what_is_saved_in_a_mixed_precision_comes_back(tmp_path):
    for number, (shape, make) in enumerate([LAYERS["LayerNormalization"], LAYERS["Rescaling"]]):
        model = compiled("mixed_float16", around(make, shape))
        candidate, _ = twins.twins(model)
        x = np.random.default_rng(1).standard_normal((2, *shape)).astype(np.float32)
        for saved, load in ((model, scratch.load_model), (candidate, keras.saving.load_model)):
            path = tmp_path / f"{number}.keras"
            saved.save(path)
            loaded = load(path)
            assert [layer.compute_dtype if hasattr(layer, "compute_dtype") else layer.policy.compute
                    for layer in loaded.layers][-4:] == ["float16", "float16", "float16", "float32"]
            np.testing.assert_allclose(loaded.predict(x, verbose=0), model.predict(x, verbose=0),
                                       atol=0.02)
