"""`compare.check` of some of a network's layers, and what the report then says."""

import numpy as np
import pytest

import compare
import scratch
from compare.checks.gate import Gate

WHOLE = {Gate.WHOLE_NETWORK, Gate.LOCKSTEP}


class Off(scratch.Conv2D):
    """Off by a thousandth."""

    def correlate(self, x):
        return super().correlate(x) * x.dtype.type(1.001)


def network(second=scratch.Conv2D):
    scratch.set_random_seed(3)
    model = scratch.Sequential([
        scratch.Input((6, 5, 2)), scratch.Conv2D(3, (2, 3), name="one", activation="relu"),
        second(4, 2, name="two"), scratch.Flatten(name="flat"),
        scratch.Dense(4, activation="softmax", name="last")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model


def checked(model, **options):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((3, 6, 5, 2)).astype("float32")
    return compare.check(model, compare.twin(network()), x, rng.integers(0, 4, 3), **options)


def layers_of(report, *gates):
    return {row.layer.split("/")[0] for row in report.rows if row.gate in gates}


def test_rows_are_those_of_the_full_check_for_the_layers_that_are_asked_for():
    full, some = checked(network(), steps=1), checked(network(), steps=1, layers=["one", "last"])
    assert full and some
    per_layer = {Gate.FORWARD, Gate.BACKWARD, Gate.UPDATE, Gate.INFERENCE, Gate.WHOLE_NUMBERS,
                 Gate.FEW_TERMS}
    expected = {(row.gate, row.name, row.used) for row in full.rows
                if row.gate in per_layer and row.layer.split("/")[0] in ("one", "last")}
    assert expected == {(row.gate, row.name, row.used) for row in some.rows
                        if row.gate in per_layer}
    assert not WHOLE & {row.gate for row in some.rows} and WHOLE <= {row.gate for row in full.rows}


def test_the_report_says_what_was_left_out():
    report = checked(network(), layers="one")
    said = str(report)
    assert "Parity holds for the 1 of 4 layers that were checked" in said.replace("\n", " ")
    assert "Parity holds:" not in said
    assert report.not_checked[0] == "3 of 4 layers" and "training in lockstep" in said
    assert any("Not checked: two, flat, last" in note for note in report.notes)
    assert report.as_dict()["not_checked"] == report.not_checked
    assert checked(network(), steps=0).not_checked == []


def test_a_mistake_is_found_where_it_is_looked_for_alone():
    assert checked(network(Off), layers=["one", "flat"])
    report = checked(network(Off), layers=["t*"])
    assert not report and report.exit_code == 1 and report.first_failure.layer == "two"


def test_a_sample_is_drawn_by_the_seed_and_a_large_one_is_all():
    gates = Gate.FORWARD, Gate.INFERENCE
    drawn = [layers_of(checked(network(), sample=2, seed=seed), *gates) for seed in (0, 0, 1, 2)]
    assert all(len(each) == 2 for each in drawn) and drawn[0] == drawn[1]
    assert len({frozenset(each) for each in drawn}) > 1
    assert checked(network(), sample=4, steps=1).some is None


@pytest.mark.parametrize("options, said", [
    ({"layers": ["onee"]}, "name of a layer.*'onee', which may mean 'one'"),
    ({"layers": []}, "at least"), ({"sample": 0}, "at least 1 layer"),
    ({"sample": 2, "layers": ["one"]}, "both")])
def test_what_no_layer_can_be_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        checked(network(), **options)


def test_a_recorded_trace_will_do():
    rng = np.random.default_rng(1)
    trace = compare.record(compare.twin(network()), rng.standard_normal((3, 6, 5, 2)),
                           rng.integers(0, 4, 3))
    report = compare.check(network(), trace, layers=["two"])
    assert report and layers_of(report, Gate.FORWARD, Gate.WHOLE_NUMBERS) == {"two"}
