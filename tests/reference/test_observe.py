"""Observing: what is recorded of a Keras model is what plain Keras calls give.

And it changes nothing.
"""

import numpy as np
import pytest

SHAPE, CLASSES = (6, 5, 2), 4


@pytest.fixture(scope="module")
def reference(keras):
    import reference

    return reference


def network(keras, reference, dtype="float32", end="softmax", optimizer=None, loss=None):
    """Inner activations, layers of their own, a frozen layer; compiled."""
    layers = keras.layers
    keras.utils.set_random_seed(3)
    model = keras.Sequential([
        keras.Input(SHAPE), layers.Conv2D(3, (2, 3), activation="relu", name="conv"),
        layers.MaxPooling2D((2, 1), name="pool"), layers.Flatten(name="flatten"),
        layers.Dense(5, name="frozen", trainable=False), layers.ReLU(name="relu"),
        layers.Dense(CLASSES, activation=end, name="last")])
    config = model.get_config()
    for layer in config["layers"]:
        layer["config"]["dtype"] = dtype
    optimizer = optimizer or keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True)
    settings = {"optimizer": keras.optimizers.serialize(optimizer),
                "loss": loss or "sparse_categorical_crossentropy"}
    twin = reference.from_config(config, settings)
    twin.set_weights([np.random.default_rng(i).standard_normal(w.shape)
                      for i, w in enumerate(model.get_weights())])
    return twin


def batch(dtype="float32"):
    rng = np.random.default_rng(5)
    return rng.standard_normal((3, *SHAPE)).astype(dtype), np.array([2, 0, 3])


def plainly(model, x, y, dtype):
    """(layer outputs, loss, gradients of the trainable weights, dx), by plain Keras.

    Layer by layer. The last layer's output is handed to the loss as it is, so a softmax is fused.
    """
    import tensorflow as tf

    with tf.GradientTape() as tape:
        source = tf.constant(x)
        tape.watch(source)
        values, value = [], source
        for layer in model.layers:
            value = layer(value, training=True)
            values.append(value)
        loss = model.compute_loss(x=source, y=y, y_pred=value)
    variables = model.trainable_variables
    dx, *gradients = tape.gradient(loss, [source, *(v.value for v in variables)])
    return ([v.numpy() for v in values], loss.numpy(),
            {v.path: g.numpy() for v, g in zip(variables, gradients)}, dx.numpy())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_is_observed_is_what_plain_keras_computes(keras, reference, dtype):
    model = network(keras, reference, dtype)
    x, y = batch(dtype)
    observed = reference.observe(model, x, y)
    outputs, loss, gradients, dx = plainly(model, x, y, dtype)
    assert observed.loss == loss and observed.loss.dtype == dtype
    parts = observed.parts
    assert [(p.layer, p.part, p.class_name) for p in parts] == [
        ("conv", "", "Conv2D"), ("conv", "relu", "Conv2D"), ("pool", "", "MaxPooling2D"),
        ("flatten", "", "Flatten"), ("frozen", "", "Dense"), ("relu", "", "ReLU"),
        ("last", "", "Dense"), ("last", "softmax", "Dense")]
    ends = [part for part, after in zip(parts, [*parts[1:], None])
            if after is None or after.layer != part.layer]
    for part, output in zip(ends, outputs, strict=True):
        np.testing.assert_array_equal(part.output, output, part.layer)
    np.testing.assert_array_equal(parts[0].input, x)
    np.testing.assert_array_equal(parts[0].input_gradient, dx)
    for part in parts:
        layer = model.get_layer(part.layer)
        assert list(part.weights) == ([] if part.part else [v.name for v in layer.weights])
        for name, weight in part.weights.items():
            np.testing.assert_array_equal(weight, getattr(layer, name).numpy())
        for name, gradient in part.weight_gradients.items():
            np.testing.assert_array_equal(gradient, gradients.pop(getattr(layer, name).path))
    assert gradients == {}, "a gradient that was not observed"
    assert observed.sources == [(i - 1,) for i in range(len(parts))]
    arrays = [array for part in parts for array in (
        part.input, part.output, *part.weights.values(), *part.updated.values())]
    for array in [observed.loss_gradient, *arrays]:
        assert array.dtype == dtype


