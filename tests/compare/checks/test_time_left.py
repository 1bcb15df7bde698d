"""The steps of a check share one bar: none is forgotten, none is listed that does not occur."""

import numpy as np

import compare
import scratch
from compare.checks import time_left
from compare.document import progress


def titles(monkeypatch, **options):
    scratch.set_random_seed(1)
    model = scratch.Sequential([scratch.Input((5, 4, 2)), scratch.Conv2D(3, 2, name="conv"),
                                scratch.Flatten(), scratch.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    seen, deep, passing = [], [], progress._passing

    class Seen(progress.Bar):
        def __enter__(self):
            if not deep:
                seen.append(self.title)
            deep.append(self)
            return super().__enter__()

        def __exit__(self, *error):
            deep.pop()
            super().__exit__(*error)

    monkeypatch.setattr(progress, "_passing", lambda title, total, **more: (
        passing(title, total, **more) if title == "" else
        Seen(total, title, shown=False, passing=True)))
    x = np.random.default_rng(0).standard_normal((3, 5, 4, 2)).astype("float32")
    assert compare.check(model, compare.twin(model), x, np.array([0, 1, 2]), **options)
    return set(seen)


def test_every_step_has_its_share(monkeypatch):
    assert titles(monkeypatch) == set(time_left.shares(True, 5, True))


def test_steps_that_are_left_out_have_none(monkeypatch):
    assert titles(monkeypatch, steps=0, probes=False) == set(time_left.shares(False, 0, True))
    assert titles(monkeypatch, layers=["conv"]) == set(time_left.shares(True, 0, False))
