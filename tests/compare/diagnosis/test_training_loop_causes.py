"""Mistakes of a training loop are named by training the candidate again."""

import numpy as np
import pytest

import compare
import scratch
from compare.inputs import twins

N = 6
RNG = np.random.default_rng(0)
X = RNG.standard_normal((N, 5)).astype("float32")
Y = np.array([0, 2, 1, 2, 0, 1])
WEIGHT = np.array([1, 2, 0.5, 1, 3, 1], "float32")


class Cleared(scratch.Sequential):
    """Gradients are added up and never cleared."""

    def update(self):
        total = self.__dict__.setdefault("total", {})
        for i, layer in enumerate(self.layers):
            for name, g in layer.grads.items():
                total[i, name] = total.get((i, name), 0) + g
            layer.grads = {name: total[i, name] for name in layer.grads}
        super().update()


class Late(scratch.Sequential):
    """A step is made by the gradients of the one before it."""

    def update(self):
        now = [{name: g.copy() for name, g in layer.grads.items()} for layer in self.layers]
        for layer, grads in zip(self.layers, self.__dict__.get("last", now)):
            layer.grads = dict(grads)
        super().update()
        self.last = now


class Twice(scratch.Sequential):
    def update(self):
        super().update()
        super().update()


class Falling(scratch.Sequential):
    """The rate falls although nobody asked for it."""

    def update(self):
        super().update()
        self.optimizer._learning_rate *= 0.8


class PerSample(scratch.Sequential):
    def train_step(self, x, y, sample_weight=None):
        made = [super(PerSample, self).train_step(x[i:i + 1], y[i:i + 1]) for i in range(len(x))]
        return np.mean([value for value, _ in made]), np.concatenate([p for _, p in made])


class NextLabels(scratch.Sequential):
    def train_step(self, x, y, sample_weight=None):
        return super().train_step(x, np.roll(y, -1), sample_weight)


class LastLeftOut(scratch.Sequential):
    def train_step(self, x, y, sample_weight=None):
        return super().train_step(x[:-1], y[:-1])


class Unweighted(scratch.Sequential):
    def train_step(self, x, y, sample_weight=None):
        return super().train_step(x, y)


class Doubled(scratch.Sequential):
    def train_step(self, x, y, sample_weight=None):
        return super().train_step(2 * x, y, sample_weight)


class Halves(scratch.Sequential):
    """The mean of the gradients of two parts of unequal size."""

    def train_step(self, x, y, sample_weight=None):
        n = (len(x) + 1) // 2
        if n == len(x):
            return super().train_step(x, y)
        grads, made = [], []
        for rows in (slice(n), slice(n, None)):
            made.append(self.loss_and_gradients(x[rows], y[rows])[:2])
            grads.append([dict(layer.grads) for layer in self.layers])
        for layer, a, b in zip(self.layers, *grads):
            layer.grads = {name: (a[name] + b[name]) / 2 for name in a}
        self.update()
        return np.mean([value for value, _ in made]), np.concatenate([p for _, p in made])


class Stuck(scratch.Sequential):
    """The last layer is forgotten."""

    def update(self):
        self.layers[-1].grads = {n: 0 * g for n, g in self.layers[-1].grads.items()}
        super().update()


class Thawed(scratch.Sequential):
    """A frozen layer moves, too."""

    def update(self):
        super().update()
        self.layers[0].params["kernel"] -= np.float32(0.01)


class Short(scratch.Sequential):
    """A short batch is divided by the size of a full one."""

    def train_step(self, x, y, sample_weight=None):
        self.full = max(self.__dict__.get("full", 0), len(x))
        return super().train_step(x, y, np.full(len(x), len(x) / self.full, "float32"))


class Forgetful(scratch.Sequential):
    def update(self):
        super().update()
        if self.optimizer.iterations % 2 == 0:
            self.optimizer = scratch.SGD(0.1, momentum=0.9)


class Shuffled(scratch.Sequential):
    """Gradients of one layer come out in another order: no mistake of a loop."""

    def update(self):
        layer = self.layers[0]
        layer.grads["kernel"] = layer.grads["kernel"][::-1] * 1
        super().update()


class Noisy(scratch.Sequential):
    def update(self):
        for layer in self.layers:
            layer.grads = {n: g + np.float32(0.01) * np.sign(g) for n, g in layer.grads.items()}
        super().update()


class Uneven(scratch.Sequential):
    """Kernels make longer steps than biases."""

    def update(self):
        for layer in self.layers:
            if "kernel" in layer.grads:
                layer.grads["kernel"] = layer.grads["kernel"] * np.float32(1.5)
        super().update()


def finding(cls, momentum=0.0, weight=None, trainable=True):
    layers = [scratch.Input((5,)), scratch.Dense(4, trainable=trainable), scratch.ReLU(),
              scratch.Dense(3, activation="softmax")]
    model = scratch.Sequential(layers)
    model.compile(optimizer=scratch.SGD(0.1, momentum=momentum),
                  loss="sparse_categorical_crossentropy")
    _, twin = twins.twins(model)
    model.__class__ = cls
    report = compare.check(model, twin, X, Y, sample_weight=weight)
    assert not report
    return next((found for row in report.rows if not row.passed
                 and (found := report.explained.explain(row)) is not None), None)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("cls, cause, words, settings", [
    (Cleared, "gradient-accumulated", "never cleared", {}),
    (Late, "update-before-gradient", "step before", {}),
    (Twice, "scale", "twice", {}),
    (Falling, "optimizer-setting", "1, 0.8, 0.64", {}),
    (PerSample, "update-per-sample", "each sample", {}),
    (NextLabels, "batch-mixed", "label of the next one", {}),
    (LastLeftOut, "batch-mixed", "last sample", {}),
    (Unweighted, "sample-weight", "ignored", {"weight": WEIGHT}),
    (Doubled, "preprocessing", "doubled", {}),
    (Halves, "mean-over-batches", "count alike", {}),
    (Stuck, "update-missing", "kernel", {}),
    (Thawed, "frozen-weights", "dense kernel", {"trainable": False}),
    (Short, "last-batch", "full one", {}),
    (Forgetful, "optimizer-state", "second step", {"momentum": 0.9}),
], ids=lambda each: each.__name__ if isinstance(each, type) else "")
def test_a_loop_s_mistake_is_named(keras, cls, cause, words, settings):
    found = finding(cls, **settings)
    assert found is not None and found.identifier == cause, str(found)
    assert words in found.causes[0].detail, str(found)


@pytest.mark.parametrize("cls", [Shuffled, Noisy, Uneven])
def test_what_no_loop_explains_has_no_such_name(keras, cls):
    found = finding(cls)
    assert found is None or not found.causes, str(found)