def test_the_gradient_of_each_part_is_that_of_its_own_function(keras, reference):
    """Each part's input gradient is what a tape gives for that part alone, at that upstream."""
    import tensorflow as tf

    model = network(keras, reference)
    observed = reference.observe(model, *batch())
    calls = {"relu": keras.activations.relu, "softmax": keras.activations.softmax}
    for part, after in zip(observed.parts, observed.parts[1:]):
        np.testing.assert_array_equal(part.output, after.input)
        if part.output_gradient is None:
            continue
        with tf.GradientTape() as tape:
            source = tf.constant(part.input)
            tape.watch(source)
            if part.part:
                y = calls[part.part](source)
            elif "kernel" in part.weights and source.shape.rank == 4:
                y = tf.nn.conv2d(source, part.weights["kernel"], 1, "VALID") + part.weights["bias"]
            elif "kernel" in part.weights:
                y = source @ part.weights["kernel"] + part.weights["bias"]
            else:
                y = model.get_layer(part.layer)(source)
        np.testing.assert_allclose(y, part.output, rtol=1e-5, atol=1e-6)
        dx = tape.gradient(y, source, output_gradients=tf.constant(part.output_gradient))
        np.testing.assert_allclose(dx, part.input_gradient, rtol=1e-4, atol=1e-6)


def test_a_fused_softmax_has_no_gradient_of_its_own_and_its_input_has_the_losss(keras, reference):
    x, y = batch()
    observed = reference.observe(network(keras, reference), x, y)
    parts, p = observed.parts, observed.parts[-1].output
    assert observed.fused
    np.testing.assert_allclose(observed.loss_gradient, (p - np.eye(CLASSES)[y]) / len(y), atol=1e-6)
    assert parts[-1].output_gradient is None and parts[-1].input_gradient is None
    np.testing.assert_array_equal(parts[-2].output_gradient, observed.loss_gradient)
    assert parts[0].output_gradient is not None


@pytest.fixture
def floatx(keras, dtype):
    """Keras's default precision set to the test's, as a float64 model's loss needs it."""
    keras.config.set_floatx(dtype)
    yield
    keras.config.set_floatx("float32")


