"""States that go on from batch to batch: judged once more, and left as they were."""

import numpy as np
import pytest

import compare
from tests.scratch.layers.test_stateful import both


@pytest.fixture
def checked(keras):
    model, twin = both(keras)
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal(shape).astype("float32") for shape in ((2, 4, 3), (2, 2)))
    for network in (model, twin):
        network.predict(x, batch_size=2, verbose=0)
    return model, twin, x, y


def states_of(model, twin):
    return [np.array(state) for state in (*model.get_layer("lstm")._carried,
                                          *map(np.array, twin.get_layer("lstm").states))]


def test_a_right_network_holds_and_keeps_its_states(checked):
    model, twin, x, y = checked
    kept = states_of(model, twin)
    report = compare.check(model, twin, x, y)
    assert report, str(report)
    assert [row.passed for row in report.rows if row.tensor == "carried states"] == [True]
    assert len(kept) == 4 and all(map(np.array_equal, kept, states_of(model, twin)))
    assert twin.get_layer("lstm").stateful and model.get_layer("lstm").carries


@pytest.mark.sampled(2)
@pytest.mark.parametrize("name", ["lstm", "rnn"])
def test_a_layer_that_begins_anew_is_found(checked, name):
    model, twin, x, y = checked
    model.get_layer(name).carry = lambda states: None
    report = compare.check(model, twin, x, y)
    assert [row.tensor for row in report.rows if not row.passed] == ["carried states"]


def test_a_network_of_which_no_layer_goes_on_is_named(checked):
    model, twin, x, y = checked
    both_ways = model.get_layer("both")
    for layer in (model.get_layer("lstm"), model.get_layer("rnn"), both_ways.layer,
                  both_ways.backward_layer):
        layer.carry = lambda states: None
    report = compare.check(model, twin, x, y)
    assert "does not go on from its last states" in " ".join(str(report).split())


def test_a_batch_of_another_size_is_refused(checked):
    model, twin, x, y = checked
    with pytest.raises(ValueError, match="a batch of 2 samples.*'lstm'.*Received: 1"):
        compare.check(model, twin, x[:1], y[:1])
