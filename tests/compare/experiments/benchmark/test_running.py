"""Both sides in turn, and every way in which a run can end early, with jobs run in this process."""

import numpy as np
import pytest

from compare.experiments.benchmark import running, training
from compare.experiments.benchmark.results import NAMES, Check
from compare.experiments.benchmark.running import run
from compare.experiments.benchmark.settings import Settings
from compare.experiments.execution.worker_process import WorkerError
from tests.compare.experiments.benchmark.test_training import Recorder

SETTINGS = Settings(dataset="digits", epochs=3, batch_size=8, limit=40, test_limit=20)
PASSED = Check(True, "All is well.", "", {})


class InlineWorker:
    """As `Worker`, in this process; `trouble` maps (name, number of the item) to an exception."""

    asked: list = []
    stopped: list = []
    trouble: dict = {}
    check = PASSED

    def __init__(self, name, function, argument):
        self.name, self.count = name, 0
        self.items = iter([self.check]) if name == "the check" else function(argument)

    def ask(self, on_progress=None):
        InlineWorker.asked.append((self.name, self.count))
        for item in self.items:
            if isinstance(item, training.Progress):
                on_progress(item)
                if (self.name, self.count) in self.trouble:
                    raise self.trouble[self.name, self.count]
                continue
            self.count += 1
            return item

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        InlineWorker.stopped.append(self.name)


@pytest.fixture
def inline(monkeypatch):
    for name, value in (("asked", []), ("stopped", []), ("trouble", {}), ("check", PASSED)):
        monkeypatch.setattr(InlineWorker, name, value)
    monkeypatch.setattr(running, "Worker", InlineWorker)
    monkeypatch.setattr(training, "LEARNERS", {"scratch": Recorder, "keras": Recorder})
    monkeypatch.setattr(Recorder, "bad_step", None)
    return InlineWorker


def test_the_sides_take_turns(inline):
    result = run(SETTINGS, verbose=False)
    assert inline.asked == [("the check", 0), ("scratch", 0), ("Keras", 0), ("scratch", 1),
                            ("Keras", 1), ("scratch", 2), ("Keras", 2), ("scratch", 3),
                            ("Keras", 3), ("scratch", 4), ("Keras", 4)]
    assert all(run.learned is not None for run in result.runs.values())
    assert sorted(inline.stopped) == ["Keras", "scratch", "the check"]
    assert not result.partial and result.last_epoch == 3
    assert result.title == "Benchmark on " + SETTINGS.load().title


def test_progress_is_told_on_stderr_with_the_time_left(inline, capsys):
    run(SETTINGS)
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert [line.split(" in ")[0] for line in lines if " epoch 1/3 5" in line] == [
        "scratch epoch 1/3 5/5", "  Keras epoch 1/3 5/5"]
    assert lines[1] == PASSED.summary
    tested = [line for line in lines if line.startswith("Test accuracy after epoch ")]
    result = run(SETTINGS, verbose=False)
    for number, line in enumerate(tested, 1):
        right = {name: result.runs[side].after(number).predictions == result.data.test_labels
                 for side, name in NAMES.items()}
        scratch, keras = (f"{name} {right[name].mean():.4f}" for name in right)
        assert line.startswith(f"Test accuracy after epoch {number}/3: {scratch}, {keras}")
        assert line.endswith("in all left") == (number < 3)
    assert len(tested) == 3


def test_ctrl_c_keeps_what_is_finished(inline):
    inline.trouble = {("Keras", 2): KeyboardInterrupt()}
    result = run(SETTINGS, verbose=False)
    assert result.interrupted and result.partial
    assert [len(r.epochs) for r in result.runs.values()] == [2, 1]
    assert result.last_epoch == 1
    assert result.runs["keras"].unfinished.step == 5
    assert sorted(inline.stopped) == ["Keras", "scratch", "the check"]


def test_a_process_that_dies_keeps_what_is_finished(inline, capsys):
    inline.trouble = {("scratch", 2): WorkerError("the process of scratch was killed", "trace")}
    result = run(SETTINGS)
    assert result.stopped == "the process of scratch was killed" and not result.interrupted
    assert [len(r.epochs) for r in result.runs.values()] == [1, 1]
    assert "trace" in capsys.readouterr().err


def test_a_loss_that_is_not_finite_stops_the_run(inline, monkeypatch):
    monkeypatch.setattr(Recorder, "bad_step", 5 + 2)
    result = run(SETTINGS, verbose=False)
    assert "scratch: the loss became nan at epoch 2, step 3 of 5" in result.stopped
    assert [len(r.epochs) for r in result.runs.values()] == [1, 1]
    assert not result.interrupted


def test_twins_that_differ_are_not_trained(inline):
    inline.check = Check(False, "They differ.", "", {})
    result = run(SETTINGS, verbose=False)
    assert inline.asked == [("the check", 0)]
    assert result.partial and "not trained" in result.stopped


def test_batches_that_differ_are_a_bug_and_not_a_result(inline, monkeypatch):
    sums = iter(range(1000))
    monkeypatch.setattr(training, "checksum", lambda *args: next(sums))
    with pytest.raises(RuntimeError, match="same batches in epoch 1"):
        run(SETTINGS, verbose=False)


@pytest.mark.parametrize("wrong", [
    {"dataset": "cifar"}, {"epochs": 0}, {"epochs": 1.5}, {"batch_size": 0}, {"batch_size": True},
    {"learning_rate": float("nan")}, {"learning_rate": -1}, {"learning_rate": "fast"},
    {"limit": 0}, {"test_limit": -2}, {"seed": -1}])
def test_settings_refuse(wrong):
    (name, value), = wrong.items()
    with pytest.raises(ValueError, match=f"expected {name} to be .* Received: {value!r}"):
        Settings(**wrong)


def test_a_limit_beyond_the_data_is_refused():
    with pytest.raises(ValueError, match="expected limit to be at most 1500.* Received: 1501"):
        Settings(dataset="digits", limit=1501).load()
    assert len(Settings(dataset="digits", limit=np.int64(1500)).load().x_train) == 1500
