"""JAX functions: a right one holds at every gate, one mistake is found in its layer and named."""

import keras
import numpy as np
import pytest
from keras import layers

import compare

jax = pytest.importorskip("jax")
import jax.numpy as jnp  # noqa: E402
from jax import lax  # noqa: E402

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 9, 8, 3)).astype("float32")
Y = RNG.integers(0, 5, 6)


@pytest.fixture(scope="module")
def twin():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([
        keras.Input((9, 8, 3)),
        layers.Conv2D(4, (3, 2), strides=(2, 1), padding="same", activation="relu", name="conv"),
        layers.MaxPooling2D(2, name="pool"), layers.Flatten(name="flat"),
        layers.Dense(5, activation="softmax", name="dense")])
    for weight in model.weights:
        if len(weight.shape) == 1:
            weight.assign(RNG.uniform(0.5, 1.5, weight.shape))
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="sparse_categorical_crossentropy")
    return model


def params_of(twin):
    kernel, bias, dense, offset = (np.array(w) for w in twin.get_weights())
    return {"conv": {"w": kernel, "b": bias}, "fc": [dense, offset]}


def network(params, x, padding="SAME", act=jax.nn.relu, axis=-1, bias=1.0, flipped=False,
            end=jax.nn.softmax):
    kernel = params["conv"]["w"]
    kernel = kernel[::-1, ::-1] if flipped else kernel
    y = lax.conv_general_dilated(x, kernel, (2, 1), padding,
                                 dimension_numbers=("NHWC", "HWIO", "NHWC"))
    y = act(y + bias * params["conv"]["b"])
    y = lax.reduce_window(y, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    dense, offset = params["fc"]
    return end(y.reshape(len(y), -1) @ dense + offset, axis=axis)


def channels_first(params, x):
    """OIHW, rows of the dense kernel as this function flattens, the kernel (out, in)."""
    y = lax.conv(x, params["conv"]["w"], (2, 1), "SAME") + params["conv"]["b"][:, None, None]
    y = lax.reduce_window(jax.nn.relu(y), -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
    dense, offset = params["fc"]
    return jax.nn.softmax(y.reshape(len(y), -1) @ dense.T + offset)


def other_params():
    return {"conv": {"w": np.zeros((4, 3, 3, 2), "float32"), "b": np.zeros(4, "float32")},
            "fc": [np.zeros((5, 32), "float32"), np.zeros(5, "float32")]}


@pytest.mark.parametrize("own", [True, False])
def test_a_right_function_holds_at_every_gate(twin, own):
    params = params_of(twin) if own else jax.tree.map(np.zeros_like, params_of(twin))
    report = compare.check(compare.from_jax(network, params), twin, X, Y, steps=2)
    assert report, str(report)
    assert ("its own params" if own else "copied into the params") in report.notes[0]
    tensors = {(row.layer, row.tensor) for row in report.rows}
    assert {("conv", "kernel_gradient"), ("dense", "bias_gradient"), ("network", "end to end"),
            ("all layers", "weights")} <= tensors


def test_channels_first_and_other_layouts_are_known(twin):
    report = compare.check(compare.from_jax(channels_first, other_params()), twin, X, Y, steps=0)
    assert report, str(report)
    assert any(row.tensor == "end to end" for row in report.rows)


def test_a_kernel_with_its_rows_as_keras_has_them_is_the_seam(twin):
    params = params_of(twin)
    wrong = {"conv": {"w": np.moveaxis(params["conv"]["w"], (3, 2), (0, 1)),
                      "b": params["conv"]["b"]}, "fc": [params["fc"][0].T, params["fc"][1]]}
    report = compare.check(compare.from_jax(channels_first, wrong), twin, X, Y, steps=0,
                           probes=False)
    assert [row.tensor for row in report.rows if not row.passed] == ["end to end"]
    assert report.cause.identifier == "flatten-order"


# (what is wrong in the function, the layer, the cause)
WRONG = {
    "padding": ({"padding": ((1, 1), (1, 0))}, "conv", "padding-side"),
    "mirrored": ({"flipped": True}, "conv", "kernel-flipped"),
    "no bias": ({"bias": 0.0}, "conv", "bias-missing"),
    "another activation": ({"act": jax.nn.elu}, "conv", "activation-other"),
    "half of a gradient at 0": ({"act": lambda y: jnp.maximum(y, 0)}, "conv", "activation-kink"),
    "softmax over the batch": ({"axis": 0}, "dense", "softmax-axis"),
    "logarithms": ({"end": jax.nn.log_softmax}, "dense", "activation-other"),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_mistake_is_named(twin, name):
    how, layer, identifier = WRONG[name]

    def wrong(params, x):
        return network(params, x, **how)

    report = compare.check(compare.from_jax(wrong, params_of(twin)), twin, X, Y, steps=0,
                           probes="half" in name)
    found = report.diagnosis[0]
    assert not report and found.layer.split("/")[0] == layer, str(report)
    assert identifier is None or found.identifier == identifier, found


@pytest.fixture(scope="module")
def mobile():
    """Layers of which JAX makes many steps each."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential([
        keras.Input((9, 8, 3)), layers.Conv2D(4, (3, 2), name="conv"),
        layers.BatchNormalization(name="norm"), layers.ReLU(name="relu"),
        layers.AveragePooling2D(2, padding="same", name="pool"),
        layers.LeakyReLU(name="leaky"), layers.GlobalMaxPooling2D(name="top"),
        layers.LayerNormalization(name="layer_norm"),
        layers.Dense(6, activation="gelu", name="mid"),
        layers.Dense(5, activation="softmax", name="dense")])
    for weight in model.weights:
        if len(weight.shape) == 1:
            weight.assign(RNG.uniform(0.5, 1.5, weight.shape))
    model.compile(optimizer=keras.optimizers.SGD(0.05), loss="sparse_categorical_crossentropy")
    return model


def many_steps(params, x, strides=(1, 1), epsilon=1e-3, centre=1.0, gamma=0.0, relu=jax.nn.relu,
               area=None, top=jnp.max, variance=0, lower=1e-3, approximate=False, slope=0.3,
               bias=1.0):
    p = params
    y = lax.conv_general_dilated(x, p["k"], strides, "VALID",
                                 dimension_numbers=("NHWC", "HWIO", "NHWC")) + bias * p["b"]
    y = (y - centre * p["mean"]) * (gamma + p["scale"]) / jnp.sqrt(p["var"] + epsilon) + p["offset"]
    y = relu(y)
    how = {"window_dimensions": (1, 2, 2, 1), "window_strides": (1, 2, 2, 1), "padding": "SAME"}
    sums = lax.reduce_window(y, 0.0, lax.add, **how)
    y = sums / (lax.reduce_window(jnp.ones_like(y), 0.0, lax.add, **how) if area is None else area)
    y = top(jnp.where(y > 0, y, slope * y), axis=(1, 2))
    y = (y - y.mean(-1, keepdims=True)) / jnp.sqrt(y.var(-1, keepdims=True, ddof=variance) + lower)
    y = jax.nn.gelu((y * p["g"] + p["h"]) @ p["d"] + p["e"], approximate=approximate)
    return jax.nn.softmax(y @ p["f"] + p["o"])


# (what is wrong in the function, the layer, the cause, what is said of it)
IN_MANY_STEPS = {
    "the epsilon of a batch norm": ({"epsilon": 1e-5}, "norm", "epsilon", "1e-05"),
    "a mean that stays": ({"centre": 0.0}, "norm", "mean-missing", ""),
    "1 + gamma": ({"gamma": 1.0}, "norm", "gamma-missing", "1 + gamma"),
    "a gradient that is stopped": (
        {"relu": lambda y: lax.stop_gradient(y) * (y > 0)}, "relu", "gradient-missing", ""),
    "a ReLU up to 6": ({"relu": jax.nn.relu6}, "relu", "activation-other", "relu6"),
    "padding that is averaged": ({"area": 4.0}, "pool", "pool-average-padding", ""),
    "sums for means": ({"area": 1.0}, "pool", "pool-kind", "the sum for the mean"),
    "a slope": ({"slope": 0.01}, "leaky", "activation-other", "0.01"),
    "a mean for a maximum": ({"top": jnp.mean}, "top", "pool-kind", ""),
    "the epsilon of a layer norm": ({"lower": 1e-6}, "layer_norm", "epsilon", "1e-06"),
    "an unbiased variance": ({"variance": 1}, "layer_norm", "moving-statistics", "n - 1"),
    "GELU by tanh": ({"approximate": True}, "mid", "activation-other", "tanh"),
    "no bias": ({"bias": 0.0}, "conv", "bias-missing", ""),
}


def params_in_order(model):
    return dict(zip(("k", "b", "scale", "offset", "mean", "var", "g", "h", "d", "e", "f", "o"),
                    map(np.array, model.get_weights())))


def test_layers_of_many_steps_hold(mobile):
    report = compare.check(compare.from_jax(many_steps, params_in_order(mobile)), mobile, X, Y,
                           steps=0, probes=False)
    assert report, str(report)
    assert "judged at inference, and in training this project computes norm" in str(report.notes)
    rows = {(row.gate.value, row.layer, row.tensor) for row in report.rows}
    assert {("backward", "leaky", "input_gradient"), ("inference", "norm", "output")} <= rows


@pytest.mark.parametrize("name", IN_MANY_STEPS)
def test_one_mistake_in_layers_of_many_steps_is_named(mobile, name):
    how, layer, identifier, words = IN_MANY_STEPS[name]
    port = compare.from_jax(lambda params, x: many_steps(params, x, **how), params_in_order(mobile))
    report = compare.check(port, mobile, X, Y, steps=0)
    found = report.cause
    assert not report and found.layer.split("/")[0] == layer, str(report)
    assert found.identifier == identifier and words in found.sentence, found


def test_a_convolution_of_another_shape_is_told_of_itself_not_of_what_follows(mobile):
    port = compare.from_jax(lambda params, x: many_steps(params, x, strides=(2, 1)),
                            params_in_order(mobile))
    report = compare.check(port, mobile, X)
    assert (report.cause.layer, report.cause.identifier) == ("conv", "shape")


def test_a_graph_with_normalization_forward(twin):
    keras.utils.set_random_seed(1)
    x = keras.Input((9, 8, 3))
    y = layers.Conv2D(3, 3, padding="same", use_bias=False, name="conv")(x)
    y = layers.BatchNormalization(name="norm", epsilon=1e-3)(y)
    model = keras.Model(x, layers.GlobalAveragePooling2D(name="top")(
        layers.Add(name="sum")([layers.Activation("silu", name="act")(y), x])))
    for weight in model.weights:
        if len(weight.shape) == 1:
            weight.assign(RNG.uniform(0.5, 1.5, weight.shape))
    kernel, gamma, beta, mean, var = (np.array(w) for w in model.get_weights())
    params = {"k": kernel, "norm": {"scale": gamma, "offset": beta, "mean": mean, "var": var}}

    def residual(params, x, epsilon=1e-3):
        p = params["norm"]
        y = lax.conv_general_dilated(x, params["k"], (1, 1), "SAME",
                                     dimension_numbers=("NHWC", "HWIO", "NHWC"))
        y = (y - p["mean"]) * p["scale"] / jnp.sqrt(p["var"] + epsilon) + p["offset"]
        return (jax.nn.silu(y) + x).mean((1, 2))

    report = compare.check(compare.from_jax(residual, params), model, X, gradients=False)
    assert report, str(report)
    assert "not by JAX" in " ".join(report.notes)
    file = compare.check_outputs(model, X, compare.from_jax(
        lambda params, x: residual(params, x, 1e-5), params))
    assert file.cause.layer == "norm" and file.cause.identifier == "epsilon"


def test_what_cannot_be_mapped_is_judged_forward_and_said(twin):
    def without_bias(params, x):
        return network({"conv": {"w": params["w"], "b": 0.0}, "fc": params["fc"]}, x)

    own = params_of(twin)
    port = compare.from_jax(without_bias, {"w": own["conv"]["w"], "fc": own["fc"]})
    report = compare.check(port, twin, X)
    assert not report and report.cause.identifier == "bias-missing"
    assert "forward pass alone is judged" in report.notes[0]
    assert "Received none for conv/bias" in report.notes[0]
    with pytest.raises(ValueError, match="Received none for conv/bias"):
        compare.check(port, twin, X, Y, gradients=True)


def test_layers_one_by_one(twin):
    kernel, bias, dense, offset = (np.array(w) for w in twin.get_weights())

    def conv(p, x):
        return lax.conv_general_dilated(x, p["kernel"], (2, 1), "SAME",
                                        dimension_numbers=("NHWC", "OIHW", "NHWC")) + p["bias"]

    def relu(p, x):
        return jax.nn.relu(x)

    oihw = np.moveaxis(kernel, (3, 2), (0, 1))
    mine = [(compare.wrap_jax(conv, {"kernel": oihw, "bias": bias}, kernel_layout="OIHW"),
             compare.wrap_jax(relu)), None, None, None]
    report = compare.check(mine, twin, X, Y, steps=0)
    assert report, str(report)


def test_bad_arguments_are_named(twin):
    with pytest.raises(TypeError, match="a function of .params, x.. Received: int"):
        compare.from_jax(3, {})
    with pytest.raises(ValueError, match="weights to be"):
        compare.from_jax(network, {}, weights="mine")
    with pytest.raises(ValueError, match="runs on batches of Keras's shape"):
        compare.check(compare.from_jax(lambda p, x: x @ p, np.zeros((2, 2), "float32")), twin, X,
                      gradients=True)


def test_several_inputs_or_outputs_are_refused_with_another_way():
    given = keras.Input((3,))
    joint = keras.Model(given, [layers.Dense(2)(given), layers.Dense(4)(given)])
    with pytest.raises(ValueError, match="one input and one output.*of 1 and 2.*check_outputs"):
        compare.check(compare.from_jax(lambda params, x: x @ params, np.ones((3, 2), "float32")),
                      joint, np.ones((2, 3), "float32"), gradients=True)