@pytest.mark.parametrize(
    "settings", [dict(), dict(momentum=0.9), dict(momentum=0.9, nesterov=True)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_step_is_train_on_batchs(keras, reference, settings, dtype, floatx):
    model = network(keras, reference, dtype, optimizer=keras.optimizers.SGD(0.25, **settings))
    x, y = batch(dtype)
    observed = reference.observe(model, x, y)
    model.compile(optimizer=model.optimizer, loss=model.loss, run_eagerly=True)
    model.train_on_batch(x, y)
    updated = 0
    for part in observed.parts:
        for name, weight in part.updated.items():
            np.testing.assert_array_equal(weight,
                                          getattr(model.get_layer(part.layer), name).numpy())
            updated += 1
    assert updated == 4 and not any(p.updated for p in observed.parts if p.layer == "frozen")


def state(model):
    return ([w.tolist() for w in model.get_weights()], str(model.get_config()),
            str(model.get_compile_config()),
            [v.numpy().tolist() for v in model.optimizer.variables],
            [getattr(layer, "activation", None) for layer in model.layers])


@pytest.mark.sampled(2)
@pytest.mark.parametrize("what", ["observe", "upstream", "run_op", "trajectory of a clone"])
def test_the_model_is_left_as_it_was(keras, reference, what):
    model = network(keras, reference)
    x, y = batch()
    model.train_on_batch(x, y)
    before, x_before = state(model), x.copy()
    upstream = np.ones((3, CLASSES))
    if what == "observe":
        reference.observe(model, x, y)
    elif what == "upstream":
        reference.observe(model, x, upstream=upstream)
    elif what == "run_op":
        for op, part in zip(reference.ops_of(model), reference.observe(model, x, y).parts):
            weights = {name: weight + 1 for name, weight in part.weights.items()}
            reference.run_op(op, part.input, np.ones_like(part.output), weights)
    else:
        clone = reference.clone(model)
        reference.StepRunner(clone).trajectory(model.get_weights(), x, y, 2)
    assert state(model) == before
    np.testing.assert_array_equal(x, x_before)


def test_the_model_is_left_as_it_was_even_if_an_op_fails(keras, reference):
    model = network(keras, reference)
    before = state(model)
    op = reference.ops_of(model)[0]
    weights = {v.name: v.numpy() + 1 for v in op.variables}
    with pytest.raises(ValueError):
        reference.run_op(op, np.zeros((2, 3, 3)), np.zeros(1), weights)
    assert state(model) == before


def test_an_upstream_gradient_takes_the_place_of_a_loss(keras, reference):
    import tensorflow as tf

    model = network(keras, reference)
    x, _ = batch()
    upstream = np.random.default_rng(1).standard_normal((3, CLASSES)).astype("float32")
    observed = reference.observe(model, x, upstream=upstream)
    assert observed.loss is None and not any(p.updated for p in observed.parts)
    np.testing.assert_array_equal(observed.parts[-1].output_gradient, upstream)
    with tf.GradientTape() as tape:
        source = tf.constant(x)
        tape.watch(source)
        y = model(source, training=True)
    dx = tape.gradient(y, source, output_gradients=upstream)
    np.testing.assert_allclose(observed.parts[0].input_gradient, dx, rtol=1e-5, atol=1e-7)


def test_a_layer_can_be_kept_whole(keras, reference):
    model = network(keras, reference)
    split = reference.observe(model, *batch())
    whole = reference.observe(model, *batch(), whole={0})
    assert [(p.layer, p.part) for p in whole.parts][:2] == [("conv", "whole"), ("pool", "")]
    np.testing.assert_array_equal(whole.parts[0].output, split.parts[1].output)
    np.testing.assert_array_equal(whole.parts[0].output_gradient, split.parts[1].output_gradient)
    np.testing.assert_array_equal(whole.parts[0].weight_gradients["kernel"],
                                  split.parts[0].weight_gradients["kernel"])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_op_alone_computes_what_it_computes_in_the_network(keras, reference, dtype):
    model = network(keras, reference, dtype)
    observed = reference.observe(model, *batch(dtype))
    for op, part in zip(reference.ops_of(model), observed.parts, strict=True):
        dy = part.output_gradient
        dy = np.ones_like(part.output) if dy is None else dy
        output, dx, gradients = reference.run_op(op, part.input, dy, part.weights)
        np.testing.assert_array_equal(output, part.output)
        assert output.dtype == dx.dtype == dtype
        assert gradients.keys() == part.weight_gradients.keys()
        if part.output_gradient is not None:
            np.testing.assert_allclose(dx, part.input_gradient, rtol=1e-5, atol=1e-7)
            for name, gradient in gradients.items():
                np.testing.assert_allclose(gradient, part.weight_gradients[name], rtol=1e-5,
                                           atol=1e-6)


def test_an_op_takes_the_weights_it_is_given(keras, reference):
    model = network(keras, reference)
    op = reference.ops_of(model)[0]
    x = np.random.default_rng(2).integers(-3, 4, (2, *SHAPE)).astype("float32")
    ones = {v.name: np.ones(v.shape, "float32") for v in op.variables}
    dy = np.ones((2, 5, 3, 3), "float32")
    output, _, gradients = reference.run_op(op, x, dy, ones)
    expected = 1 + sum(x[:, i:i + 5, j:j + 3].sum(axis=3) for i in range(2) for j in range(3))
    np.testing.assert_array_equal(output, np.repeat(expected[..., None], 3, axis=3))
    np.testing.assert_array_equal(gradients["bias"], [30, 30, 30])


def test_nothing_stays_behind(keras, reference):
    """TensorFlow's tensors are no more after a hundred calls than after one."""
    import gc

    import tensorflow as tf

    def tensors():
        gc.collect()
        return sum(isinstance(thing, type(tf.constant(0.0))) for thing in gc.get_objects())

    model = network(keras, reference)
    reference.observe(model, *batch())
    before = tensors()
    for _ in range(5):
        reference.observe(model, *batch())
    assert tensors() == before


def test_what_is_shared_is_the_same_and_stays_when_the_model_goes_on(keras, reference):
    """Of an embedding, too, whose gradient TensorFlow keeps by places."""
    keras.utils.set_random_seed(4)
    model = keras.Sequential([
        keras.Input((3,), dtype="int32"), keras.layers.Embedding(6, 4, name="embedding"),
        keras.layers.Flatten(), keras.layers.BatchNormalization(name="norm"),
        keras.layers.Dense(CLASSES, activation="softmax", name="last")])
    model.compile(keras.optimizers.Adam(0.1), "sparse_categorical_crossentropy")
    rng = np.random.default_rng(6)
    x, y = rng.integers(0, 6, (5, 3)), rng.integers(0, CLASSES, 5)
    before = model.get_weights()
    plain = reference.observe(model, x, y)
    shared = reference.observe(model, x, y, shared=True)
    kinds = "weights", "weight_gradients", "updated"

    def assert_same():
        for one, other in zip(plain.parts, shared.parts, strict=True):
            for kind in kinds:
                a, b = getattr(one, kind), getattr(other, kind)
                assert a.keys() == b.keys()
                for name in a:
                    np.testing.assert_array_equal(b[name], a[name], f"{one.layer} {kind} {name}")

    assert_same()
    for part in shared.parts:
        for weight in part.weights.values():
            with pytest.raises(ValueError, match="read-only"):
                weight[...] = 0
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(other, one)
    model.fit(x, y, epochs=2, verbose=0)
    model.train_on_batch(x, y)
    model.set_weights([0 * w for w in model.get_weights()])
    assert_same()
