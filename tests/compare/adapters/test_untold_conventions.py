"""A convention that was not told: the error, or the cause, names the option that tells it, and told
so the layer holds."""

import keras
import numpy as np
import pytest

import compare

RNG = np.random.default_rng(1)
X = RNG.normal(size=(5, 6)).astype("float32")
Y = RNG.integers(0, 3, 5)
PLACES = {"kernel": "W", "bias": "b", "gradients": {"kernel": "dW", "bias": "db"}}


@pytest.fixture(scope="module")
def twin():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(4, name="first"),
                              keras.layers.ReLU(), keras.layers.Dense(3, activation="softmax")])
    model.layers[0].bias.assign(RNG.normal(size=4))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


class Plain:
    def __init__(self):
        self.W, self.b = np.zeros((6, 4)), np.zeros(4)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dy):
        self.dW, self.db = self.x.T @ dy, dy.sum(0)
        return dy @ self.W.T


class Nested(Plain):
    def backward(self, dy):
        return dy @ self.W.T, [self.x.T @ dy, dy.sum(0, keepdims=True)]


class Listed(Plain):
    def backward(self, dy):
        return [self.x.T @ dy, dy.sum(0), dy @ self.W.T]


class Named(Plain):
    def backward(self, dy):
        return {"dx": dy @ self.W.T, "dW": self.x.T @ dy, "db": dy.sum(0)}


class Pair(Plain):
    def forward(self, x):
        return super().forward(x), {"shape": x.shape}


class PairInList(Plain):
    def forward(self, x):
        return [super().forward(x), x]


class Moded(Plain):
    def __init__(self):
        super().__init__()
        self.is_training = False

    def forward(self, x):
        if self.is_training:
            self.x = x
        return x @ self.W + self.b


class AskedForMode(Plain):
    def forward(self, x, training=False):
        if training:
            self.x = x
        return x @ self.W + self.b


class Caching(Plain):
    def __init__(self):
        super().__init__()
        self.cache = []

    def clear_cache(self):
        self.cache = []

    def forward(self, x):
        self.cache.append(x)
        self.x = self.cache[0]
        return x @ self.W + self.b


class WithoutArguments(Plain):
    def forward(self, x):
        self.y = super().forward(x)
        return self.y

    def backward(self):
        return None


class ReadsOutput(Plain):
    def backward(self, dy, y):
        assert y.shape == dy.shape
        return super().backward(dy)


class Columns(Plain):
    def __init__(self):
        self.W, self.b = np.zeros((4, 6)), np.zeros((4, 1))

    def forward(self, x):
        self.x = x
        return self.W @ x + self.b

    def backward(self, dy):
        self.dW, self.db = dy @ self.x.T, dy.sum(1, keepdims=True)
        return self.W.T @ dy


class OneSample(Plain):
    def forward(self, x):
        assert x.ndim == 1
        return super().forward(x)

    def backward(self, dy):
        self.dW, self.db = np.outer(self.x, dy), dy
        return self.W @ dy


class BiasInside(Plain):
    def __init__(self):
        self.W = np.zeros((7, 4))

    def forward(self, x):
        self.x = np.concatenate([x, np.ones((len(x), 1))], axis=1)
        return self.x @ self.W

    def backward(self, dy):
        self.dW = self.x.T @ dy
        return (dy @ self.W.T)[:, :-1]


class BySample(Plain):
    def backward(self, dy):
        self.dW, self.db = np.einsum("ni,no->nio", self.x, dy), dy
        return dy @ self.W.T


class Lazy(Plain):
    def __init__(self):
        self.units = 4

    def forward(self, x):
        if not hasattr(self, "W"):
            self.W, self.b = np.ones((x.shape[1], self.units)), np.zeros(self.units)
        return super().forward(x)


RETURNED = {"gradients": None}
INSIDE = {"kernel": lambda o: o.W[:-1], "bias": lambda o: o.W[-1],
          "gradients": {"kernel": lambda o: o.dW[:-1], "bias": lambda o: o.dW[-1]}}
