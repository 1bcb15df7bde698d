"""A planned step against the plain one, bit for bit, and how long plans live."""

import copy
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest

import scratch
from scratch import parallel, precision
from scratch.plans import kept, plan
from tests.scratch.plans.networks import NETWORKS, batches, compiled


@pytest.fixture(autouse=True)
def alone():
    """One thread: blocks add up in another order."""
    parallel.set_num_threads(1)
    yield
    parallel.set_num_threads(None)


def planned_layers(model) -> int:
    """Of all plans that are kept of a model, how many layers are planned at most."""
    return max((len(each.planned) for share in kept._kept.get(model, {}).values()
                for each in share.values() if each),
               default=0)


def trained(name, samples, monkeypatch=None, **settings):
    """(weights and figures after some steps, the model), run plainly with a `monkeypatch`."""
    model = compiled(name, **settings)
    if monkeypatch is not None:
        monkeypatch.setattr(plan, "planner_of", lambda layer: None)
    scratch.set_random_seed(3)
    figures = [model.train_on_batch(x, y) for x, y in batches(model, samples, 6)]
    outputs = [model.predict(x, verbose=0) for x, _ in batches(model, samples, 3)]
    tests = [model.test_on_batch(x, y) for x, y in batches(model, samples, 3)]
    gradients = [layer.grads[key] for layer in model.layers for key in layer.grads]
    return [*model.get_weights(), *gradients, *figures, *outputs, *tests], model


@pytest.mark.sampled(4)
@pytest.mark.parametrize("samples", [1, 5])
@pytest.mark.parametrize("name", NETWORKS)
def test_a_planned_network_learns_bit_for_bit_what_the_plain_one_learns(name, samples, monkeypatch):
    planned, model = trained(name, samples)
    plain, other = trained(name, samples, monkeypatch)
    assert planned_layers(model) >= 2 and planned_layers(other) == 0
    assert len(planned) == len(plain)
    for a, b in zip(planned, plain):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", ["as in the benchmark", "a sequence"])
def test_in_float64_too(name, monkeypatch):
    precision.set_dtype_policy("float64")
    try:
        planned, plain = trained(name, 3)[0], trained(name, 3, monkeypatch)[0]
    finally:
        precision.set_dtype_policy(None)
    assert planned[0].dtype == np.float64
    for a, b in zip(planned, plain):
        np.testing.assert_array_equal(a, b)


def refusal(model, x, y) -> str:
    """What a step says that would make weights NaN; nothing of one that does not."""
    try:
        model.train_on_batch(x, y)
    except scratch.NonFiniteLossError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("special", [np.nan, np.inf, 1e30])
@pytest.mark.parametrize("name", ["as in the benchmark", "activations inside"])
def test_numbers_that_are_not_finite_go_the_same_way(name, special, monkeypatch):
    results = []
    for plainly in (False, True):
        model = compiled(name)
        if plainly:
            monkeypatch.setattr(plan, "planner_of", lambda layer: None)
        (x, y), = batches(model, 3, 1)
        model.train_on_batch(x, y)
        x[1, 4, 3] = special
        with np.errstate(all="ignore"):
            outputs = [model.predict_on_batch(x) for _ in range(3)]
            refusals = [refusal(model, x, y) for _ in range(3)]
        results.append([*refusals, *outputs, *model.get_weights()])
        assert np.isfinite(special) or all(refusals)
    for a, b in zip(*results):
        np.testing.assert_array_equal(a, b)


def test_equal_maxima_give_the_first_one_the_gradient(monkeypatch):
    results = []
    for plainly in (False, True):
        model = compiled("as in the benchmark")
        if plainly:
            monkeypatch.setattr(plan, "planner_of", lambda layer: None)
        x, y = np.ones((4, 9, 7, 2), np.float32), np.arange(4)
        for _ in range(3):
            model.train_on_batch(x, y)
        results.append(model.get_weights())
    for a, b in zip(*results):
        np.testing.assert_array_equal(a, b)


def test_inputs_stay_as_they_are_and_outputs_too():
    model = compiled("as in the benchmark")
    (x, _), (other, _) = batches(model, 4, 2)
    before = x.copy()
    first = [model.predict_on_batch(x) for _ in range(3)][-1]
    held = first.copy()
    model.predict_on_batch(other)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(first, held)


def test_only_what_comes_again_is_planned():
    model = compiled("rows of numbers")
    (x, y), = batches(model, 4, 1)
    model.train_on_batch(x, y)
    assert planned_layers(model) == 0
    model.train_on_batch(x, y)
    assert planned_layers(model) == 4


def test_few_plans_are_kept():
    model = compiled("rows of numbers")
    for samples in range(1, 40):
        for x, y in batches(model, samples, 3):
            model.train_on_batch(x, y)
    assert len(kept._kept[model][0]) <= kept.MOST


