"""One object in a list for two or three of Keras's layers: right ones stay silent, a mistake is
named where it is, and whoever does not say `layers=...` is told of it."""

import keras
import numpy as np
import pytest

import compare
from compare.cli import main
from tests.compare.support import one_object as made

K = keras.layers
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(5, 6, 5, 2)).astype("float32"), RNG.integers(0, 4, 5)


def network(*layers, loss="sparse_categorical_crossentropy", shape=(6, 5, 2)):
    model = keras.Sequential([keras.Input(shape), *layers])
    rng = np.random.default_rng(2)
    model.set_weights([rng.normal(0, 0.3, w.shape) for w in model.get_weights()])
    model.compile(keras.optimizers.SGD(0.1), loss)
    return model


def classifier(inside=True, **how):
    end = [K.Dense(4, activation="softmax", name="fc")] if inside else [
        K.Dense(4, name="fc"), K.Softmax(name="soft")]
    return network(K.Conv2D(3, 3, name="conv"), K.Flatten(name="flat"), *end, **how)


def last(obj, layers=2):
    return [None, compare.wrap(obj, layers=layers, **made.PER_IMAGE)]


@pytest.mark.parametrize("inside", [True, False])
def test_dense_and_softmax_handed_the_gradient_of_the_probabilities(inside):
    report = compare.check(last(made.DenseSoftmax(36, 4), 3 - inside), classifier(inside), X, Y)
    assert report, report
    judged = {(row.gate, row.layer, row.tensor) for row in report.rows if row.judged}
    name = "flat + fc" if inside else "flat + fc + soft"
    assert {("forward", name, "output"), ("backward", name, "input_gradient"),
            ("backward", "fc", "kernel_gradient"), ("backward", "fc", "bias_gradient")} <= judged
    assert f"{name} are one object" in report.notes[0]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("wrong, layer, identifier", [
    (made.UpdatesFirst, "fc", "update-before-gradient"),
    (made.WithoutJacobian, "loss", "softmax-jacobian-missing"),
    (made.DiagonalAlone, "loss", "softmax-jacobian-missing")])
def test_mistakes_in_dense_and_softmax_are_named(wrong, layer, identifier):
    report = compare.check(last(wrong(36, 4)), classifier(), X, Y)
    assert not report and report.first_failure.gate == "backward"
    assert (report.cause.layer, report.cause.identifier) == (layer, identifier), report


def test_what_is_right_for_one_hot_labels_alone_is_judged_so():
    rows = np.eye(4, dtype="float32")[Y]
    how = {"loss": "categorical_crossentropy"}
    assert compare.check(last(made.DenseSoftmax(36, 4)), classifier(**how), X, rows)
    soft = np.random.default_rng(1).dirichlet(np.ones(4), 5).astype("float32")
    report = compare.check(last(made.DenseSoftmax(36, 4)), classifier(**how), X, soft)
    assert not report and "one-hot labels alone" in report.cause.sentence


def test_one_layer_with_its_softmax():
    twin = network(K.Conv2D(3, 3), K.Flatten(), K.Dense(4, activation="softmax", name="fc"))
    report = compare.check([None, None, compare.wrap(made.DenseSoftmax(36, 4), layers=1,
                                                     **made.PER_IMAGE)], twin, X, Y)
    assert report, report
    untold = compare.check([None, None, compare.wrap(made.DenseSoftmax(36, 4), **made.PER_IMAGE)],
                           twin, X, Y)
    assert not untold and "layers=1" in untold.first_failure.note


def test_a_softmax_and_loss_in_the_same_object():
    how = {**made.PER_IMAGE, "backward": "from_label",
           "backward_takes": ("labels", "learning_rate")}
    assert compare.check([None, compare.wrap(made.DenseSoftmax(36, 4), layers=2, **how)],
                         classifier(), X, Y)


