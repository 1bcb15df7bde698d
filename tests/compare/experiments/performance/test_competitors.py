"""Each competitor does the work it is timed for: whole batches, every image, the same network."""

import types

import numpy as np
import pytest

from compare.experiments.execution.worker_process import Worker
from compare.experiments.performance.cases import Case
from compare.experiments.performance.competitors import COMPETITORS, scratch_fit
from compare.experiments.performance.settings import NAMES, has_torch
from compare.inputs import benchmark_networks
from compare.inputs.datasets.pixels import pixel_table
from tests.compare.support import performance_torch

TRAIN = Case("training", "benchmark", 3, (6, 5, 2))
PREDICT = Case("predict", "benchmark", 3, (6, 5, 2), images=7)  # the last batch is short


def test_everybody_who_may_be_chosen_exists():
    assert set(NAMES) | {"blas"} == set(COMPETITORS)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still unless it is told to go on."""
    now = types.SimpleNamespace(seconds=100.0)
    monkeypatch.setattr(scratch_fit.time, "perf_counter", lambda: now.seconds)
    return now


class FakeModel:
    """Notes what it is trained on; a sample takes a second."""

    def __init__(self, clock):
        self.clock, self.samples, self.calls = clock, 0, []

    def fit(self, x, y, batch_size, epochs=1, verbose=None):
        assert len(x) == len(y) and len(x) % batch_size == 0 and verbose == 0
        self.calls.append((len(x), epochs))
        self.samples += epochs * len(x)
        self.clock.seconds += epochs * len(x)

    def predict(self, x, batch_size, verbose):
        self.samples += len(x)
        self.clock.seconds += len(x)


@pytest.mark.parametrize("steps", [1, 2, 1364, 1365, 1366, 4000])
def test_scratch_trains_on_at_least_the_steps_it_is_asked_for(clock, monkeypatch, steps):
    model = FakeModel(clock)
    monkeypatch.setattr(Case, "model", lambda self: model)
    seconds, samples = scratch_fit.ScratchFit().training(TRAIN).run(steps)
    assert seconds == samples == model.samples
    assert 3 * steps <= samples < 3 * steps * 1.01 + 3
    (length, epochs), = model.calls
    assert length <= 4096 and epochs <= steps


def test_scratch_predicts_all_images_in_every_call(clock, monkeypatch):
    model = FakeModel(clock)
    monkeypatch.setattr(Case, "model", lambda self: model)
    assert scratch_fit.ScratchFit().predicting(PREDICT).run(5) == (35, 35) and model.samples == 35


def test_scratch_really_trains():
    from compare.experiments.performance.competitors.scratch_fit import ScratchFit

    seconds, samples = ScratchFit().training(TRAIN).run(2)
    assert seconds > 0 and samples == 6
    images = np.random.default_rng(1).integers(0, 256, (9, 6, 5, 2), dtype=np.uint8)
    ScratchFit().on_bytes(TRAIN, images, np.arange(9))(3)


def test_keras_times_what_follows_the_first_execution(keras, monkeypatch):
    from compare.experiments.performance.competitors import keras_fit

    ticks = iter([10.0, 11.0, 13.0])
    monkeypatch.setattr(keras_fit.time, "perf_counter", lambda: next(ticks))

    class Model:
        def fit(self, dataset, steps_per_epoch, callbacks, **settings):
            assert steps_per_epoch == 3 * 50
            for execution in range(3):
                callbacks[0].on_train_batch_end(50 * (execution + 1), {})

    # 60 steps are two executions of 50, and one before them
    assert keras_fit.timed_fit(Model(), None, 60, 50, 4) == (3.0, 2 * 50 * 4)


@pytest.mark.parametrize("case, steps", [
    (Case("training", "benchmark", 1), 50), (Case("training", "benchmark", 32), 32),
    (Case("training", "benchmark", 256), 4), (Case("training", "wide", 100), 4),
    (Case("scaling", "benchmark", 8, (224, 224, 1), axis="side"), 4)])
def test_keras_does_many_steps_at_once_unless_they_are_long(keras, case, steps):
    from compare.experiments.performance.competitors.keras_fit import steps_per_execution

    assert steps_per_execution(case) == steps


def test_keras_gets_every_image_once_an_epoch_in_a_new_order(keras):
    from compare.experiments.performance.competitors.keras_fit import pipeline

    images = np.arange(12, dtype=np.uint8).reshape(12, 1, 1, 1)
    batches = [(x.numpy(), y.numpy()) for x, y in pipeline(images, np.arange(12), 4).take(6)]
    epochs = [np.concatenate([y for _, y in part]) for part in (batches[:3], batches[3:])]
    assert [sorted(epoch) for epoch in epochs] == [list(range(12))] * 2
    assert (epochs[0] != epochs[1]).any()
    table = pixel_table(255, np.float32)
    for x, y in batches:
        assert x.dtype == np.float32
        np.testing.assert_allclose(x[:, 0, 0, 0], table[y], rtol=1e-6)


def test_the_faster_variant_is_taken_and_a_failing_one_is_told(keras):
    from compare.experiments.performance.competitors.keras_fit import best_of

    def refuse():
        raise NotImplementedError("no XLA")

    task = best_of({"slow": lambda: lambda steps: (2.0 * steps, steps),
                    "fast": lambda: lambda steps: (1.0 * steps, steps), "odd": refuse}, 3)
    assert task.run(1) == (1.0, 1)
    assert task.how == ("slow 2,000,000, fast 1,000,000 us a sample, odd failed "
                        "(NotImplementedError); taken: fast")
    with pytest.raises(NotImplementedError):
        best_of({"odd": refuse}, 3)


@pytest.mark.long
def test_the_keras_loop_runs_whole_calls(keras):
    from compare.experiments.performance.competitors.keras_loop import KerasLoop

    loop = KerasLoop()
    seconds, samples = loop.training(TRAIN).run(201)
    assert seconds > 0 and samples == 2 * 200 * 3  # 200 steps a call
    assert loop.predicting(PREDICT).run(2)[1] == 14


def test_keras_is_compiled_like_scratch_and_with_its_weights(keras):
    from compare.experiments.performance.competitors.keras_fit import compiled

    twin, model = compiled(TRAIN, 50, False), TRAIN.model()
    for theirs, ours in zip(twin.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(theirs, ours)
    assert float(twin.optimizer.learning_rate) == pytest.approx(1e-6)
    assert twin.steps_per_execution == 50


# PyTorch is looked at in a process of its own: beside TensorFlow it may crash
needs_torch = pytest.mark.skipif(not has_torch(), reason="PyTorch is not installed")


@pytest.mark.sampled(2)
@needs_torch
@pytest.mark.parametrize("name", benchmark_networks.NETWORKS)
def test_the_network_in_pytorch_is_the_same_function(name):
    with Worker("PyTorch", performance_torch.outputs, name) as worker:
        ours, theirs = worker.ask()
    np.testing.assert_allclose(theirs, ours, rtol=1e-4, atol=1e-6)


@needs_torch
def test_pytorch_trains_on_the_steps_it_is_asked_for():
    with Worker("PyTorch", performance_torch.samples, (TRAIN, PREDICT)) as worker:
        assert worker.ask() == (15, 14)