def test_plans_go_with_fit_but_for_the_largest_and_all_with_the_model():
    model = compiled("as in the benchmark")
    x, y = next(batches(model, 18, 1))
    model.fit(x, y, batch_size=4, epochs=3, verbose=0)  # the last one has two samples
    assert [shape[0] for shape in kept._kept[model][0]] == [4] and planned_layers(model)
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))],
                         ids=["deepcopy", "pickle"])
def test_a_copy_of_a_planned_model_goes_its_own_way(copied):
    model = compiled("as in the benchmark")
    steps = list(batches(model, 4, 6))
    for x, y in steps[:3]:
        model.train_on_batch(x, y)
    twin = copied(model)
    for x, y in steps[3:]:
        model.train_on_batch(x, y)
    held = model.get_weights()
    for x, y in steps[3:]:
        twin.train_on_batch(x, y)
    for a, b, c in zip(held, twin.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


def test_two_threads_predict_with_one_model():
    model = compiled("as in the benchmark")
    inputs = [x for x, _ in batches(model, 8, 2)]
    right = [model.predict_on_batch(x) for x in inputs]
    wrong = []

    def predict(i):
        for _ in range(200):
            if not np.array_equal(model.predict_on_batch(inputs[i]), right[i]):
                wrong.append(i)

    threads = [threading.Thread(target=predict, args=(i,)) for i in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def planned_and_ready(name="as in the benchmark"):
    """(model, batch) after steps that have planned it."""
    model = compiled(name)
    (x, y), = batches(model, 4, 1)
    for _ in range(3):
        model.train_on_batch(x, y)
    assert planned_layers(model)
    return model, x, y


def test_what_is_done_to_a_planned_layer_counts():
    model, x, _ = planned_and_ready("rows of numbers")
    model.predict_on_batch(x)
    model.layers[2].activation = scratch.activations.get("sigmoid")
    np.testing.assert_array_equal(model.predict_on_batch(x), model.forward(x))
    model.set_weights([weight + 1 for weight in model.get_weights()])
    np.testing.assert_array_equal(model.predict_on_batch(x), model.forward(x))
    model.layers[0].params["kernel"] = np.ones_like(model.layers[0].params["kernel"])
    np.testing.assert_array_equal(model.predict_on_batch(x), model.forward(x))


def test_a_method_that_was_replaced_is_run():
    model, x, _ = planned_and_ready("rows of numbers")
    layer = model.layers[0]
    layer.affine = lambda x: np.zeros((len(x), 7), np.float32)
    for _ in range(3):
        outputs = model.predict_on_batch(x)
    assert (outputs == outputs[0]).all()


def test_subclasses_are_run_as_they_are():
    class Negative(scratch.Dense):
        def affine(self, x):
            return -super().affine(x)

    scratch.set_random_seed(0)
    model = scratch.Sequential([scratch.Input((3,)), Negative(2), scratch.Dense(2)])
    x = np.ones((2, 3), np.float32)
    for _ in range(3):
        np.testing.assert_array_equal(model.predict_on_batch(x), model.forward(x))


def test_gradients_are_all_in_one_vector_of_a_step_in_blocks(monkeypatch):
    monkeypatch.setattr(parallel, "BLOCK_NUMBERS", 500)
    monkeypatch.setattr(parallel, "FEW", 1)
    model, whole = compiled("as in the benchmark", "sgd"), compiled("as in the benchmark", "sgd")
    for x, y in batches(model, 12, 3):
        assert len(parallel.split(model, 12)[0]) > 2
        model.train_step(x, y)
    for x, y in batches(model, 12, 3):
        whole.loss_and_gradients(x, y)
        whole.update()
    for a, b in zip(model.get_weights(), whole.get_weights()):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("watched", [False, True])
def test_gradients_that_somebody_holds_stay_as_they_are(watched):
    model = compiled("as in the benchmark")
    held, copies = [], []

    def look(*_, **__):
        held.extend(layer.grads[name] for layer in model.layers for name in layer.grads)
        copies.extend(gradient.copy() for gradient in held[len(copies):])

    for x, y in batches(model, 4, 4):
        model.train_on_batch(x, y)
        look()
    callbacks = [scratch.callbacks.LambdaCallback(on_train_batch_end=look)] if watched else None
    model.fit(x, y, batch_size=2, epochs=3, callbacks=callbacks, verbose=0)
    look()
    model.fit(x, y, batch_size=2, verbose=0)
    assert len(held) == 6 * (4 + 6 * watched + 1)
    for a, b in zip(held, copies):
        np.testing.assert_array_equal(a, b)
