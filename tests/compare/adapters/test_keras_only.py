"""Objects that stand for layers that scratch does not have: Keras's own is the oracle."""

import keras
import numpy as np
import pytest

import compare
import scratch
from compare import cli
from compare.inputs import twins

SHAPE = (5, 6, 4)
DECAY = np.float32(0.25)


class Swishy(keras.layers.Layer):
    """x * sigmoid(x) times a learned factor; keeps a running mean of what it sees in training."""

    def build(self, input_shape):
        self.factor = self.add_weight(name="factor", shape=input_shape[-1:], initializer="ones")
        self.seen = self.add_weight(name="seen", shape=input_shape[-1:], initializer="zeros",
                                    trainable=False)

    def call(self, x, training=False):
        if training:
            mean = keras.ops.mean(x, axis=(0, 1, 2))
            self.seen.assign(self.seen + 0.25 * (mean - self.seen))
        return x * keras.ops.sigmoid(x) * self.factor


class Mine:
    """The same in NumPy, as somebody may have it."""

    def __init__(self):
        self.f, self.mean = np.ones(4, "float32"), np.zeros(4, "float32")
        self.training = True

    def forward(self, x):
        if self.training:
            self.mean = self.mean + DECAY * (x.mean((0, 1, 2)) - self.mean)
        self.x, self.s = x, 1 / (1 + np.exp(-x))
        return x * self.s * self.f

    def backward(self, dy):
        self.df = (dy * self.x * self.s).sum((0, 1, 2))
        return dy * self.f * (self.s + self.x * self.s * (1 - self.s))


class Half(Mine):
    """Its way back forgets that the sigmoid has a slope."""

    def backward(self, dy):
        super().backward(dy)
        return dy * self.f * self.s


class Off(Mine):
    """Off by a hundred thousandth."""

    def forward(self, x):
        return super().forward(x) * np.float32(1 + 1e-5)


class OneSample(Mine):
    """Its weight's gradient is of the first sample alone."""

    def backward(self, dy):
        dx = super().backward(dy)
        self.df = (dy * self.x * self.s)[0].sum((0, 1))
        return dx


class Standing(Mine):
    """Its running mean stands still."""

    def forward(self, x):
        kept, y = self.mean, super().forward(x)
        self.mean = kept
        return y


PLACES = {"weights": {"factor": "f", "seen": "mean"}, "gradients": {"factor": "df"},
          "mode": "training"}


def network(*layers):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((6, 7, 3)),
                              keras.layers.Conv2D(4, (2, 3), activation="relu", name="conv"),
                              *layers, keras.layers.Flatten(), keras.layers.Dense(2)])
    model.compile(keras.optimizers.SGD(0.01), "mean_squared_error")
    rng = np.random.default_rng(0)
    model.set_weights([rng.normal(size=w.shape, scale=0.3).astype("float32")
                       for w in model.get_weights()])
    return model


def layer(cls=Mine):
    return compare.wrap(cls(), like=Swishy(name="own"), input_shape=SHAPE, **PLACES)


def pair(cls=Mine):
    return [None, compare.wrap(cls(), **PLACES), None, None], network(Swishy(name="own"))


def wrong_pair():
    return pair(Half)


def batch():
    rng = np.random.default_rng(2)
    return (rng.normal(size=(5, 6, 7, 3)).astype("float32"),
            rng.normal(size=(5, 2)).astype("float32"))


def test_a_right_object_holds_and_the_rows_say_how():
    report = compare.check(*pair(), *batch())
    assert report, str(report)
    own = {(row.gate, row.tensor) for row in report.rows
           if row.layer == "own" and row.kind == "perturbed"}
    assert own >= {("forward", "output"), ("backward", "input_gradient"),
                   ("backward", "factor_gradient"), ("update", "seen"), ("inference", "output")}
    assert any("own (Swishy)" in note and "not proved" in note for note in report.notes)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("cls, tensor", [
    (Off, "output"), (Half, "input_gradient"), (OneSample, "factor_gradient"),
    (Standing, "seen")])
def test_a_wrong_object_is_detected_and_placed(cls, tensor):
    report = compare.check(*pair(cls), *batch(), steps=0)
    assert not report
    failed = [row for row in report.rows if not row.passed and row.layer == "own"
              and not row.downstream]
    assert {row.tensor for row in failed} == {tensor}
    assert report.first_failure.layer == "own"


