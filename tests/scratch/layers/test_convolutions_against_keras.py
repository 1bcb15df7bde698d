"""The convolution family against Keras: numbers to the last bit, configs, and what is refused.

TensorFlow's CPU kernels cannot do all that Keras's arguments ask for; what they lack, XLA has.
"""

import json

import numpy as np
import pytest

import scratch
from tests.scratch.support.checks import assert_exact, whole

# Keras itself has XLA compile convolutions in groups, without which TensorFlow refuses some.
pytestmark = pytest.mark.compiled

IMAGE, STEPS, VOLUME = (2, 9, 8, 4), (3, 9, 4), (2, 5, 6, 7, 4)
CASES = [
    ("Conv2D", dict(filters=5, kernel_size=(2, 3), dilation_rate=(2, 3), padding="same"), IMAGE),
    ("Conv2D", dict(filters=5, kernel_size=(3, 2), dilation_rate=(1, 4)), IMAGE),
    ("Conv2D", dict(filters=3, kernel_size=(5, 6), dilation_rate=3, padding="same"), (2, 4, 5, 3)),
    ("Conv2D", dict(filters=6, kernel_size=(2, 3), groups=2, strides=(1, 2)), IMAGE),
    ("Conv2D", dict(filters=8, kernel_size=3, groups=4, dilation_rate=(2, 1), padding="same"),
     IMAGE),
    ("Conv2D", dict(filters=6, kernel_size=(2, 3), groups=3, strides=(2, 1), padding="same",
                    data_format="channels_first"), (2, 6, 5, 8)),
    ("Conv1D", dict(filters=5, kernel_size=3, padding="causal", dilation_rate=2), STEPS),
    ("Conv1D", dict(filters=5, kernel_size=4, padding="causal", strides=3, use_bias=False), STEPS),
    ("Conv1D", dict(filters=5, kernel_size=3, padding="same", strides=2), STEPS),
    ("Conv1D", dict(filters=6, kernel_size=2, groups=2, dilation_rate=3), STEPS),
    ("DepthwiseConv2D", dict(kernel_size=(2, 3), depth_multiplier=2), IMAGE),
    ("DepthwiseConv2D", dict(kernel_size=(2, 3), strides=2, padding="same"), IMAGE),
    ("DepthwiseConv2D", dict(kernel_size=(2, 3), dilation_rate=(2, 3), padding="same",
                             use_bias=False), IMAGE),
    ("DepthwiseConv2D", dict(kernel_size=(2, 3), dilation_rate=(2, 1), strides=(1, 2),
                             padding="same"), IMAGE),
    ("DepthwiseConv2D", dict(kernel_size=(3, 2), strides=2, data_format="channels_first",
                             depth_multiplier=3), IMAGE),
    ("SeparableConv2D", dict(filters=5, kernel_size=(2, 3), depth_multiplier=2), IMAGE),
    ("SeparableConv2D", dict(filters=5, kernel_size=(3, 2), strides=(2, 1), dilation_rate=(2, 3),
                             padding="same"), IMAGE),
    ("SeparableConv2D", dict(filters=3, kernel_size=(2, 3), strides=2, padding="same",
                             data_format="channels_first", use_bias=False), (2, 3, 8, 5)),
    ("Conv2DTranspose", dict(filters=5, kernel_size=(2, 3), strides=(2, 3)), IMAGE),
    ("Conv2DTranspose", dict(filters=5, kernel_size=(3, 4), strides=(2, 3), padding="same"), IMAGE),
    ("Conv2DTranspose", dict(filters=5, kernel_size=(2, 3), strides=(2, 3), padding="same",
                             output_padding=(1, 2), use_bias=False), IMAGE),
    ("Conv2DTranspose", dict(filters=5, kernel_size=(2, 3), strides=(3, 2), output_padding=(2, 0)),
     IMAGE),
    ("Conv2DTranspose", dict(filters=5, kernel_size=(2, 1), strides=(3, 4)), IMAGE),
    ("Conv2DTranspose", dict(filters=5, kernel_size=1, strides=(3, 4), padding="same",
                             output_padding=(2, 1)), IMAGE),
    ("Conv2DTranspose", dict(filters=2, kernel_size=(5, 3), padding="same", output_padding=0),
     (2, 3, 4, 2)),
    ("Conv3D", dict(filters=3, kernel_size=(2, 3, 2), strides=(1, 2, 3)), VOLUME),
    ("Conv3D", dict(filters=3, kernel_size=(2, 3, 4), strides=(2, 1, 3), padding="same"), VOLUME),
    ("Conv3D", dict(filters=3, kernel_size=(2, 3, 2), dilation_rate=(1, 2, 3), padding="same",
                    use_bias=False), VOLUME),
    ("Conv3D", dict(filters=2, kernel_size=(2, 2, 3), dilation_rate=(3, 2, 1)), VOLUME),
    ("Conv3D", dict(filters=6, kernel_size=(2, 3, 1), groups=2, strides=2), VOLUME),
    ("Conv3D", dict(filters=3, kernel_size=(2, 3, 1), data_format="channels_first"), VOLUME),
    ("Conv3DTranspose", dict(filters=3, kernel_size=(2, 3, 1), strides=(1, 2, 3)), VOLUME),
    ("Conv3DTranspose", dict(filters=3, kernel_size=(2, 3, 4), strides=(1, 2, 3), padding="same"),
     VOLUME),
    ("Conv3DTranspose", dict(filters=2, kernel_size=(2, 3, 4), strides=(2, 2, 3), padding="same",
                             output_padding=(1, 0, 2), use_bias=False), VOLUME),
    ("Conv3DTranspose", dict(filters=2, kernel_size=(2, 3, 4), strides=(2, 2, 3),
                             output_padding=(1, 0, 2)), VOLUME),
    ("Conv1DTranspose", dict(filters=3, kernel_size=2, strides=3), STEPS),
    ("Conv1DTranspose", dict(filters=3, kernel_size=4, strides=3, padding="same"), STEPS),
    ("Conv1DTranspose", dict(filters=3, kernel_size=4, strides=3, padding="same",
                             output_padding=1, use_bias=False), STEPS),
    ("Conv1DTranspose", dict(filters=3, kernel_size=4, strides=3, output_padding=2), STEPS),
    ("DepthwiseConv1D", dict(kernel_size=3, depth_multiplier=2), STEPS),
    ("DepthwiseConv1D", dict(kernel_size=3, strides=2, padding="same", use_bias=False), STEPS),
    ("DepthwiseConv1D", dict(kernel_size=2, dilation_rate=3, padding="same"), STEPS),
    ("DepthwiseConv1D", dict(kernel_size=2, dilation_rate=2, strides=2), STEPS),
    ("DepthwiseConv1D", dict(kernel_size=2, strides=3, data_format="channels_first"), STEPS),
    ("SeparableConv1D", dict(filters=5, kernel_size=3, depth_multiplier=2), STEPS),
    ("SeparableConv1D", dict(filters=5, kernel_size=4, strides=3, padding="same"), STEPS),
    ("SeparableConv1D", dict(filters=5, kernel_size=2, dilation_rate=3, strides=2,
                             use_bias=False), STEPS),
    ("SeparableConv1D", dict(filters=5, kernel_size=3, data_format="channels_first"), STEPS),
]
# TensorFlow compiles its convolutions in groups, for seconds: those in one precision only.
IN_FLOAT64 = [case for case in CASES if "groups" not in case[1]]


