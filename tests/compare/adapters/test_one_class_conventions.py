"""What a network in one class may leave untold, what it has to be asked for, and what is said."""

import numpy as np
import pytest

import compare
from compare.adapters import accessors
from compare.adapters.one_class import places
from scratch.errors import UnsupportedError
from tests.compare.adapters.examples_one_class import applied, attributes, dictionaries, estimator
from tests.compare.adapters.test_one_class import (
    applying,
    estimating,
    in_attributes,
    in_dictionaries,
)
from tests.compare.support import wrapped_networks as networks


class Wide:
    """Three dense layers of 6 by 6, named otherwise than in their order; no activation."""

    def __init__(self):
        rng = np.random.default_rng(1)
        self.out, self.inner, self.first = (rng.normal(size=(6, 6)) for _ in range(3))

    def forward(self, x):
        self.x, self.h = x, x @ self.first.T
        self.g = self.h @ self.inner.T
        return self.g @ self.out.T

    def backward(self, dy):
        self.d_out, dg = dy.T @ self.g, dy @ self.out
        self.d_inner, dh = dg.T @ self.h, dg @ self.inner
        self.d_first = dh.T @ self.x
        return dh @ self.first


class Shifted(Wide):
    def forward(self, x):
        return super().forward(x) + 1


def squares(keras):
    layers = keras.layers
    twin = networks.compiled(keras, keras.Sequential(
        [keras.Input((6,)), *(layers.Dense(6, use_bias=False, name=name) for name in "abc")]),
        "mean_squared_error")
    return twin, networks.batch((6,))[0]


def test_orders_that_shapes_do_not_tell_are_tried(keras):
    report = compare.check(compare.wrap(Wide()), *squares(keras))
    assert report, report
    assert "a/kernel is first, in the order OI" in report.notes[-1]
    assert "c/kernel is out, in the order OI" in report.notes[-1]
    assert "first that gives Keras's output" in report.notes[-1]


def test_where_no_order_gives_the_output_it_is_asked_for_with_a_proposal(keras):
    with pytest.raises(ValueError, match=r"Expected to be told which array of Shifted.*"
                                         r"weights=\{'a/kernel': 'out', 'b/kernel': 'inner', "
                                         r"'c/kernel': 'first'\}"):
        compare.check(compare.wrap(Shifted()), *squares(keras))
    told = {"a/kernel": "first", "b/kernel": "inner", "c/kernel": "out"}
    report = compare.check(compare.wrap(Shifted(), weights=told, kernel_layout="OI"),
                           *squares(keras))
    assert not report and report.first_failure.tensor == "output"


def test_weights_that_the_object_holds_already_tell_themselves(keras):
    twin, x = squares(keras)
    net = Shifted()
    net.first, net.inner, net.out = (w.T.copy() for w in twin.get_weights())
    report = compare.check(compare.wrap(net), twin, x)
    assert not report and "its arrays hold Keras's weights" in report.notes[1]
    assert "a/kernel is first, in the order OI" in report.notes[1]


def test_the_object_stays_as_it_is(keras):
    net = Wide()
    before = {name: array.copy() for name, array in places.arrays(net).items()}
    compare.check(compare.wrap(net), *squares(keras))
    after = places.arrays(net)
    assert before.keys() == after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_methods_of_other_names_are_asked_for(keras):
    _, *rest = in_dictionaries(keras)
    net = dictionaries.Classifier(6, 5, 4)
    with pytest.raises(ValueError, match="forward='NAME'.*It has: gradient, loss, predict"):
        compare.check(compare.wrap(net), *rest)
    with pytest.raises(ValueError, match="backward='NAME'.*backward=None where there is none"):
        compare.check(compare.wrap(net, forward="predict"), *rest)
    with pytest.raises(ValueError, match="step='fit' to have the change judged"):
        compare.check(compare.wrap(estimator.Regressor(6, 5, 4), forward="predict"), *rest)
    with pytest.raises(TypeError, match=r"compare.wrap\(network\)"):
        compare.check(net, *rest)


def test_arguments_of_other_numbers_name_the_option(keras):
    _, *rest = in_dictionaries(keras)
    how = compare.wrap(dictionaries.Classifier(6, 5, 4), forward="predict", backward="gradient")
    with pytest.raises(ValueError, match="backward_takes"):
        compare.check(how, *rest)


class Hidden(attributes.Deep):
    """Its gradients have names of their own."""

    def backward(self, dA2):
        dx = super().backward(dA2)
        self.first, self.second = self.dW1, self.dW2
        del self.dW1, self.dW2
        return dx


