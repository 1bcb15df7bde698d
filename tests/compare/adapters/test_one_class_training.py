"""A network in one class trained for some steps: what it keeps from one step to the next shows."""

import keras
import numpy as np
import pytest

import compare

RNG = np.random.default_rng(0)
X, Y = (RNG.normal(size=(6, n)).astype("float32") for n in (6, 4))


class Net:
    """Two dense layers, gradient descent with momentum."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.W1, self.b1 = rng.normal(size=(6, 5)), np.zeros(5)
        self.W2, self.b2 = rng.normal(size=(5, 4)), np.zeros(4)
        self.velocity = {}

    def forward(self, x):
        self.x, self.h = x, np.tanh(x @ self.W1 + self.b1)
        return self.h @ self.W2 + self.b2

    def backward(self, dy):
        self.dW2, self.db2 = self.h.T @ dy, dy.sum(0)
        dz = dy @ self.W2.T * (1 - self.h ** 2)
        self.dW1, self.db1 = self.x.T @ dz, dz.sum(0)

    def train_step(self, x, y):
        self.backward(self.slope(self.forward(x), y))
        self.descend()

    def slope(self, p, y):
        return 2 * (p - y) / y.size

    def descend(self):
        for name in ("W1", "b1", "W2", "b2"):
            v = 0.9 * self.velocity.get(name, 0) - 0.1 * getattr(self, f"d{name}")
            self.velocity[name] = v
            setattr(self, name, getattr(self, name) + v)


class ForgetsMomentum(Net):
    def descend(self):
        self.velocity = {}
        super().descend()


class FirstSize(Net):
    """Divides by the size of the first batch."""

    def slope(self, p, y):
        self.size = getattr(self, "size", y.size)
        return 2 * (p - y) / self.size


class NotCleared(Net):
    def backward(self, dy):
        before = {name: getattr(self, name, 0) for name in ("dW1", "db1", "dW2", "db2")}
        super().backward(dy)
        for name, gradient in before.items():
            setattr(self, name, getattr(self, name) + gradient)


class FirstLabels(Net):
    def slope(self, p, y):
        self.y = getattr(self, "y", y)
        return super().slope(p, self.y[:len(p)])


def checked(made):
    twin = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, activation="tanh", name="a"),
                             keras.layers.Dense(4, name="b")])
    rng = np.random.default_rng(2)
    twin.set_weights([rng.normal(0, 0.4, w.shape) for w in twin.get_weights()])
    twin.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mean_squared_error")
    return compare.check(compare.wrap(made, step="train_step"), twin, X, Y)


def test_a_right_one_holds_over_all_steps():
    report = checked(Net())
    assert report, report
    rows = [row for row in report.rows if row.gate == "lockstep"]
    assert {(row.layer, row.tensor) for row in rows} == {
        (layer, f"{name} after a step") for layer in "ab" for name in ("kernel", "bias")}
    assert all(row.judged and 0 < row.allowed < 1e-4 for row in rows)


@pytest.mark.parametrize("made, step", [(ForgetsMomentum, 2), (FirstSize, 2), (NotCleared, 2),
                                        (FirstLabels, 2)])
def test_what_is_kept_or_lost_shows_at_its_step_alone(made, step):
    report = checked(made())
    failed = [row for row in report.rows if not row.passed]
    assert failed and {row.gate for row in failed} == {"lockstep"}, report
    assert all(row.note.startswith(f"step {step} of 5") for row in failed)
    assert "kept from one step to the next" in " ".join(report.notes), report.notes