def keras_results(keras, layer, x, dy, compiled=False):
    """(output, input gradient, weight gradients) of a Keras layer, if need be compiled by XLA."""
    import tensorflow as tf

    def run(x, dy):
        with tf.GradientTape() as tape:
            tape.watch(x)
            output = layer(x)
        variables = [v.value for v in layer.trainable_variables]
        return output, tape.gradient(output, [x, *variables], output_gradients=dy)

    run = tf.function(run, jit_compile=True) if compiled else run
    output, (dx, *gradients) = run(tf.constant(x), tf.constant(dy))
    return output.numpy(), dx.numpy(), [gradient.numpy() for gradient in gradients]


def assert_whole_numbers_agree(keras, name, arguments, shape, dtype, compiled=False):
    """scratch's layer and Keras's, with the same weights, to the last bit."""
    ours = getattr(scratch, name)(dtype=dtype, **arguments)
    ours.build((None, *shape[1:]))
    twin = getattr(keras.layers, name)(dtype=dtype, **arguments)
    twin.build(shape)
    for i, weight in enumerate(ours.params.values()):
        weight[...] = whole(i, weight.shape)
    twin.set_weights(list(ours.params.values()))
    assert [v.name for v in twin.weights] == list(ours.params)
    assert ours.output_shape == tuple(twin.compute_output_shape((None, *shape[1:])))
    x = whole(7, shape).astype(dtype)
    dy = whole(8, (shape[0], *ours.output_shape[1:])).astype(dtype)
    output, dx, gradients = keras_results(keras, twin, x, dy, compiled)
    assert_exact(ours.forward(x), output, "output")
    assert_exact(ours.backward(dy), dx, "input gradient")
    for (weight, gradient), expected in zip(ours.grads.items(), gradients, strict=True):
        assert_exact(gradient, expected, weight)


