"""One side's job, run in this process: what it trains on, what it reports, and when it stops."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

import scratch
from compare.experiments.benchmark import training
from compare.experiments.benchmark.results import Epoch, Learned, Progress, Ready
from compare.experiments.benchmark.running import make_job
from compare.experiments.benchmark.settings import Settings
from compare.experiments.benchmark.training import Curve, run_job, train
from compare.inputs import benchmark_networks

SETTINGS = Settings(dataset="digits", epochs=2, batch_size=7, limit=100, test_limit=50,
                    learning_rate=0.05, seed=3)


def job(side="scratch", settings=SETTINGS):
    dataset = settings.load()
    model = benchmark_networks.build(dataset.input_shape, dataset.classes, settings.learning_rate,
                                     settings.seed)
    return make_job(side, settings, dataset, model)


class Recorder:
    """A learner that keeps what it is fed and answers as told."""

    dtype, parameters, how, versions = "float32", 1, "recorded", {}
    fed: list = []
    bad_step = None
    outputs = 0.1

    def __init__(self, config, compile_config, weights):
        Recorder.fed = []
        self.count = 0

    def warm_up(self, x, y, short):
        pass

    def steps(self, x, y):
        losses = np.arange(self.count, self.count + len(x), dtype=float)
        if self.bad_step is not None:
            losses[losses == self.bad_step] = np.nan
        self.count += len(x)
        Recorder.fed.append((x.copy(), y.copy()))
        return losses, np.zeros(len(x), int)

    def predict(self, x):
        return np.full((len(x), 10), self.outputs)

    def weights(self):
        return ["layer/kernel"], [np.full((2, 3), self.count, np.float32)]

    def first_layer(self, x):
        return x * 2


@pytest.fixture
def recorder(monkeypatch):
    monkeypatch.setattr(training, "LEARNERS", {"scratch": Recorder, "keras": Recorder})
    monkeypatch.setattr(Recorder, "bad_step", None)
    monkeypatch.setattr(Recorder, "outputs", 0.1)
    return Recorder


def test_a_job_is_the_training_loop_that_keras_users_know():
    """Against a loop written here: same batches, same steps, so the same numbers to the bit."""
    dataset = SETTINGS.load()
    model = benchmark_networks.build((8, 8, 1), 10, 0.05, 3)
    x = dataset.x_train.astype(np.float32) / np.float32(16) - np.float32(0.5)
    x_test = dataset.x_test.astype(np.float32) / np.float32(16) - np.float32(0.5)
    rng = np.random.default_rng(3)
    result = run_job(job())
    assert [e.number for e in result.epochs] == [1, 2]
    for epoch in result.epochs:
        order = rng.permutation(100)
        losses, hits = [], 0
        for start in range(0, 100, 7):
            rows = order[start:start + 7]
            loss, accuracy = model.train_on_batch(x[rows], dataset.y_train[rows])
            losses.append((loss, len(rows)))
            hits += accuracy * len(rows)
        assert epoch.steps == len(losses) == 15
        assert np.isclose(epoch.training_loss, sum(a * b for a, b in losses) / 100, rtol=1e-12)
        assert np.isclose(epoch.training_accuracy, hits / 100)
        probabilities = model.predict(x_test, batch_size=50, verbose=0)
        assert np.array_equal(epoch.predictions, probabilities.argmax(axis=1))
        assert np.allclose(epoch.confidences, probabilities.max(axis=1), rtol=1e-5)
        assert epoch.seconds > 0


def test_both_sides_are_fed_the_same_images_in_the_drawn_order(recorder):
    fed, sums = {}, {}
    for side in ("scratch", "keras"):
        result = run_job(job(side))
        fed[side], sums[side] = recorder.fed, [e.checksum for e in result.epochs]
    assert sums["scratch"] == sums["keras"]
    assert sums["scratch"][0] != sums["scratch"][1]

    dataset = SETTINGS.load()
    rng = np.random.default_rng(3)
    expected = np.concatenate([rng.permutation(100) for _ in range(2)])
    for chunks in fed.values():
        images = np.concatenate([x.reshape(-1, 8, 8, 1) for x, _ in chunks])
        labels = np.concatenate([y.reshape(-1) for _, y in chunks])
        assert np.array_equal(labels, dataset.y_train[expected])
        assert np.array_equal((images + 0.5) * 16, dataset.x_train[expected])


def test_the_data_are_the_digits_own(recorder):
    """What is fed are scikit-learn's images, each with its own label."""
    run_job(job())
    bundle = load_digits()
    known = {image.tobytes(): label for image, label in
             zip(bundle.images.astype(np.uint8), bundle.target)}
    for x, y in recorder.fed:
        for image, label in zip(x.reshape(-1, 8, 8), y.reshape(-1)):
            assert known[((image + 0.5) * 16).astype(np.uint8).tobytes()] == label


