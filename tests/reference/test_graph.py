"""Graphs of layers in Keras: what each reads, what cannot be observed, and noise handed over."""

import numpy as np
import pytest


@pytest.fixture(scope="module")
def reference(keras):
    import reference

    return reference


def forked(keras, noise=None, activity=None):
    """relu(a) + dropout(relu(a)), then a dense layer; with a batch normalization."""
    layers = keras.layers
    keras.utils.set_random_seed(3)
    source = keras.Input((6,))
    a = layers.Dense(5, activation="relu", activity_regularizer=activity, name="a")(source)
    b = layers.Dropout(0.4, name="drop")(a)
    c = layers.Add(name="add")([b, a, a])
    d = layers.BatchNormalization(name="norm")(c)
    model = keras.Model(source, layers.Dense(4, activation="softmax", name="last")(d))
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def batch():
    rng = np.random.default_rng(5)
    return rng.standard_normal((3, 6)).astype("float32"), np.array([2, 0, 3])


def test_every_part_knows_what_it_reads(keras, reference):
    observed = reference.observe(forked(keras), *batch())
    assert [(p.layer, p.part) for p in observed.parts] == [
        ("a", ""), ("a", "relu"), ("drop", ""), ("add", ""), ("norm", ""), ("last", ""),
        ("last", "softmax")]
    assert observed.sources == [(-1,), (0,), (1,), (2, 1, 1), (3,), (4,), (5,)]
    parts = observed.parts
    for part, sources in zip(parts, observed.sources):
        inputs = part.input if isinstance(part.input, tuple) else (part.input,)
        for array, source in zip(inputs, sources, strict=True):
            np.testing.assert_array_equal(array, parts[source].output if source >= 0
                                          else batch()[0])
    np.testing.assert_allclose(parts[1].output_gradient, parts[2].input_gradient
                               + parts[3].input_gradient[1] + parts[3].input_gradient[2], rtol=1e-6)
    np.testing.assert_array_equal(parts[2].output, parts[2].input * parts[2].noise)
    assert set(np.round(np.unique(parts[2].noise), 4)) == {0, np.float32(1.6667)}


def test_the_gradients_are_those_of_plain_keras_with_the_same_noise(keras, reference):
    """Keras's own pass, whose dropout draws what is then handed over."""
    import tensorflow as tf

    from reference import noise as noises

    model = forked(keras, activity="l2")
    x, y = batch()
    drop = model.get_layer("drop")
    noise = noises.drawn(drop, tf.zeros((3, 5)))
    before = [w.copy() for w in model.get_weights()]
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x=x, y=y, y_pred=model(x, training=True))
    gradients = dict(zip((v.path for v in model.trainable_variables),
                         tape.gradient(loss, [v.value for v in model.trainable_variables])))
    moved = model.get_layer("norm").moving_mean.numpy()
    model.set_weights(before)
    observed = reference.observe(model, x, y, noise={1: noise})
    assert observed.loss == pytest.approx(float(loss), rel=1e-6)
    for part in observed.parts:
        for name, gradient in part.weight_gradients.items():
            path = next(v.path for v in model.get_layer(part.layer).weights if v.name == name)
            np.testing.assert_allclose(gradient, gradients.pop(path), rtol=1e-4, atol=1e-6)
    assert gradients == {}
    np.testing.assert_allclose(observed.parts[4].updated["moving_mean"], moved, rtol=1e-5)
    for kept, weight in zip(before, model.get_weights()):
        np.testing.assert_array_equal(kept, weight)


def test_inference_and_drawing_leave_no_trace(keras, reference):
    model = forked(keras)
    x, y = batch()
    state = [np.array(v.numpy()) for v in model.get_layer("drop").variables + model.weights]
    observed = reference.observe(model, x, y)
    np.testing.assert_array_equal(observed.inference, model(x, training=False))
    assert [p.layer for p in observed.parts if p.inference is not None] == ["drop", "norm"]
    np.testing.assert_array_equal(observed.parts[2].inference, observed.parts[2].input)
    after = [np.array(v.numpy()) for v in model.get_layer("drop").variables + model.weights]
    for kept, value in zip(state, after, strict=True):
        np.testing.assert_array_equal(kept, value)
    assert model.get_layer("a").activity_regularizer is None and model.losses == []
    assert "call" not in vars(model.get_layer("drop"))


def test_a_step_alone_of_float64_draws_in_that_precision(keras, reference):
    """Keras's layer multiplies its input by what it draws, in its default precision, at a rate of 0
    too."""
    layer = reference.noise.StochasticDepth(0.0, dtype="float64")
    model = keras.Sequential([keras.Input((5,), dtype="float64"), layer])
    op, = reference.ops_of(model)
    x, dy = np.arange(10.0).reshape(2, 5), np.full((2, 5), 3.0)
    y, dx, _ = reference.run_op(op, x, dy, {})
    np.testing.assert_array_equal(y, x)
    np.testing.assert_array_equal(dx, dy)
    assert y.dtype == "float64" and keras.config.floatx() == "float32"


def test_a_step_alone_takes_weights_and_noise(keras, reference):
    model = forked(keras)
    parts = reference.observe(model, *batch()).parts
    add, drop, norm = (reference.ops_of(model)[i] for i in (3, 2, 4))
    x = tuple(np.full((2, 5), n, "float32") for n in (1, 2, 3))
    y, dx, weights = reference.run_op(add, x, np.ones((2, 5), "float32"), {})
    np.testing.assert_array_equal(y, np.full((2, 5), 6))
    assert isinstance(dx, tuple) and len(dx) == 3 and weights == {}
    noise = np.arange(10, dtype="float32").reshape(2, 5)
    y, dx, _ = reference.run_op(drop, x[1], x[2], {"noise": noise})
    np.testing.assert_array_equal(y, 2 * noise)
    np.testing.assert_array_equal(dx, 3 * noise)
    held = {name: weight + 1 for name, weight in parts[4].weights.items()}
    y, _, _ = reference.run_op(norm, x[2], x[1], held, training=False)
    np.testing.assert_allclose(y, 2 * (3 - 1) / np.sqrt(2.001) + 1, rtol=1e-6)
    np.testing.assert_array_equal(norm.layer.moving_mean.numpy(), parts[4].weights["moving_mean"])