@pytest.mark.sampled(4, of="name")
@pytest.mark.parametrize("name, arguments, shape, dtype", [
    *[(*case, "float32") for case in CASES], *[(*case, "float64") for case in IN_FLOAT64]], ids=str)
def test_whole_numbers_agree_to_the_last_bit(keras, name, arguments, shape, dtype):
    assert_whole_numbers_agree(keras, name, arguments, shape, dtype)


# What TensorFlow's own CPU kernels lack: channels first (but in groups), unequal strides channel by
# channel, dilation transposed. Compiled by XLA the same layers run, forward and backward.
COMPILED = [
    ("Conv2D", dict(filters=6, kernel_size=(2, 3), strides=(1, 2), padding="same",
                    data_format="channels_first"), IMAGE),
    ("Conv2D", dict(filters=6, kernel_size=(2, 3), dilation_rate=(3, 1),
                    data_format="channels_first"), IMAGE),
    ("Conv1D", dict(filters=6, kernel_size=3, dilation_rate=2, padding="causal",
                    data_format="channels_first"), STEPS),
    ("DepthwiseConv2D", dict(kernel_size=(2, 3), strides=(1, 2), padding="same"), IMAGE),
    ("SeparableConv2D", dict(filters=3, kernel_size=(3, 2), strides=(2, 3)), IMAGE),
    ("Conv2DTranspose", dict(filters=5, kernel_size=(2, 3), strides=(3, 2), padding="same",
                             output_padding=(1, 0), data_format="channels_first"), IMAGE),
    ("Conv2DTranspose", dict(filters=5, kernel_size=(2, 3), dilation_rate=(2, 3)), IMAGE),
    ("Conv2DTranspose", dict(filters=5, kernel_size=(2, 4), dilation_rate=(3, 1), padding="same"),
     IMAGE),
    ("Conv1DTranspose", dict(filters=3, kernel_size=4, dilation_rate=2, padding="same"), STEPS),
    ("Conv1DTranspose", dict(filters=3, kernel_size=4, strides=2, data_format="channels_first"),
     STEPS),
    ("Conv3DTranspose", dict(filters=3, kernel_size=(2, 3, 4), dilation_rate=(3, 2, 1)), VOLUME),
    ("Conv3DTranspose", dict(filters=3, kernel_size=(2, 1, 4), strides=(2, 3, 1), padding="same",
                             data_format="channels_first"), VOLUME),
]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name, arguments, shape", COMPILED, ids=str)
def test_what_tensorflow_can_do_only_when_compiled_agrees_too(keras, name, arguments, shape):
    assert_whole_numbers_agree(keras, name, arguments, shape, "float32", compiled=True)


def plain(config):
    """As JSON writes it: tuples are lists."""
    return json.loads(json.dumps(config))


def config_cases(keras):
    """Layers with every argument at a value of its own, regularizers and initializers included."""
    def settings(*prefixes):
        return {**{f"{p}_regularizer": keras.regularizers.L1L2(0.25, 0.5) for p in prefixes},
                **{f"{p}_initializer": "he_normal" for p in prefixes}, "bias_regularizer": "l2",
                "bias_initializer": "ones", "activity_regularizer": "l1", "activation": "relu",
                "name": "mine", "trainable": False}

    return [getattr(keras.layers, name)(**arguments) for name, arguments, _ in CASES] + [
        keras.layers.Conv2D(6, (2, 3), padding="SAME", groups=2, dilation_rate=(1, 2),
                            data_format="channels_first", use_bias=False, **settings("kernel")),
        keras.layers.Conv1D(6, (2,), 3, groups=3, **settings("kernel")),
        keras.layers.DepthwiseConv2D((3, 1), (2, 3), depth_multiplier=4, **settings("depthwise")),
        keras.layers.SeparableConv2D(4, (3, 1), dilation_rate=2, depth_multiplier=2,
                                     **settings("depthwise", "pointwise")),
        keras.layers.Conv2DTranspose(3, (2, 4), (3, 2), output_padding=(2, 1),
                                     **settings("kernel")),
        keras.layers.Conv3D(6, (2, 3, 1), padding="SAME", groups=2, dilation_rate=(1, 2, 3),
                            data_format="channels_first", **settings("kernel")),
        keras.layers.Conv1DTranspose(3, 2, 3, output_padding=2, **settings("kernel")),
        keras.layers.Conv3DTranspose(3, (2, 4, 1), (3, 2, 1), output_padding=(2, 1, 0),
                                     **settings("kernel")),
        keras.layers.DepthwiseConv1D(3, 2, depth_multiplier=4, **settings("depthwise")),
        keras.layers.SeparableConv1D(4, 3, dilation_rate=2, depth_multiplier=2,
                                     **settings("depthwise", "pointwise")),
        keras.layers.Dense(3, **settings("kernel")),
    ]


