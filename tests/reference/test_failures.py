"""What TensorFlow refuses becomes one sentence about the Keras layer, wherever it arises."""

import numpy as np
import pytest

import compare
import reference
import scratch
from compare.inputs import twins
from reference.failures import LONGEST, KerasError


@pytest.fixture
def refusing(keras):
    """A class of layers that TensorFlow refuses to run, or to differentiate."""
    import tensorflow as tf

    def refuse(message):
        raise tf.errors.InvalidArgumentError(None, None, message)

    class Refusing(keras.layers.Layer):
        def __init__(self, forward="", backward="", **settings):
            super().__init__(**settings)
            self.forward, self.refused = forward, backward

        def call(self, x):
            if self.forward:
                refuse(self.forward)

            @tf.custom_gradient
            def same(x):
                return tf.identity(x), lambda dy: refuse(self.refused) if self.refused else dy

            return same(x)

    return Refusing


def network(keras, layer):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3), layer,
                              keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    return model


X, Y = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")


@pytest.mark.parametrize("way", ["forward", "backward"])
def test_the_layer_is_named_and_tensorflow_quoted(keras, refusing, way):
    model = network(keras, refusing(name="mine"))
    setattr(model.get_layer("mine"), {"forward": "forward", "backward": "refused"}[way],
            "no such\n\nkernel")
    with pytest.raises(KerasError) as error:
        reference.observe(model, X, Y)
    assert str(error.value) == ("Layer 'mine': expected a Refusing that TensorFlow can run on this "
                                "processor. Received: no such kernel")
    ops = {op.layer.name: op for op in reference.ops_of(model)}
    with pytest.raises(KerasError, match="'mine'.*no such kernel"):
        reference.run_op(ops["mine"], X, X, {})


def test_a_training_step_is_named(keras, refusing):
    model = network(keras, refusing(backward="no gradient", name="mine"))
    with pytest.raises(KerasError, match="run a training step.*no gradient"):
        reference.StepRunner(model).run(X[None], Y[None])


def test_the_loss_is_named(keras):
    import tensorflow as tf

    model = network(keras, keras.layers.ReLU())

    def refused(y_true, y_pred):
        raise tf.errors.ResourceExhaustedError(None, None, "out of memory")

    model.compile("sgd", refused)
    with pytest.raises(KerasError, match="run the loss.*out of memory"):
        reference.observe(model, X, Y)


def test_messages_are_of_bounded_length(keras, refusing):
    model = network(keras, refusing(name="mine"))
    model.get_layer("mine").forward = "word " * 1000
    with pytest.raises(KerasError) as error:
        reference.observe(model, X, Y)
    assert len(str(error.value)) < LONGEST + 200


REFUSED = [
    ("SeparableConv2D", dict(filters=2, kernel_size=3, strides=(1, 2)), "equal length strides"),
    ("DepthwiseConv2D", dict(kernel_size=3, strides=(1, 2)), "equal length strides"),
    ("Conv2DTranspose", dict(filters=2, kernel_size=2, dilation_rate=2), "dilation rates larger"),
    ("Conv2D", dict(filters=2, kernel_size=2, data_format="channels_first"), "NHWC")]


@pytest.mark.parametrize("name, arguments, said", REFUSED)
def test_layers_that_tensorflow_refuses(keras, name, arguments, said):
    """In float64, which no kernel of oneDNN computes."""
    layers = [getattr(library, name)(**arguments, name="mine", dtype="float64")
              for library in (scratch, keras.layers)]
    model = scratch.Sequential([scratch.Input((6, 5, 4)), layers[0]], dtype="float64")
    twin = keras.Sequential([keras.Input((6, 5, 4), dtype="float64"), layers[1]])
    x, upstream = np.ones((2, 6, 5, 4)), np.ones((2, *model.output_shape[1:]))
    with pytest.raises(ValueError) as error:
        compare.check(model, twin, x, upstream=upstream)
    assert f"'mine': expected a {name}" in str(error.value) and said in str(error.value)


@pytest.mark.parametrize("dtype, held", [("float32", True), ("float64", False)])
def test_muon_with_a_schedule(keras, dtype, held):
    """Which Keras runs in float32 alone."""
    rate = scratch.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    model = scratch.Sequential([scratch.Input((3,)), scratch.Dense(2, dtype=dtype)])
    model.compile(scratch.optimizers.Muon(rate), "mse")
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((4, 3)), rng.standard_normal((4, 2))
    twin = twins.twins(model)[1]
    if held:
        assert compare.check(model, twin, x, y)
        return
    with pytest.raises(ValueError, match="number as the learning_rate of Muon .* ExponentialDecay"):
        compare.check(model, twin, x, y)