def test_steps_in_training_use_the_noise_of_each_step(keras, reference):
    model = forked(keras)
    x, y = batch()
    rng = np.random.default_rng(1)
    noise = [{1: rng.integers(0, 3, (3, 5)).astype("float32")} for _ in range(3)]
    runner = reference.StepRunner(reference.clone(model))
    start = model.get_weights()
    run, losses = runner.trajectory(start, x, y, 3, np.array([1, 2, 0.5]), noise)
    again, _ = runner.trajectory(start, x, y, 3, np.array([1, 2, 0.5]), noise)
    for a, b in zip(run, again):
        for mine, other in zip(a, b):
            np.testing.assert_array_equal(mine, other)
    other, _ = runner.trajectory(start, x, y, 3, np.array([1, 2, 0.5]), noise[::-1])
    assert not np.array_equal(run[0][0], other[0][0])
    observed = reference.observe(model, x, y, noise=noise[0], sample_weight=np.array([1, 2, 0.5]))
    assert losses[0] == pytest.approx(observed.loss, rel=1e-6)
    stepped = [w for p in observed.parts for w in (p.updated[n] for n in p.weights)]
    for ours, theirs in zip(run[0], stepped, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def shared(keras):
    """A layer called on its own output, a model called twice, and dropout in it."""
    L = keras.layers
    keras.utils.set_random_seed(4)
    base = keras.Sequential([keras.Input((4,)), L.BatchNormalization(name="norm"),
                             L.Dropout(0.5, name="drop")], name="base")
    source, dense = keras.Input((4,)), L.Dense(4, "tanh", kernel_regularizer="l2", name="again")
    model = keras.Model(source, L.Subtract(name="end")([base(dense(source)),
                                                        base(dense(dense(source)))]))
    model.compile("sgd", "mse")
    return model


def test_each_call_has_its_own_gradients_which_add_up(keras, reference):
    import tensorflow as tf

    from reference import noise as noises

    model = shared(keras)
    x, y = np.random.default_rng(1).standard_normal((2, 5, 4)).astype("float32")
    parts = reference.observe(model, x, y).parts
    assert [(p.layer, p.tied_to) for p in parts if not p.part] == [
        ("again", None), ("again (call 2)", "again"), ("again (call 3)", "again"),
        ("base.norm", None), ("base.drop", None), ("base.norm (call 2)", "base.norm"),
        ("base.drop (call 2)", "base.drop"), ("end", None)]
    drops = [p for p in parts if p.noise is not None]
    before = [np.array(w) for w in model.get_weights()]
    layers = model.get_layer("base").layers
    noise = [tf.constant(p.noise) for p in drops]
    with noises.given({layers[1]: noise}), tf.GradientTape() as tape:
        loss = model.compute_loss(x=x, y=y, y_pred=model(x, training=True))
    whole = tape.gradient(loss, [v.value for v in model.trainable_variables])
    kernels = [p.weight_gradients["kernel"] for p in parts if p.layer.startswith("again (")
               and not p.part]
    first = parts[0].weight_gradients["kernel"]
    np.testing.assert_allclose(first + sum(kernels), whole[0], rtol=1e-4, atol=1e-6)
    assert all(np.abs(kernel).max() > 1e-3 for kernel in (first, *kernels))
    # statistics: each call moves them from where the batch found them
    norms = [p for p in parts if p.class_name == "BatchNormalization"]
    for part in norms:
        np.testing.assert_allclose(part.updated["moving_mean"],
                                   0.01 * part.input.mean(0), rtol=1e-4, atol=1e-7)
    assert not np.array_equal(before[4], model.get_weights()[4]), "Keras's own pass moved them"
    model.set_weights(before)
    stepped = before[0] - 0.01 * (first + sum(kernels))
    np.testing.assert_allclose(parts[0].updated["kernel"], stepped, rtol=1e-5, atol=1e-7)
    assert "kernel" not in parts[2].updated


def test_noise_of_each_call_is_handed_over_in_order(keras, reference):
    model = shared(keras)
    x, y = np.random.default_rng(1).standard_normal((2, 5, 4)).astype("float32")
    noise = {4: np.full((5, 4), 2, "float32"), 6: np.zeros((5, 4), "float32")}
    observed = reference.observe(model, x, y, noise=noise)
    runner = reference.StepRunner(reference.clone(model))
    _, losses = runner.trajectory(model.get_weights(), x, y, 1, noise=[noise])
    assert losses[0] == pytest.approx(observed.loss, rel=1e-6)
    _, other = runner.trajectory(model.get_weights(), x, y, 1, noise=[{4: noise[6], 6: noise[4]}])
    assert abs(other[0] - losses[0]) > 1e-3


def test_models_that_are_no_graph_of_layers(keras, reference):
    layers = keras.layers
    a = keras.Input((4,))
    with pytest.raises(ValueError, match="expected outputs that layers make"):
        reference.observe_inference(keras.Model(a, [layers.Dense(4)(a), a]), np.ones((2, 4)))
    called = keras.Model(a, layers.Dropout(0.5, name="d")(a, training=True))
    assert [op.name for op in reference.ops_of(called)] == ["d"]  # which `fit` overrules
