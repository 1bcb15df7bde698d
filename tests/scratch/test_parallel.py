"""Blocks and threads change nothing but rounding, and with whole numbers nothing at all."""

import copy
import os
import signal

import numpy as np
import pytest

import scratch
from scratch import blas, parallel


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    """Whatever a test sets is set back."""
    monkeypatch.setattr(parallel, "_threads", None)
    monkeypatch.setattr(parallel, "BLOCK_NUMBERS", parallel.BLOCK_NUMBERS)
    monkeypatch.setattr(parallel, "WORTH_A_THREAD", 1)
    monkeypatch.setattr(parallel, "FEW", 1)


def network(dtype="float32"):
    scratch.set_random_seed(3)
    model = scratch.Sequential([
        scratch.Input((8, 7, 2)), scratch.Conv2D(3, (3, 2), padding="same", activation="relu"),
        scratch.MaxPooling2D(2), scratch.Flatten(), scratch.Dense(5, activation="softmax")],
        dtype=dtype)
    model.compile(scratch.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def batch(samples=13, seed=5):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((samples, 8, 7, 2)), rng.integers(0, 5, samples)


@pytest.mark.parametrize("threads", [1, 2, 3, 20])
@pytest.mark.parametrize("samples_in_a_block", [1, 4, 100])
def test_a_step_in_blocks_is_the_step_in_one_piece(threads, samples_in_a_block, monkeypatch):
    whole, split = network("float64"), network("float64")
    split.set_weights(whole.get_weights())
    x, y = batch()
    value, output, _ = whole.loss_and_gradients(x, y)
    numbers = sum(int(np.prod(layer.output_shape[1:])) for layer in split.layers)
    monkeypatch.setattr(parallel, "BLOCK_NUMBERS", numbers * samples_in_a_block)
    parallel.set_num_threads(threads)
    loss, accuracy = split.train_on_batch(x, y)
    np.testing.assert_allclose(loss, value, rtol=1e-12)
    assert accuracy == np.mean(output.argmax(1) == y)
    for a, b in zip(whole.layers, split.layers):
        assert list(a.grads) == list(b.grads)
        for name in a.grads:
            np.testing.assert_allclose(b.grads[name], a.grads[name], rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(split.predict(x, verbose=0), split.forward(x), rtol=1e-12)
    loss, _ = split.evaluate(x, y, batch_size=13, verbose=0)
    np.testing.assert_allclose(loss, split.loss(y, split.forward(x)), rtol=1e-6)


def test_a_batch_is_not_split_where_the_activity_is_penalized(monkeypatch):
    """The penalty is divided by the size of the batch: of each part it would count in full."""
    x, y = batch()
    figures = []
    for threads in (1, 3):
        model = network("float64")
        model.layers[1].activity_regularizer = scratch.regularizers.get("l2")
        monkeypatch.setattr(parallel, "BLOCK_NUMBERS", 1)
        parallel.set_num_threads(threads)
        assert parallel.split(model, len(x)) == [[slice(0, 13)]]
        figures.append(model.train_on_batch(x, y))
    assert figures[0] == figures[1]
    assert len(parallel.split(network(), 13)) == 3, "it is split otherwise"


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("settings", [
    dict(reduction="sum"), dict(reduction="mean_with_sample_weight"), dict(ignore_class=2),
    dict(ignore_class=0, reduction="mean_with_sample_weight")], ids=str)
def test_a_weighted_step_in_blocks_is_the_step_in_one_piece(settings, threads, monkeypatch):
    """Whatever the losses are divided by is that of the whole batch; penalties count once."""
    x, y = batch()
    weights = np.random.default_rng(8).uniform(0, 2, len(x))
    figures, gradients, updated = [], [], []
    for blocks in (False, True):
        model = network("float64")
        for layer in (model.layers[0], model.layers[-1]):
            layer.regularizers["kernel"] = scratch.regularizers.get("l2")
        model.compile(scratch.Adam(0.1), scratch.SparseCategoricalCrossentropy(**settings),
                      ["accuracy"], ["accuracy"])
        if blocks:
            numbers = sum(int(np.prod(layer.output_shape[1:])) for layer in model.layers)
            monkeypatch.setattr(parallel, "BLOCK_NUMBERS", 2 * numbers)
            parallel.set_num_threads(threads)
        else:
            parallel.set_num_threads(1)
        figures.append(model.test_on_batch(x, y, weights) + model.train_on_batch(x, y, weights))
        gradients.append([layer.grads[name] for layer in model.layers for name in layer.grads])
        updated.append(model.get_weights())
    np.testing.assert_allclose(*figures, rtol=1e-12)
    for a, b in zip(*gradients, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-13)
    for a, b in zip(*updated, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-7)


@pytest.mark.parametrize("samples", [1, 2, 5, 64, 1000])
@pytest.mark.parametrize("threads", [1, 2, 7])
def test_blocks_cover_every_sample_once_in_order(samples, threads):
    model = network()
    parallel.set_num_threads(threads)
    shares = parallel.split(model, samples)
    rows = np.concatenate([np.arange(samples)[block] for share in shares for block in share])
    np.testing.assert_array_equal(rows, np.arange(samples))
    assert len(shares) <= threads
    assert all(share and all(block.stop > block.start for block in share) for share in shares)


@pytest.mark.parametrize("layers, samples, threads", [
    (10, 9, 1), (10, 20, 2), (3, 20, 2), (40, 20, 1), (40, 79, 1), (40, 80, 2)])
def test_more_threads_are_worth_it_where_arrays_are_large(monkeypatch, layers, samples, threads):
    """By how many numbers a layer makes: in many small layers threads wait for one another."""
    monkeypatch.setattr(parallel, "WORTH_A_THREAD", 1000)
    model = scratch.Sequential([scratch.Input((10,)), *(scratch.ReLU() for _ in range(layers))])
    monkeypatch.setattr(parallel, "outputs_of", lambda model: 100)
    parallel.set_num_threads(2)
    try:
        assert len(parallel.split(model, samples)) == threads
    finally:
        parallel.set_num_threads(None)


def test_a_layer_that_is_not_known_to_treat_samples_singly_gets_whole_batches():
    class Centre(scratch.Layer):
        """Subtracts the batch's mean."""
        def forward(self, x, training=False):
            return x - x.mean(axis=0)

        def backward(self, dy, wants_input_gradient=True):
            return dy - dy.mean(axis=0)

    model = scratch.Sequential([scratch.Input((4,)), Centre(), scratch.Dense(3)])
    parallel.set_num_threads(2)
    assert parallel.split(model, 50) == [[slice(0, 50)]]


def test_an_error_in_any_thread_reaches_the_caller(monkeypatch):
    model = network()
    parallel.set_num_threads(2)
    x, y = batch()
    x[-1] = 77  # it falls to the last thread
    forward = scratch.Flatten.forward

    def fails(layer, x, training=False):
        if (x > 20).any():
            raise ArithmeticError("too large")
        return forward(layer, x, training)

    monkeypatch.setattr(scratch.Flatten, "forward", fails)
    model.layers[0].params["kernel"][...] = 1
    for action in (model.train_on_batch, model.train_step, lambda x, y: model.predict(x)):
        with pytest.raises(ArithmeticError, match="too large"):
            action(x, y)


@pytest.mark.parametrize("wrong", [5, 0.5])
def test_a_wrong_label_is_named_by_its_number_in_the_whole_batch(wrong):
    model = network()
    parallel.set_num_threads(2)
    x, y = batch()
    y = y.astype(type(wrong))
    y[-1] = wrong
    before, message = model.get_weights(), rf"Received: {wrong} \(label number 12 of 13\)"
    for action in (model.train_on_batch, model.train_step, model.evaluate, model.fit):
        with pytest.raises(ValueError, match=message):
            action(x, y)
    for a, b in zip(model.get_weights(), before):
        np.testing.assert_array_equal(a, b)


def test_labels_of_a_batch_are_checked_once(monkeypatch):
    model = network()
    parallel.set_num_threads(2)
    x, y = batch()
    checks = []
    check = scratch.losses.cross_entropy.class_numbers

    def counted(labels, classes, ignored):
        checks.append(len(labels))
        return check(labels, classes, ignored)

    monkeypatch.setattr(scratch.losses.cross_entropy, "class_numbers", counted)
    for action in (model.train_on_batch, model.train_step, model.evaluate, model.fit):
        action(x, y)
    assert checks == [13] * 4


def test_outputs_and_gradients_handed_out_are_not_overwritten_later():
    model = network()
    parallel.set_num_threads(2)
    x, y = batch()
    model.train_on_batch(x, y)
    gradients = [gradient for layer in model.layers for gradient in layer.grads.values()]
    kept = [model.predict(x, verbose=0), *gradients]
    copies = copy.deepcopy(kept)
    other_x, other_y = batch(seed=6)
    model.train_on_batch(other_x, other_y)
    model.predict(other_x, verbose=0)
    for a, b in zip(kept, copies):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("threads", [0, -1])
def test_a_number_of_threads_below_one_is_refused(threads):
    with pytest.raises(ValueError, match="at least 1"):
        parallel.set_num_threads(threads)


@pytest.mark.skipif(not blas.CONTROLLABLE, reason="this BLAS cannot be told its threads")
def test_blas_gets_its_threads_back():
    get, set_ = blas.FUNCTIONS
    before = get()
    try:
        set_(2)
        with blas.single_threaded():
            with blas.single_threaded():
                assert get() == 1
            assert get() == 1
        assert get() == 2
        with pytest.raises(RuntimeError), blas.single_threaded():
            raise RuntimeError
        assert get() == 2
    finally:
        set_(before)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_makes_threads_of_its_own():
    model = network()
    parallel.set_num_threads(2)
    x, _ = batch()
    model.predict(x, verbose=0)  # the parent's threads exist now; the child will not have them
    child = os.fork()
    if child == 0:
        signal.alarm(30)  # ends a child that waits for threads it does not have
        try:
            os._exit(0 if model.predict(x, verbose=0).shape == (13, 5) else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