def test_configs_go_both_ways_without_loss(keras):
    for layer in config_cases(keras):
        config = plain(layer.get_config())
        ours = getattr(scratch, type(layer).__name__).from_config(config)
        written = plain(ours.get_config())
        again = type(layer).from_config(written)
        assert plain(again.get_config()) == config
        config.pop("quantization_config", None)
        assert written == config


def test_keras_other_names_are_known_too(keras):
    for name in ("Convolution1D", "Convolution2D", "Convolution3D", "Convolution1DTranspose",
                 "Convolution2DTranspose", "Convolution3DTranspose", "SeparableConvolution1D",
                 "SeparableConvolution2D"):
        assert getattr(scratch, name).__name__ == getattr(keras.layers, name).__name__


BAD = [
    ("Conv2D", dict(filters=0, kernel_size=2), "filters=0"),
    ("Conv2D", dict(filters=2, kernel_size=(2, 0)), "kernel_size=0"),
    ("Conv2D", dict(filters=2, kernel_size=2, strides=(0, 1)), "strides=0"),
    ("Conv2D", dict(filters=2, kernel_size=2, strides=2, dilation_rate=(2, 1)),
     "strides=(2, 2), dilation_rate=(2, 1)"),
    ("Conv2D", dict(filters=2, kernel_size=2, dilation_rate=0), "dilation_rate=0"),
    ("Conv2D", dict(filters=5, kernel_size=2, groups=2), "filters=5, groups=2"),
    ("Conv2D", dict(filters=2, kernel_size=2, groups=0), "groups=0"),
    ("Conv2D", dict(filters=2, kernel_size=2, padding="causal"), "padding='causal'"),
    ("Conv2D", dict(filters=2, kernel_size=2, data_format="NCHW"), "data_format='NCHW'"),
    ("Conv1D", dict(filters=2, kernel_size=(2, 2)), "kernel_size=(2, 2)"),
    ("Conv1D", dict(filters=2, kernel_size=2, padding="full"), "padding='full'"),
    ("Conv1D", dict(filters=2, kernel_size=2, strides=2, dilation_rate=2),
     "strides=(2,), dilation_rate=(2,)"),
    ("DepthwiseConv2D", dict(kernel_size=2, depth_multiplier=0), "depth_multiplier=0"),
    ("DepthwiseConv2D", dict(kernel_size=(0, 2)), "kernel_size=0"),
    ("DepthwiseConv2D", dict(kernel_size=2, strides=(1, 0)), "strides=0"),
    ("DepthwiseConv2D", dict(kernel_size=2, padding="causal"), "padding='causal'"),
    ("SeparableConv2D", dict(filters=0, kernel_size=2), "filters=0"),
    ("SeparableConv2D", dict(filters=2, kernel_size=2, depth_multiplier=0), "depth_multiplier=0"),
    ("SeparableConv2D", dict(filters=2, kernel_size=(2, 0)), "kernel_size=0"),
    ("SeparableConv2D", dict(filters=2, kernel_size=2, strides=0), "strides=0"),
    ("Conv2DTranspose", dict(filters=0, kernel_size=2), "filters=0"),
    ("Conv2DTranspose", dict(filters=2, kernel_size=(2, 0)), "kernel_size=0"),
    ("Conv2DTranspose", dict(filters=2, kernel_size=2, strides=(1, 0)), "strides=0"),
    ("Conv2DTranspose", dict(filters=2, kernel_size=2, strides=2, dilation_rate=(2, 1)),
     "strides=(2, 2), dilation_rate=(2, 1)"),
    ("Conv2DTranspose", dict(filters=2, kernel_size=3, strides=2, output_padding=2),
     "output_padding=(2, 2), strides=(2, 2)"),
    ("Conv2DTranspose", dict(filters=2, kernel_size=3, strides=2, output_padding=(0, -1)),
     "output_padding=-1"),
    ("Conv3D", dict(filters=2, kernel_size=(2, 2)), "kernel_size=(2, 2)"),
    ("Conv3D", dict(filters=2, kernel_size=2, padding="causal"), "padding='causal'"),
    ("Conv3D", dict(filters=2, kernel_size=2, strides=(1, 2, 1), dilation_rate=(2, 1, 1)),
     "strides=(1, 2, 1), dilation_rate=(2, 1, 1)"),
    ("Conv3D", dict(filters=5, kernel_size=2, groups=2), "filters=5, groups=2"),
    ("Conv1DTranspose", dict(filters=2, kernel_size=3, strides=2, output_padding=2),
     "output_padding=(2,), strides=(2,)"),
    ("Conv3DTranspose", dict(filters=2, kernel_size=3, strides=(1, 2, 0)), "strides=0"),
    ("DepthwiseConv1D", dict(kernel_size=2, padding="causal"), "padding='causal'"),
    ("DepthwiseConv1D", dict(kernel_size=2, depth_multiplier=0), "depth_multiplier=0"),
    ("SeparableConv1D", dict(filters=2, kernel_size=2, padding="causal"), "padding='causal'"),
    ("SeparableConv1D", dict(filters=2, kernel_size=(2, 2)), "kernel_size=(2, 2)"),
]


