"""Calibration, trials and the order of turns, with competitors that do not compute."""

import pytest

from compare.experiments.execution.worker_process import WorkerError
from compare.experiments.performance import check_cost, interleaving, memory_profile, running
from compare.experiments.performance.cases import Case, cases, random_images
from compare.experiments.performance.competitors.task import calibrate, fastest
from compare.experiments.performance.interleaving import Job, take_turns
from compare.experiments.performance.memory_profile import MemoryJob, use_memory
from compare.experiments.performance.results import BLAS, Prepared, Ready, Turn
from compare.experiments.performance.settings import PARTS, Settings
from tests.compare.support.performance_cases import Fake

CASE = Case("training", "benchmark", 4)


@pytest.mark.parametrize("each, overhead", [(1e-5, 0), (1e-3, 0), (0.2, 0), (1e-4, 0.05), (5, 1)])
def test_a_calibrated_turn_is_long_enough_and_not_much_longer(each, overhead):
    run = Fake(each, overhead).training(CASE).run
    steps = calibrate(run, CASE.batch, 0.3)
    seconds, _ = run(steps)
    assert seconds >= 0.3
    assert seconds <= 0.5 or steps == 1


def test_calibration_counts_what_was_timed_not_what_was_asked():
    """Keras rounds steps up to whole executions."""
    def run(steps):
        samples = -(-steps // 50) * 50 * 2
        return samples * 1e-3, samples

    steps = calibrate(run, 2, 1.0)
    assert 1.0 <= run(steps)[0] <= 1.3


def test_the_fastest_variant_wins_by_its_best_try():
    times = {"steady": iter([2.0, 2.0, 2.0]), "disturbed": iter([3.5, 1.0, 3.0]),
             "hopeless": iter([50.0])}
    found = fastest({name: lambda steps, t=t: (next(t), 1_000_000) for name, t in times.items()}, 1)
    assert found == ("disturbed", "steady 2, disturbed 1, hopeless 50")


def test_a_lone_variant_is_tried_once():
    tries = iter([3.0])
    assert fastest({"only": lambda steps: (next(tries), 1)}, 7)[0] == "only"


def test_a_job_does_row_after_row(monkeypatch):
    fake = Fake(each=0.01)
    monkeypatch.setattr(interleaving, "make", lambda name: fake)
    other = Case("predict", "benchmark", 4, images=6)
    events = list(take_turns(Job("fake", ((CASE, 2), (other, 1)), stretch=0.1)))
    assert [type(event) for event in events] == [Ready, Prepared, Turn, Turn, Prepared, Turn]
    assert events[0].how == "made up." and events[1].how == "nothing"
    assert events[2].samples == events[3].samples == 12 and events[2].seconds == 0.12
    assert events[5].samples == 12  # two calls of predict over 6 images
    assert all(e.resting_cpu >= 0 and e.resting_seconds >= 0 for e in events if isinstance(e, Turn))


def test_memory_is_taken_early_and_at_the_end(monkeypatch):
    fake, sizes = Fake(), iter([1, 2, 3, 4])
    monkeypatch.setattr(memory_profile, "make", lambda name: fake)
    monkeypatch.setattr(memory_profile, "peak_memory", lambda: next(sizes))
    used, = use_memory(MemoryJob("fake", Case("training", "benchmark", 10), 250))
    assert (used.libraries, used.loaded, used.early, used.peak) == (1, 2, 3, 4)
    assert fake.asked == [16, 25] and (used.early_steps, used.steps) == (16, 25)
    assert fake.images.shape == (250, 28, 28, 1) and fake.images.dtype == "uint8"


class InlineWorker:
    """As `Worker`, in this process. `trouble` maps (name, number of the item) to an exception."""

    log: list = []
    trouble: dict = {}

    def __init__(self, name, function, argument):
        self.name, self.count, self.items = name, 0, function(argument)

    def ask(self):
        InlineWorker.log.append(self.name)
        self.count += 1
        if (self.name, self.count) in self.trouble:
            raise self.trouble[self.name, self.count]
        return next(self.items, None)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        InlineWorker.log.append(f"{self.name} stopped")


@pytest.fixture
def inline(monkeypatch):
    monkeypatch.setattr(InlineWorker, "log", [])
    monkeypatch.setattr(InlineWorker, "trouble", {})
    monkeypatch.setattr(running, "Worker", InlineWorker)
    monkeypatch.setattr(running, "PAUSE", 0)
    for module in (interleaving, memory_profile):
        monkeypatch.setattr(module, "make", lambda name: Fake({"scratch": 0.1}.get(name, 0.2)))
    return InlineWorker


SMALL = Settings(networks=("benchmark",), batch_sizes=(2,), competitors=("scratch", "keras"),
                 parts=("training",), pairs=3, stretch=0.1)


def test_the_competitors_take_turns_and_who_goes_first_alternates(inline):
    result = running.run(SMALL, verbose=False)
    names = ["scratch", "Keras fit", "BLAS alone"]
    assert inline.log[:-3] == names + names + names + names[::-1] + names
    assert sorted(inline.log[-3:]) == sorted(f"{name} stopped" for name in names)
    row, = result.rows
    assert row.pairs == 3 and not result.partial
    assert row.ratio("keras", "scratch").median == pytest.approx(2)
    assert row.multiply_adds == 2_387_280


@pytest.fixture
def no_checks(monkeypatch):
    """Checks that take no time."""
    monkeypatch.setattr(check_cost, "measured", lambda case: check_cost.CheckCost(
        case, 1.0, 2.0, 10, True))


CHECKS = Settings(competitors=("scratch",), parts=("check",), check_points=2)


def test_every_network_is_checked_in_one_process(inline, no_checks):
    result = running.run(CHECKS, verbose=False)
    assert list(result.checks) == check_cost.different(2) and not result.partial
    assert set(inline.log) == {"the checks", "the checks stopped"}


def test_checks_that_were_finished_before_ctrl_c_are_kept(inline, no_checks):
    inline.trouble["the checks", 3] = KeyboardInterrupt()
    result = running.run(CHECKS, verbose=False)
    assert result.interrupted and list(result.checks) == check_cost.different(2)[:2]


def test_memory_has_processes_of_its_own(inline):
    result = running.run(Settings(competitors=("keras", "scratch"), parts=("memory",),
                                  memory_images=40), verbose=False)
    assert inline.log == ["Keras fit", "Keras fit stopped", "scratch", "scratch stopped"]
    assert list(result.memory) == ["keras", "scratch"]
    assert result.memory["scratch"].batch == 40


def test_ctrl_c_keeps_the_pairs_that_are_finished(inline):
    inline.trouble = {("Keras fit", 5): KeyboardInterrupt()}
    result = running.run(SMALL, verbose=False)
    assert result.interrupted and result.partial
    assert result.rows[0].pairs == 2 and len(result.rows[0].turns["scratch"]) == 3
    assert result.title.startswith("PARTIAL")
    assert sum(entry.endswith("stopped") for entry in inline.log) == 3


def test_a_process_that_fails_keeps_what_is_finished(inline, capsys):
    inline.trouble = {("scratch", 4): WorkerError("the process of scratch was killed", "trace")}
    result = running.run(SMALL)
    assert result.stopped == "the process of scratch was killed" and not result.interrupted
    assert "trace" in capsys.readouterr().err


def test_progress_is_told_on_stderr_with_the_time_left(inline, capsys):
    running.run(Settings(**{**vars(SMALL), "batch_sizes": (2, 3)}))
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert lines[:3] == ["Starting scratch ...", "Starting Keras fit ...",
                         "Starting BLAS alone ..."]
    assert lines[3].startswith("training: benchmark, batch 2 12/12 in ")
    assert lines[4].startswith("training: benchmark, batch 3 (~") and "in all)" in lines[4]


def test_who_is_absent_does_not_start(inline, monkeypatch):
    monkeypatch.setattr("compare.experiments.performance.settings.has_torch", lambda: False)
    result = running.run(Settings(**{**vars(SMALL), "competitors": ("scratch", "torch")}),
                         verbose=False)
    assert list(result.rows[0].turns) == ["scratch", BLAS]
    with pytest.raises(ValueError, match="installed. Received: torch"):
        running.run(Settings(**{**vars(SMALL), "competitors": ("torch",)}), verbose=False)


def test_the_rows_are_those_of_the_settings(monkeypatch):
    monkeypatch.setattr("compare.experiments.performance.settings.has_torch", lambda: True)
    rows = running.plan(Settings())
    assert [(c.network, c.batch) for c, _, _ in rows if c.part == "training"] == [
        *(("benchmark", b) for b in (1, 8, 32, 128, 256)), ("wide", 100)]
    assert {c.images for c, _, _ in rows if c.part == "predict"} == {10_000}
    assert [c.value for c, _, _ in rows if c.axis == "side"] == [14, 28, 56, 112, 224]
    channels = [c.value for c, _, _ in rows if c.axis == "channels"]
    assert channels[0] == 1 and channels[-1] == 64
    for case, who, count in rows:
        alone = case.axis or case.is_layer
        assert who == (("scratch", "keras", "torch") if alone else
                       ("scratch", "keras", "keras-loop", "torch", BLAS))
        assert count == (3 if alone else 11)
    assert [c.part for c in cases(Settings(parts=("scaling",)))].count("scaling") == len(
        [c for c, _, _ in rows if c.axis])


@pytest.mark.parametrize("case", [Case("training", "benchmark", 256), Case("training", "wide", 100),
                                  Case("scaling", "benchmark", 8, (224, 224, 1), axis="side"),
                                  Case("predict", "benchmark", 32, images=70)])
def test_images_are_whole_batches_of_centred_bytes(case):
    x, y = case.data()
    assert x.shape[1:] == case.input_shape and x.dtype == "float32" and len(x) == len(y)
    assert len(x) == case.images or (len(x) % case.batch == 0 and len(x) >= 2 * case.batch)
    assert x.nbytes <= max(2**24, 2 * case.batch * x[0].nbytes)
    assert x.min() == -0.5 and x.max() == 0.5
    assert abs(x[x != 0]).min() > 1e-3  # nothing near a denormal number
    assert y.min() >= 0 and y.max() <= 9
    again, _ = random_images(3, case.input_shape)
    assert (again == random_images(3, case.input_shape)[0]).all()


@pytest.mark.parametrize("wrong", [
    {"networks": ("deep",)}, {"networks": ()}, {"networks": ("wide", "wide")},
    {"competitors": ("jax",)}, {"parts": ("all",)}, {"pairs": 0}, {"pairs": 1.5}, {"pairs": True},
    {"batch_sizes": (8, 0)}, {"batch_sizes": ()}, {"predict_batches": (-1,)},
    {"predict_images": 0}, {"memory_images": 0}, {"stretch": 0}, {"stretch": float("inf")},
    {"stretch": "long"}])
def test_settings_refuse(wrong):
    (name, value), = wrong.items()
    with pytest.raises(ValueError, match=f"expected {name} to .* Received: "):
        Settings(**wrong)


def test_every_part_has_a_place():
    made = {"layers" if c.is_layer else c.part for c in cases(Settings())}
    assert made | {"memory", "check"} == set(PARTS)