@pytest.mark.parametrize("cls", [Mine, Half])
def test_a_layer_alone_is_a_network_of_its_own(cls):
    own = layer(cls)
    model, twin = twins.twins(twins.alone(own))
    x = np.random.default_rng(3).normal(size=(3, *SHAPE)).astype("float32")
    assert bool(compare.check(model, twin, x)) is (cls is Mine)
    assert [type(each).__name__ for each in twin.layers] == ["Swishy"]


def test_it_takes_the_weights_of_a_built_layer():
    built = Swishy(name="own")
    built.build((None, *SHAPE))
    built.set_weights([np.array([1, 2, 3, 4.0]), np.array([5, 6, 7, 8.0])])
    own = compare.wrap(Mine(), like=built, **PLACES)
    assert [w.tolist() for w in own.params.values()] == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert own.non_trainable == ("seen",) and own.output_shape == (None, *SHAPE)
    own.params["factor"][...] = 0
    assert built.get_weights()[0].tolist() == [1, 2, 3, 4]


def test_in_a_graph():
    inputs = keras.Input(SHAPE)
    twin = keras.Model(inputs, keras.layers.Add()([Swishy(name="own")(inputs), inputs]))
    given = scratch.Input(SHAPE)
    model = scratch.Model(given, scratch.layers.Add()([layer()(given), given]))
    x = np.random.default_rng(3).normal(size=(3, *SHAPE)).astype("float32")
    model.set_weights(twin.get_weights())
    assert compare.check(model, twin, x)


def test_plain_functions_are_given_the_weights():
    def forward(x, factor, seen):
        return x / (1 + np.exp(-x)) * factor

    def backward(dy, x, factor, seen):
        s = 1 / (1 + np.exp(-x))
        return dy * factor * (s + x * s * (1 - s)), (dy * x * s).sum((0, 1, 2)), seen * 0

    wrapped = compare.wrap(forward=forward, backward=backward)
    report = compare.check([None, wrapped, None, None], network(Swishy(name="own")), *batch(),
                           steps=0)
    failed = [(row.layer, row.tensor) for row in report.rows
              if not row.passed and not row.downstream]
    assert failed == [("own", "seen")]  # which a function has no place to keep


def test_forward_alone():
    items, twin = pair()
    items[1] = compare.wrap(Mine(), backward=None, **PLACES)
    assert compare.check(items, twin, batch()[0])


def test_a_layer_of_keras_that_scratch_does_not_have():
    cell = keras.layers.LSTMCell(3)
    twin = keras.Sequential([keras.Input((1, 4)), keras.layers.RNN(cell, name="own")])

    def forward(x, kernel, recurrent_kernel, bias):  # of a single step, from a state of zeros
        i, _, c, o = np.split(x[:, 0] @ kernel + bias, 4, axis=-1)
        return np.tanh(np.tanh(c) / (1 + np.exp(-i))) / (1 + np.exp(-o))

    x = np.random.default_rng(0).normal(size=(2, 1, 4)).astype("float32")
    report = compare.check([compare.wrap(forward=forward, backward=None)], twin, x)
    assert report, str(report)
    wrong = compare.wrap(forward=lambda *given: forward(*given) * 1.0001, backward=None)
    assert not compare.check([wrong], twin, x)


class Random(Swishy):
    """Draws in training."""

    def build(self, input_shape):
        self.dropout = keras.layers.Dropout(0.5)

    def call(self, x, training=False):
        return self.dropout(x, training=training)


class Penalized(Swishy):
    def build(self, input_shape):
        super().build(input_shape)
        self.factor.regularizer = keras.regularizers.L2(0.1)


class Closed(Swishy):
    @classmethod
    def from_config(cls, config):
        raise RuntimeError("it is closed")


@pytest.mark.parametrize("cls, said", [
    (Random, "draws nothing at random"), (Penalized, "without penalties"),
    (Closed, "from_config makes anew.*it is closed")])
def test_what_cannot_take_part_is_named(cls, said):
    with pytest.raises(ValueError, match=f"'own' .{cls.__name__}.*{said}"):
        compare.wrap(Mine(), like=cls(name="own"), input_shape=SHAPE, **PLACES)


def test_without_the_live_layer_there_is_no_oracle(tmp_path):
    items, twin = pair()
    trace = compare.record(twin, *batch())
    with pytest.raises(ValueError, match="'own' is of class Swishy.*Expected the live one"):
        compare.check(items, trace)
    with pytest.raises(ValueError, match="Expected the live one"):
        compare.wrap(Mine(), like={"class_name": "Swishy", "config": {"name": "own"}}, **PLACES)


def test_debug_says_why_there_is_no_smaller_case(capsys):
    assert cli.main(["debug", f"{__name__}:wrong_pair"]) == 1
    assert "No smaller case" in capsys.readouterr().out