def test_events_come_in_order_and_the_curve_covers_every_step(recorder):
    events = list(train(job()))
    assert isinstance(events[0], Ready)
    progress = [e for e in events if isinstance(e, Progress)]
    epochs = [e for e in events if isinstance(e, Epoch)]
    assert [e.step for e in progress if e.epoch == 1][-1] == 15
    assert len(epochs) == 2 and isinstance(events[-2], Epoch)
    assert isinstance(events[-1], Learned)
    assert (events[-1].weights[0] == 30).all(), "the weights are not those after the last step"
    points = [point for e in progress for point in e.curve]
    # the recorder's loss is the number of the step, from 0; windows here are a single step
    assert points == [(step + 1, float(step)) for step in range(30)]
    # 14 batches of 7 and one of 2
    assert np.isclose(epochs[0].training_loss, (sum(range(14)) * 7 + 14 * 2) / 100)


def test_curve_takes_means_over_windows_and_ends_with_the_epoch():
    curve = Curve(steps_per_epoch=250)  # windows of 5
    points = curve.add(np.arange(7.0)) + curve.add(np.arange(7.0, 13)) + curve.flush()
    assert points == [(5, 2.0), (10, 7.0), (13, 11.0)]
    assert curve.flush() == []


@pytest.mark.parametrize("side, name", [("scratch", "scratch"), ("keras", "Keras")])
def test_a_loss_that_is_not_finite_names_side_epoch_and_step(recorder, monkeypatch, side, name):
    monkeypatch.setattr(recorder, "bad_step", 15 + 3)  # the fourth step of the second epoch
    events = []
    with pytest.raises(scratch.NonFiniteLossError,
                       match=f"{name}: the loss became nan at epoch 2, step 4 of 15"):
        for event in train(job(side)):
            events.append(event)
    assert sum(isinstance(e, Epoch) for e in events) == 1


def test_outputs_that_are_not_finite_after_training_are_no_predictions(recorder, monkeypatch):
    monkeypatch.setattr(recorder, "outputs", np.inf)
    with pytest.raises(scratch.NonFiniteLossError, match="after epoch 1"):
        run_job(job())


def test_scratch_really_diverges_at_a_huge_learning_rate():
    settings = Settings(dataset="digits", epochs=1, batch_size=7, limit=100, learning_rate=1e4)
    with pytest.raises(scratch.NonFiniteLossError, match=r"scratch: .* at epoch 1, step \d+ of 15"):
        run_job(job(settings=settings))


def test_a_gradient_that_is_not_finite_names_side_epoch_and_steps(monkeypatch):
    back = scratch.ReLU.backward
    monkeypatch.setattr(scratch.ReLU, "backward", lambda *given: back(*given) * np.float32(np.nan))
    with pytest.raises(scratch.NonFiniteLossError,
                       match=r"scratch: the gradient .* at epoch 1, .* from 1 to \d+ of 15. It"):
        run_job(job())


def test_keras_really_diverges_at_a_huge_learning_rate(keras):
    settings = Settings(dataset="digits", epochs=1, batch_size=7, limit=100, learning_rate=1e4)
    with pytest.raises(scratch.NonFiniteLossError, match=r"Keras: .* at epoch 1, step \d+ of 15"):
        run_job(job("keras", settings))


def test_warming_up_keras_leaves_no_trace(keras):
    from compare.experiments.benchmark.learners import KerasLearner

    made = job("keras")
    learner = KerasLearner(made.config, made.compile_config, made.weights)
    x = np.random.default_rng(0).normal(size=(3, 7, 8, 8, 1)).astype(np.float32)
    learner.warm_up(x, np.ones((3, 7), np.int64), short=2)
    for before, after in zip(made.weights, learner.model.get_weights(), strict=True):
        assert np.array_equal(before, after)
    assert int(learner.model.optimizer.iterations) == 0
    assert "3 training steps per call" in learner.how


def test_both_sides_learn_alike(keras):
    """The whole jobs, each in float32: after 30 steps the losses differ by rounding only."""
    ours, theirs = run_job(job("scratch")), run_job(job("keras"))
    assert [e.checksum for e in ours.epochs] == [e.checksum for e in theirs.epochs]
    for a, b in zip(ours.epochs, theirs.epochs, strict=True):
        assert a.training_loss == pytest.approx(b.training_loss, rel=1e-4)
        assert (a.predictions == b.predictions).mean() >= 0.96
    assert ours.ready.parameters == theirs.ready.parameters


def test_a_learning_rate_of_zero_learns_nothing():
    settings = Settings(dataset="digits", epochs=2, batch_size=7, limit=100, learning_rate=0.0)
    first, second = run_job(job(settings=settings)).epochs
    assert np.array_equal(first.predictions, second.predictions)
    assert first.training_loss == pytest.approx(second.training_loss, rel=1e-6)
    assert first.checksum != second.checksum


def test_the_scratch_side_never_loads_tensorflow():
    program = ("import sys; "
               "from tests.compare.experiments.benchmark.test_training import job, run_job; "
               "run_job(job()); print([m for m in ('tensorflow', 'keras') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                          cwd=Path(__file__).parents[4])
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
