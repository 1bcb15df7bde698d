"""Layers that are wrong outside of training alone."""

import pytest

import compare
from tests.compare.support import examples


def doubled(self, x, training=False):
    y = type(self).right(self, x, training)
    return y if training else 2 * y


def nothing(self, x, training=False):
    if not training:
        raise RuntimeError("only in training")
    return type(self).right(self, x, training)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("wrong, note", [(doubled, ""), (nothing, "only in training")])
@pytest.mark.parametrize("number", [0, 1, 4])
def test_a_layer_that_is_wrong_outside_of_training_alone_fails_there(number, wrong, note):
    """Of a convolution, a layer without weights, a dense layer: none has two modes in Keras."""
    model, right = examples.network(), examples.network()
    right.set_weights(model.get_weights())
    layer = model.layers[number]
    kind = type(layer)
    layer.__class__ = type(kind.__name__, (kind,), {"forward": wrong, "right": kind.forward})
    report = compare.check(model, right, *examples.batch(), steps=0)
    failures = [row for row in report.rows if not row.passed]
    assert [(row.gate, row.layer, row.tensor) for row in failures] == [
        ("inference", layer.name, "output")], report
    assert failures[0].off == "candidate" and note in failures[0].note
