"""What could make a planned network differ from the plain one: odd graphs, and what is done to it
between its steps."""

import copy

import numpy as np
import pytest

import scratch
from scratch import Dense, Input, blas, losses, parallel, plans
from scratch.layers import Conv2D, Flatten, Layer, MaxPooling2D, ReLU
from scratch.plans.max_pooling import PlannedMaxPooling
from scratch.plans.workspace import Workspace

CROSS_ENTROPY = "sparse_categorical_crossentropy"


@pytest.fixture(autouse=True)
def alone():
    """One thread: blocks add up in another order."""
    parallel.set_num_threads(1)
    yield
    parallel.set_num_threads(None)


def either_way(run, monkeypatch):
    """What `run` returns with plans, and without."""
    scratch.set_random_seed(7)
    planned = run()
    monkeypatch.setattr(plans.plan, "planner_of", lambda layer: None)
    scratch.set_random_seed(7)
    return planned, run()


def assert_same(planned, plain, **tolerances):
    assert len(planned) == len(plain)
    for a, b in zip(planned, plain):
        if tolerances:
            np.testing.assert_allclose(a, b, **tolerances)
        else:
            np.testing.assert_array_equal(a, b)


def rows(samples=12, steps=6):
    generator = np.random.default_rng(3)
    for _ in range(steps):
        yield (generator.normal(size=(samples, 5)).astype(np.float32),
               generator.integers(0, 4, samples))


def in_blocks_of_three(model, monkeypatch):
    monkeypatch.setattr(parallel, "BLOCK_NUMBERS", 3 * parallel.outputs_of(model))
    monkeypatch.setattr(parallel, "FEW", 1)


