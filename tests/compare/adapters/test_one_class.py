"""Networks in one class against Keras's, in every style there is an example of: right ones pass,
a mistake in one is named with its layer, and what has to be told is asked for."""

import pytest

import compare
from tests.compare.adapters.examples_one_class import (
    applied,
    attributes,
    dictionaries,
    estimator,
    lists,
)
from tests.compare.support import wrapped_networks as networks

IMAGES, ROWS = (8, 7, 2), (6,)


def rows(keras, activation, end, loss, labels="numbers", optimizer=None):
    """(a Keras network of two dense layers on rows of 6 numbers, x, y)."""
    layers = keras.layers
    model = networks.compiled(keras, keras.Sequential([
        keras.Input(ROWS), layers.Dense(5, activation=activation, name="first"),
        layers.Dense(4, activation=end, name="last")]), loss)
    if optimizer is not None:
        model.compile(optimizer, loss)
    x, y = networks.batch(ROWS)
    return model, x, y if labels == "numbers" else networks.targets()


def in_dictionaries(keras, **changed):
    return (dictionaries.network(compare.wrap, **changed),
            *rows(keras, "tanh", "softmax", "sparse_categorical_crossentropy"))


def in_lists(keras, **changed):
    return (lists.network(compare.wrap, **changed),
            *rows(keras, "sigmoid", "sigmoid", "mean_squared_error", "targets"))


def applying(keras, **changed):
    layers = keras.layers
    twin = networks.compiled(keras, keras.Sequential([
        keras.Input(IMAGES), layers.Conv2D(3, 3, activation="relu", name="conv"),
        layers.Flatten(name="flat"), layers.Dense(4, activation="softmax", name="dense")]),
        "sparse_categorical_crossentropy")
    return applied.network(compare.wrap, **changed), twin, *networks.batch(IMAGES)


def estimating(keras, **changed):
    return (estimator.network(compare.wrap, **changed),
            *rows(keras, "relu", None, "mean_squared_error", "targets",
                  keras.optimizers.SGD(0.1, momentum=0.9)))


def in_attributes(keras, **changed):
    return (attributes.network(compare.wrap, **changed),
            *rows(keras, "sigmoid", "softmax", "sparse_categorical_crossentropy"))


GRADIENTS = {("first", "kernel_gradient"), ("first", "bias_gradient"),
             ("last", "kernel_gradient"), ("last", "bias_gradient")}
SEEN = [(in_dictionaries, {*GRADIENTS, ("network", "output"), ("loss", "value")}),
        (in_lists, {*GRADIENTS, ("network", "output")}),
        (applying, {("conv", "kernel_gradient"), ("dense", "bias_gradient"),
                    ("network", "output"), ("network", "input_gradient")}),
        (estimating, {("network", "output"), ("first", "kernel after a step"),
                      ("last", "bias after a step")}),
        (in_attributes, {*GRADIENTS, ("network", "output"), ("network", "input_gradient")})]


@pytest.mark.parametrize("style, tensors", SEEN, ids=[each.__name__ for each, _ in SEEN])
def test_each_style_agrees_with_keras(keras, style, tensors):
    report = compare.check(*style(keras))
    assert report, str(report)
    assert tensors <= {(row.layer, row.tensor) for row in report.rows if row.judged}
    assert "run as a whole" in report.notes[0]


class SlopeMissing(dictionaries.Classifier):
    def through_tanh(self, dy):
        return dy


class NotDivided(dictionaries.Classifier):
    def gradient(self, x, t):
        return {name: g * len(x) for name, g in super().gradient(x, t).items()}


class BiasMean(dictionaries.Classifier):
    def gradient(self, x, t):
        found = super().gradient(x, t)
        return {**found, "b2": found["b2"] / len(x)}


class MaskMissing(applied.SmallCNN):
    def mask(self, dh):
        return dh


class MaskInverted(applied.SmallCNN):
    def mask(self, dh):
        return dh * (self.z <= 0)


class BiasForgotten(estimator.Regressor):
    def predict(self, X):
        kept, self.intercepts_[0] = self.intercepts_[0], 0.0
        y = super().predict(X)
        self.intercepts_[0] = kept
        return y


class SigmoidOfMinus(attributes.Deep):
    def sigmoid(self, z):
        return super().sigmoid(-z)


MISTAKES = [
    (in_dictionaries, dictionaries, SlopeMissing, "first/tanh", "activation-missing"),
    (in_dictionaries, dictionaries, NotDivided, "loss", "loss-sum-for-mean"),
    (in_dictionaries, dictionaries, BiasMean, "last", "scale"),
    (applying, applied, MaskMissing, "conv/relu", "mask-missing"),
    (applying, applied, MaskInverted, "conv/relu", "mask-inverted"),
    (estimating, estimator, BiasForgotten, "first", "bias-missing"),
    (in_attributes, attributes, SigmoidOfMinus, "first", "sign")]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("style, module, mistaken, layer, identifier", MISTAKES,
                         ids=[each[2].__name__ for each in MISTAKES])
def test_a_mistake_in_one_class_is_named_with_its_layer(keras, style, module, mistaken, layer,
                                                        identifier):
    _, *rest = style(keras)
    report = compare.check(module.network(compare.wrap, mistaken), *rest)
    assert not report
    assert (report.cause.layer, report.cause.identifier) == (layer, identifier), report
    assert "To see which layer it is" in report.notes[-1]


def test_splitting_names_the_layers_that_the_class_holds(keras):
    _, *rest = applying(keras)
    report = compare.check(applied.network(compare.wrap, MaskMissing), *rest)
    assert "compare.check([compare.wrap(net.conv, ...), None, compare.wrap(net.fc, ...)]" \
        in report.notes[-1]
    assert "from dense to conv, through conv/relu, flat" in report.notes[-2]