def test_padding_of_its_own_and_a_convolution():
    twin = network(K.ZeroPadding2D(1, name="pad"), K.Conv2D(3, 3, name="conv"), K.Flatten(),
                   K.Dense(4), K.Softmax())
    how = {"kernel": "w", "bias": "b", "gradients": {"kernel": "dw", "bias": "db"}}
    after = [None, None, None]
    assert compare.check([compare.wrap(made.PaddedConv(), layers=2, **how), *after], twin, X, Y)
    report = compare.check([compare.wrap(made.PadsBelow(), layers=2, **how), *after], twin, X, Y)
    assert not report and report.first_failure.layer == "pad + conv"
    assert report.cause.layer == "pad" and report.cause.identifier == "padding-side", report
    with pytest.raises(ValueError, match=r"layers=2"):
        compare.check([compare.wrap(made.PaddedConv(), **how), *after], twin, X, Y)
    report = compare.check([None, compare.wrap(made.PaddedConv(), **how), *after], twin, X, Y)
    assert "layers=2" in report.first_failure.note


def test_a_scaled_activation():
    twin = network(K.Dense(5), K.Rescaling(2 / 3, name="inner"), K.Activation("tanh", name="tanh"),
                   K.Rescaling(1.7159, name="outer"), K.Dense(4), shape=(6,),
                   loss="mean_squared_error")
    x, y = RNG.normal(size=(5, 6)).astype("float32"), RNG.normal(size=(5, 4)).astype("float32")
    assert compare.check([None, compare.wrap(made.LeCunTanh(), layers=3), None], twin, x, y)
    report = compare.check([None, compare.wrap(made.Halved(), layers=3), None], twin, x, y)
    assert (report.cause.layer, report.cause.identifier) == ("outer", "given-numbers"), report.cause


def test_the_forward_pass_alone_and_a_recorded_trace():
    twin = classifier()
    items = [None, compare.wrap(made.DenseSoftmax(36, 4), layers=2,
                                **{**made.PER_IMAGE, "backward": None})]
    report = compare.check(items, twin, X)
    assert report and "no backward pass" in report.notes[0], report
    assert compare.check(last(made.DenseSoftmax(36, 4)), compare.record(twin, X, Y))


def test_a_missing_input_gradient_shows_where_a_layer_comes_before():
    class Silent(made.DenseSoftmax):
        def backprop(self, g, rate):
            super().backprop(g, rate)

    report = compare.check(last(Silent(36, 4)), classifier(), X, Y)
    assert report.first_failure.tensor == "input_gradient", report
    assert report.cause.identifier == "input-gradient-missing"


def test_errors_name_what_is_expected():
    for wrong in (0, 1.5, True):
        with pytest.raises(ValueError, match="Expected layers to be how many"):
            compare.wrap(made.LeCunTanh(), layers=wrong)
    with pytest.raises(ValueError, match="in a list"):
        compare.wrap(made.LeCunTanh(), layers=2, like=K.Dense(3))
    two = network(K.Dense(5, name="one"), K.Dense(4, name="two"), shape=(6,),
                  loss="mean_squared_error")
    with pytest.raises(ValueError, match="'one/kernel': ..., 'two/kernel': ..."):
        compare.check([compare.wrap(made.LeCunTanh(), layers=2, kernel="w")], two,
                      np.zeros((2, 6), "float32"), np.zeros((2, 4)))
    random = network(K.Dense(5), K.Dropout(0.5), shape=(6,), loss="mean_squared_error")
    with pytest.raises(ValueError, match="draw nothing at random"):
        compare.check([compare.wrap(made.LeCunTanh(), layers=2)], random,
                      np.zeros((2, 6), "float32"), np.zeros((2, 5)))


def test_at_the_command_line(capsys):
    assert main(["debug", "--model", "tests.compare.support.one_object:pair"]) == 1
    said = capsys.readouterr().out
    assert "update-before-gradient" in said and "flat + fc" in said