def test_gradients_that_are_not_found_are_asked_for(keras):
    _, *rest = in_attributes(keras)
    with pytest.raises(ValueError, match=r"gradients=\{'first/kernel': ...\}.*backward_gives"):
        compare.check(attributes.network(compare.wrap, Hidden), *rest)
    told = {"first/kernel": "first", "last/kernel": "second"}
    assert compare.check(attributes.network(compare.wrap, Hidden, gradients=told), *rest)


class Logits(attributes.Deep):
    def forward(self, X):
        super().forward(X)
        return self.A1 @ self.W2 + self.b2


def test_logits_are_seen_and_can_be_told(keras):
    _, *rest = in_attributes(keras)
    report = compare.check(attributes.network(compare.wrap, Logits, backward=None), *rest[:2])
    assert report.cause.identifier == "logits-returned"
    assert "forward_gives='logits'" in report.cause.remedy
    assert compare.check(attributes.network(compare.wrap, Logits, backward=None,
                                            forward_gives="logits"), *rest[:2])


def test_a_network_without_a_backward_pass(keras):
    _, *rest = in_attributes(keras)
    report = compare.check(attributes.network(compare.wrap, backward=None), *rest)
    assert report and [row.tensor for row in report.rows] == ["output"]
    assert "Only the forward pass" in report.notes[0]


def test_an_estimator_shows_its_step_alone(keras):
    report = compare.check(*estimating(keras))
    assert "gradients (no backward pass)" in report.not_checked
    assert {row.tensor for row in report.rows} == {"output", "kernel after a step",
                                                   "bias after a step"}


class Slower(estimator.Regressor):
    def fit(self, X, Y, epochs):
        self.learning_rate /= 2
        return super().fit(X, Y, epochs)


def test_a_wrong_step_is_seen(keras):
    _, *rest = estimating(keras)
    report = compare.check(estimator.network(compare.wrap, Slower), *rest)
    assert not report and report.first_failure.name == "first kernel after a step"


def test_no_gradient_of_the_input_is_a_convention(keras):
    report = compare.check(*in_dictionaries(keras))
    assert any("returns no gradient of its input" in note for note in report.notes)


class Raises(attributes.Deep):
    def backward(self, dA2):
        return self.nowhere


def test_what_a_network_raises_is_a_row(keras):
    _, *rest = in_attributes(keras)
    report = compare.check(attributes.network(compare.wrap, Raises), *rest)
    assert not report and report.cause.identifier == "raised"
    assert "'Raises' object has no attribute 'nowhere'" in report.first_failure.note


def test_random_layers_are_refused_in_training(keras):
    twin = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, activation="sigmoid"),
                             keras.layers.Dropout(0.5), keras.layers.Dense(4)])
    twin.compile("sgd", "mean_squared_error")
    how = attributes.network(compare.wrap)
    with pytest.raises(UnsupportedError, match="draws nothing at random.*gradients=False"):
        compare.check(how, twin, networks.batch((6,))[0], networks.targets())


def test_a_recorded_trace_takes_keras_place(keras):
    how, twin, x, y = applying(keras)
    trace = compare.record(twin, x, y)
    assert compare.check(how, trace)
    assert not compare.check(applied.network(compare.wrap, type(
        "Doubled", (applied.SmallCNN,), {"mask": lambda self, dh: 2 * dh * (self.z > 0)})), trace)


def test_without_labels_a_gradient_is_drawn(keras):
    how, twin, x, _ = in_attributes(keras)
    report = compare.check(how, twin, x)
    assert report and any("drawn with seed 0" in note for note in report.notes)


@pytest.mark.parametrize("place, of", [
    ("dW1", "W1"), ("grads.W1", "params.W1"), ("grads.dW1", "params.W1"), ("conv.dW", "conv.W"),
    ("layers.0.grads.W", "layers.0.params.W"), ("W1_grad", "W1"), ("dweights.2", "weights.2"),
    ("grads.dW1", "W1"), ("gW", "W"), ("nabla_b.0", "b.0")])
def test_names_of_gradients(place, of):
    assert places.is_gradient(place, of)
    assert not places.is_gradient(of, place)
    assert not places.is_gradient(place.replace("1", "2").replace("0", "3"), of) or "1" not in of


def test_places_in_lists_and_keys_with_dots():
    class Thing:
        def __init__(self):
            self.weights = [np.zeros(2), np.ones(3)]
            self.params = {"conv1.weight": np.zeros((2, 2))}

    thing = Thing()
    assert list(places.arrays(thing)) == ["weights.0", "weights.1", "params.conv1.weight"]
    accessors.write(thing, "weights.1", np.full(4, 2.0))
    accessors.write(thing, "params.conv1.weight", np.ones((2, 2)))
    assert thing.weights[1].shape == (4,) and thing.params["conv1.weight"].sum() == 4
    with pytest.raises(AttributeError, match="expected '2' in a list. It has: 0, 1"):
        accessors.read(thing, "weights.2")