# (class, what is told at first, what the report has to say, what is told then)
UNTOLD = [
    (Nested, RETURNED, "backward_gives=('input_gradient', ('kernel_gradient', 'bias_gradient'))",
     {"backward_gives": ("input_gradient", ("kernel_gradient", "bias_gradient"))}),
    (Listed, RETURNED, "backward_gives=('kernel_gradient', 'bias_gradient', 'input_gradient')",
     {"backward_gives": ("kernel_gradient", "bias_gradient", "input_gradient")}),
    (Named, RETURNED, "backward=lambda o, dy: tuple(o.backward(dy)[k] for k in ('dx', 'dW', 'db'))",
     {"backward": lambda o, dy: tuple(o.backward(dy)[k] for k in ("dx", "dW", "db")),
      "backward_gives": ("input_gradient", "kernel_gradient", "bias_gradient")}),
    (Pair, {}, "forward_gives=('output', 'ignored')", {"forward_gives": ("output", "ignored")}),
    (PairInList, {}, "forward_gives=('output', 'ignored')",
     {"forward_gives": ("output", "ignored")}),
    (Moded, {}, "mode='is_training'", {"mode": "is_training"}),
    (AskedForMode, {}, "forward_takes=('x', 'training')", {"forward_takes": ("x", "training")}),
    (Caching, {}, "reset='clear_cache', reset_before='forward'",
     {"reset": "clear_cache", "reset_before": "forward"}),
    (WithoutArguments, {}, "told by backward_takes=(...), of dy, x, learning_rate, output", None),
    (ReadsOutput, {}, "told by backward_takes=(...), of dy, x, learning_rate, output",
     {"backward_takes": ("dy", "output")}),
    (Columns, {}, "batch_axis=-1, kernel_layout='OI'",
     {"batch_axis": -1, "kernel_layout": "OI"}),
    (OneSample, {}, "batched=False", {"batched": False}),
    (BiasInside, {"bias": None, "gradients": {"kernel": "dW"}},
     "kernel=lambda o: o.W[:-1], bias=lambda o: o.W[-1]", INSIDE),
    (BySample, {}, "per_sample=True", {"per_sample": True}),
    (Lazy, {}, "lazy=True", {"lazy": True}),
]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind, first, said, then", UNTOLD,
                         ids=[case[0].__name__ for case in UNTOLD])
def test_the_option_is_named_and_mends_it(twin, kind, first, said, then):
    def report(told):
        mine = compare.wrap(kind(), **{**PLACES, **first, **told})
        return compare.check([mine, None, None], twin, X, Y, steps=0)

    untold = report({})
    assert not untold
    assert said in f"{untold.first_failure.note} {untold.cause}"
    assert then is None or report(then), str(report(then))


def test_a_right_layer_and_a_mistake_get_no_hint(twin):
    class Wrong(Plain):
        def backward(self, dy):
            return super().backward(dy) @ np.zeros((4, 4))

    assert compare.check([compare.wrap(Plain(), **PLACES), None, None], twin, X, Y, steps=0)
    report = compare.check([compare.wrap(Wrong(), **PLACES), None, None], twin, X, Y, steps=0)
    assert "matmul" in report.first_failure.note and "compare.wrap" not in report.first_failure.note


def test_a_kept_rate_is_made_a_power_of_two_so_that_nothing_is_rounded(twin):
    class Applying(Plain):
        rate = 0.1

        def backward(self, dy):
            dx = dy @ self.W.T
            self.W -= self.rate * self.x.T @ dy  # rounds before it sums
            self.b -= self.rate * dy.sum(0)
            return dx

    layer = Applying()
    mine = compare.wrap(layer, kernel="W", bias="b", gradients="applied", learning_rate="rate")
    assert compare.check([mine, None, None], twin, X, Y, steps=0)
    assert layer.rate == 0.1