def test_penalties_of_a_step_in_blocks_do_not_stay_in_the_gradients(monkeypatch):
    def run():
        model = scratch.Sequential([Input((5,)), Dense(6, "relu", kernel_regularizer="l2"),
                                    Dense(4, "softmax")])
        model.compile("adam", CROSS_ENTROPY)
        in_blocks_of_three(model, monkeypatch)
        for x, y in rows():
            model.train_on_batch(x, y)
        return model.get_weights()

    assert_same(*either_way(run, monkeypatch), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("blocks", [False, True])
def test_an_output_that_another_layer_reads_has_the_gradients_of_both(blocks, monkeypatch):
    def run():
        x = Input((5,))
        inner = Dense(4, "softmax")(Dense(6, "relu")(x))
        model = scratch.Model(x, [inner, Dense(4, "softmax")(inner)])
        model.compile("sgd", [CROSS_ENTROPY, CROSS_ENTROPY])
        if blocks:
            in_blocks_of_three(model, monkeypatch)
        for x, y in rows():
            model.train_on_batch(x, [y, y])
        return model.get_weights()

    tolerances = {"rtol": 1e-5, "atol": 1e-6} if blocks else {}
    assert_same(*either_way(run, monkeypatch), **tolerances)


def test_a_layer_on_which_no_loss_depends_has_no_gradients(monkeypatch):
    x = Input((5,))
    hidden = Dense(6, "relu")(x)
    idle = Dense(3, "relu")
    model = scratch.Model(x, [Dense(4, "softmax")(hidden), idle(hidden)])
    model.compile(scratch.optimizers.AdamW(weight_decay=0.1), [CROSS_ENTROPY, None])
    in_blocks_of_three(model, monkeypatch)
    before = idle.params["kernel"].copy()
    for x, y in rows():
        model.train_on_batch(x, [y, None])
    np.testing.assert_array_equal(idle.params["kernel"], before)
    assert idle.grads == {}


def test_inputs_are_rounded_to_what_their_input_asks_for(monkeypatch):
    def run():
        model = scratch.Sequential([Input((5,), dtype="float16"), Dense(4, dtype="float32")])
        return [model.predict_on_batch(x) for x, _ in rows()]

    assert_same(*either_way(run, monkeypatch))


def test_a_layer_of_another_class_may_keep_what_it_is_given(monkeypatch):
    class Keeps(Layer):
        def __init__(self):
            super().__init__()
            self.seen = []

        def compute_output_shape(self, input_shape):
            return tuple(input_shape)

        def forward(self, x, training=False):
            self.seen.append(x)
            return x

        def backward(self, dy, wants_input_gradient=True):
            self.seen.append(dy)
            return dy

    def run():
        keeps = Keeps()
        model = scratch.Sequential([Input((5,)), Dense(6, "relu"), keeps, ReLU(),
                                    Dense(4, "softmax")])
        model.compile("sgd", CROSS_ENTROPY)
        for x, y in rows():
            model.train_on_batch(x, y)
        return keeps.seen

    assert_same(*either_way(run, monkeypatch))


def halved_forward(model):
    layer = model.layers[0]
    forward = layer.forward
    layer.forward = lambda x, training=False: forward(x, training) / 2


def halved_backward(model):
    layer = model.layers[0]
    backward = layer.backward
    layer.backward = lambda dy, wants_input_gradient=True: backward(dy / 2, wants_input_gradient)


def halved_inputs(model):
    forward = model.forward
    model.forward = lambda x, training=False: forward(x / 2, training)


def other_products(model):
    affine = model.layers[0].affine
    model.layers[0].affine = lambda x: affine(x) / 2


def activity_penalty(model):
    model.layers[0].activity_regularizer = scratch.regularizers.get("l2")


def other_margin(model):
    model.loss.delta = 0.01


@pytest.mark.parametrize("change", [halved_forward, halved_backward, halved_inputs, other_products,
                                    activity_penalty, other_margin],
                         ids=lambda change: change.__name__)
def test_what_is_changed_between_steps_counts(change, monkeypatch):
    def run():
        model = scratch.Sequential([Input((5,)), Dense(6, "relu"), Dense(1)])
        model.compile("sgd", losses.Huber())
        for step, (x, y) in enumerate(rows()):
            if step == 3:
                change(model)
            model.train_on_batch(x, y[:, np.newaxis])
        return model.get_weights()

    assert_same(*either_way(run, monkeypatch))


def test_a_method_of_a_class_that_is_replaced_counts(monkeypatch):
    model = scratch.Sequential([Input((5,)), Dense(4)])
    (x, _), = rows(steps=1)
    for _ in range(3):
        before = model.predict_on_batch(x)
    forward = Dense.forward
    monkeypatch.setattr(Dense, "forward", lambda layer, x, training=False: 2 * forward(layer, x))
    np.testing.assert_array_equal(model.predict_on_batch(x), 2 * before)


def test_each_share_keeps_plans_of_its_own():
    model = scratch.Sequential([Input((5,)), Dense(4)])
    for _ in range(2):
        for share in range(20):
            with plans.borrowed(model, (3, 5), share) as plan:
                pass
            assert len(plans.kept._kept[model][share]) == 1
    assert plan.planned


def test_nan_is_found_in_an_output_within_another_layers_padding():
    model = scratch.Sequential([Input((4, 4, 1)), MaxPooling2D(2), Conv2D(1, 3, padding="same"),
                                Flatten()])
    layer = model.layers[0]
    place = np.zeros((1, 4, 4, 1), np.float32)[:, 1:3, 1:3]
    planned = PlannedMaxPooling(layer, 1, place, Workspace())
    x = np.arange(16, dtype=np.float32).reshape(1, 4, 4, 1)
    dy = np.arange(1, 5, dtype=np.float32).reshape(1, 2, 2, 1)
    for _ in range(2):
        planned.forward(x), layer.forward(x)
        np.testing.assert_array_equal(planned.backward(dy), layer.backward(dy))
        x[0, 0, 0] = np.nan  # not the last of its window


def test_a_copy_of_a_joint_loss_has_losses_of_its_own():
    x = Input((5,))
    model = scratch.Model(x, [Dense(4)(x), Dense(3)(x)])
    model.compile("sgd", ["mse", "mae"])
    twin = copy.copy(model.loss)
    for one, other in zip(model.loss.terms, twin.terms):
        assert one.loss is not other.loss and one.output == other.output


@pytest.mark.parametrize("samples", [1, 12])
@pytest.mark.parametrize("thin", [False, True])
def test_products_are_cut_as_the_plain_layers_cut_them(thin, samples, monkeypatch):
    monkeypatch.setattr(blas, "THIN_PRODUCTS", thin)

    def run():
        model = scratch.Sequential([
            Input((6, 7, 2)), Conv2D(5, (3, 2), activation="relu"), Conv2D(18, 3, padding="same"),
            MaxPooling2D(2), Conv2D(380, 2, padding="same", activation="relu"),
            Conv2D(370, 1), Conv2D(20, 1), Flatten(), Dense(4, "softmax")])
        model.compile("adam", CROSS_ENTROPY)
        rng = np.random.default_rng(5)
        x = rng.normal(size=(4 * samples, 6, 7, 2)).astype("float32")
        model.fit(x, rng.integers(0, 4, len(x)), batch_size=samples, epochs=2, verbose=0)
        return model.get_weights()

    assert_same(*either_way(run, monkeypatch))