@pytest.mark.parametrize("name, arguments, received", BAD, ids=str)
def test_what_keras_refuses_is_refused(keras, name, arguments, received):
    with pytest.raises(ValueError):
        getattr(keras.layers, name)(**arguments)
    with pytest.raises(ValueError) as error:
        getattr(scratch, name)(name="edges", **arguments)
    assert "'edges'" in str(error.value) and f"Received: {received}" in str(error.value)


UNFIT = [
    ("Conv2D", dict(filters=4, kernel_size=2, groups=2), (None, 5, 6, 3), "3 channels, groups=2"),
    ("Conv1D", dict(filters=4, kernel_size=2, groups=4), (None, 5, 6), "6 channels, groups=4"),
    ("Conv2D", dict(filters=4, kernel_size=2, dilation_rate=(1, 6)), (None, 5, 6, 3), "(5, 6)"),
    ("Conv1D", dict(filters=4, kernel_size=3, dilation_rate=3), (None, 6, 6), "(6,)"),
    ("DepthwiseConv2D", dict(kernel_size=(6, 2)), (None, 5, 6, 3), "(5, 6)"),
    ("SeparableConv2D", dict(filters=2, kernel_size=(6, 2)), (None, 5, 6, 3), "(5, 6)"),
    ("Conv2D", dict(filters=4, kernel_size=6, data_format="channels_first"), (None, 6, 5, 6),
     "(5, 6)"),
    ("Conv1D", dict(filters=4, kernel_size=2), (None, 5, 6, 3), "(None, 5, 6, 3)"),
    ("Conv2DTranspose", dict(filters=4, kernel_size=2), (None, 5, 6), "(None, 5, 6)"),
    ("Conv3D", dict(filters=4, kernel_size=(2, 6, 1)), (None, 4, 5, 6, 3), "(4, 5, 6)"),
    ("Conv3D", dict(filters=4, kernel_size=2), (None, 5, 6, 3), "(None, 5, 6, 3)"),
    ("Conv3D", dict(filters=4, kernel_size=2, groups=2), (None, 4, 5, 6, 3),
     "3 channels, groups=2"),
    ("DepthwiseConv1D", dict(kernel_size=6), (None, 5, 3), "(5,)"),
    ("SeparableConv1D", dict(filters=4, kernel_size=3, dilation_rate=3), (None, 6, 3), "(6,)"),
    ("Conv3DTranspose", dict(filters=4, kernel_size=2), (None, 5, 6, 3), "(None, 5, 6, 3)"),
]


@pytest.mark.parametrize("name, arguments, shape, received", UNFIT, ids=str)
def test_inputs_that_keras_refuses_are_refused(keras, name, arguments, shape, received):
    with pytest.raises(ValueError):
        layer = getattr(keras.layers, name)(**arguments)
        layer.build(shape)
        layer.compute_output_shape(shape)
        layer(keras.KerasTensor(shape))
    with pytest.raises(ValueError) as error:
        getattr(scratch, name)(name="edges", **arguments).build(shape)
    assert "'edges'" in str(error.value) and received in str(error.value)


def test_an_output_from_which_no_convolution_leads_back_is_refused(keras):
    """Keras builds such a layer; TensorFlow then finds that the sizes do not match, in words that
    depend on its kernels."""
    arguments = dict(filters=2, kernel_size=(3, 2), strides=2, padding="same",
                     output_padding=(1, 0))
    layer = keras.layers.Conv2DTranspose(**arguments)
    with pytest.raises(Exception, match="Exception encountered when calling Conv2DTranspose"):
        layer(np.zeros((2, 4, 5, 1), "float32"))
    with pytest.raises(ValueError, match="'edges'.*Received: output_padding=\\(1, 0\\)"):
        scratch.Conv2DTranspose(name="edges", **arguments).build((None, 4, 5, 1))
