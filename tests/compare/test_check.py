"""check, assert_parity and diff: what they say of equal networks, and of unequal ones."""

import copy
import json
from xml.etree import ElementTree

import numpy as np
import pytest

import compare
import scratch
from compare.checks.gate import Gate
from compare.inputs import twins
from compare.report import github_annotations
from compare.report.junit import junit
from compare.report.page import report_page
from compare.tracing.trace import Trace
from tests.compare.support import examples


@pytest.fixture(scope="module")
def pair():
    return twins.twins(examples.network("inside"))


@pytest.fixture(scope="module")
def report(pair):
    return compare.check(*pair, *examples.batch())


def failed(report):
    return [(row.gate, row.layer, row.tensor) for row in report.rows if not row.passed]


def rows_of(report, gate):
    return [row for row in report.rows if row.gate == gate]


def test_equal_networks_pass_at_every_gate(report):
    assert report and report.first_failure is None and failed(report) == []
    assert [gate for gate in Gate if rows_of(report, gate)] == list(Gate)
    assert "Parity holds: all" in report.summary()
    assert (report.dtype, report.batch) == ("float32", 5)
    assert "scratch on numpy" in report.candidate and "keras" in report.reference


def test_there_is_a_row_for_every_tensor_of_every_part(report):
    forward = [(row.layer, row.tensor) for row in rows_of(report, "forward")]
    assert forward == [(name, "output") for name in (
        "conv", "relu", "pool", "second", "second/relu", "flatten", "dense", "dense/softmax")]
    backward = [(row.layer, row.tensor) for row in rows_of(report, "backward")]
    affine = ["input_gradient", "kernel_gradient", "bias_gradient"]
    assert backward == [
        *[("dense", t) for t in affine], ("flatten", "input_gradient"),
        ("second/relu", "input_gradient"), *[("second", t) for t in affine],
        ("pool", "input_gradient"), ("relu", "input_gradient"), *[("conv", t) for t in affine]]
    whole = [(row.layer, row.tensor) for row in rows_of(report, "whole numbers")]
    assert sorted(whole) == sorted([row for row in forward + backward if row[0] != "dense/softmax"])
    weights = [(layer, name) for layer in ("conv", "second", "dense")
               for name in ("kernel", "bias")]
    assert [(row.layer, row.tensor) for row in rows_of(report, "update")] \
        == [*weights, ("later steps", "weights")]
    assert [(row.layer, row.tensor) for row in rows_of(report, "weights")] == weights
    assert [row.tensor for row in rows_of(report, "loss")] == ["value", "gradient"]


def test_no_tensor_is_allowed_nothing_or_anything(report):
    for row in rows_of(report, "forward") + rows_of(report, "backward"):
        if row.kind == "componentwise":
            assert 0 < row.allowed < 1e-4, row.name
    assert {row.kind for row in rows_of(report, "whole numbers")} == {"exact"}
    assert {row.max_abs for row in rows_of(report, "whole numbers")} == {0.0}


def test_inherited_and_local_add_up_to_what_is_observed(report):
    told = [row for row in report.rows if row.observed is not None]
    assert len(told) >= 20
    for row in told:
        assert row.inherited + row.local == pytest.approx(row.observed, rel=1e-12, abs=1e-18)
    first = rows_of(report, "forward")[0]
    assert first.inherited == 0, "the first layer inherits nothing"


def test_a_mistake_is_local_where_it_is_made_and_inherited_from_there_on(pair):
    class Offset(scratch.Conv2D):
        def affine(self, x):
            return super().affine(x) + np.float32(0.25)

    model, twin = examples.network("inside", conv=Offset), pair[1]
    report = compare.check(model, twin, *examples.batch(), steps=0)
    rows = {row.layer: row for row in rows_of(report, "forward")}
    assert rows["conv"].local == pytest.approx(0.25, rel=1e-5) == rows["conv"].observed
    assert abs(rows["conv"].inherited) < 1e-6
    for layer in ("second", "dense"):
        assert abs(rows[layer].observed) > 1e-3 and rows[layer].passed
        assert rows[layer].inherited == pytest.approx(rows[layer].observed, rel=1e-3)
        assert abs(rows[layer].local) < 1e-6


def test_the_report_prints_its_table_and_its_verdict(report):
    text = str(report)
    assert text == report.render() and report.summary() in " ".join(text.split())
    assert all(len(line) <= 80 for line in text.splitlines())
    for row in rows_of(report, "forward"):
        assert row.layer in text
    assert "| conv" in report.table("github")
    assert len(report.table(wide=True)) > len(report.table())


def test_the_report_as_json_is_the_same_report(report):
    read = json.loads(json.dumps(report.as_dict(), allow_nan=False))
    assert read["passed"] is True and read["verdict"] == report.summary()
    assert len(read["rows"]) == len(report.rows)
    for entry, row in zip(read["rows"], report.rows):
        assert (entry["gate"], entry["layer"], entry["tensor"]) == (row.gate, row.layer, row.tensor)
        assert entry["max_abs"] == row.max_abs and entry["passed"] == row.passed
        assert entry["used"] == row.used and entry["index"] == list(row.index)


def test_accuracy_is_told_against_float64(report):
    ratio = report.accuracy_ratio()
    assert 0.1 < ratio < 10
    assert f"{ratio:.2g} times the reference's" in report.summary()


def test_assert_parity_is_silent_or_carries_the_table(pair):
    compare.assert_parity(*pair, *examples.batch(), steps=0)
    wrong = copy.deepcopy(pair[0])
    wrong.get_layer("second").params["bias"][2] += 1
    with pytest.raises(AssertionError) as caught:
        compare.assert_parity(wrong, pair[1], *examples.batch(), steps=0)
    assert "second" in str(caught.value) and "Parity does not hold" in str(caught.value)
    first, rest = str(caught.value).split("\n\n", 1)
    assert first.startswith("second bias") and "\n" not in first
    assert str(compare.check(wrong, pair[1], *examples.batch(), steps=0)) == rest


@pytest.mark.parametrize("options, missing", [
    (dict(probes=False), {"whole numbers", "few terms", "extremes"}),
    (dict(steps=0), {"lockstep"})])
def test_parts_can_be_left_out(pair, options, missing):
    found = compare.check(*pair, *examples.batch(), **options)
    assert found and set(Gate) - {row.gate for row in found.rows} == missing


@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_a_check_changes_neither_model(momentum):
    model, twin = twins.twins(examples.network(optimizer=scratch.SGD(0.1, momentum=momentum)))
    x, y = examples.batch()
    for side in (model, twin):
        side.train_on_batch(x.astype("float32"), y)
    twin.set_weights(model.get_weights())
    compiled = twin.optimizer, twin.loss
    before = [examples.everything(side) for side in (model, twin)]
    assert compare.check(model, twin, x, y)
    assert [examples.everything(side) for side in (model, twin)] == before
    assert (twin.optimizer, twin.loss) == compiled
    np.testing.assert_array_equal(x, examples.batch()[0])


@pytest.mark.parametrize("bare", ["candidate", "reference"])
def test_one_compiled_model_is_enough_and_the_other_stays_uncompiled(bare):
    model, twin = twins.twins(examples.network(loss=None))
    compiled = twins.twins(examples.network())
    if bare == "candidate":
        twin = compiled[1]
    else:
        model = compiled[0]
    report = compare.check(model, twin, *examples.batch())
    assert report, report
    assert rows_of(report, "loss") and rows_of(report, "update") and rows_of(report, "lockstep")
    assert (model.loss is None) == (bare == "candidate")
    assert twin.compiled == (bare == "candidate")


def test_two_models_without_a_loss_take_an_upstream_gradient():
    model, twin = twins.twins(examples.network(loss=None))
    x, y = examples.batch()
    with pytest.raises(ValueError, match="Expected at least one compiled model"):
        compare.check(model, twin, x, y)
    report = compare.check(model, twin, x, upstream=examples.upstream())
    assert report, report
    assert {"loss", "update", "lockstep"}.isdisjoint(row.gate for row in report.rows)
    assert ("softmax", "input_gradient") in [
        (row.layer, row.tensor) for row in rows_of(report, "backward")]


@pytest.mark.parametrize("swapped", [None, 3, "model"])
def test_the_candidate_is_a_scratch_model(pair, swapped):
    with pytest.raises(TypeError, match="Expected the candidate.*scratch.Sequential or a "
                                        "scratch.Model, a list of layers, .*or a torch.nn.Module. "
                                        "Received: "):
        compare.check(pair[1] if swapped is None else swapped, pair[0], *examples.batch())
    with pytest.raises(TypeError, match="Received: "):
        compare.check(pair[0], swapped, *examples.batch())


def layers(*names, **more):
    make = {
        "conv": lambda **k: scratch.Conv2D(3, (3, 2), padding="same", name="conv", **k),
        "wide": lambda **k: scratch.Conv2D(3, (2, 3), padding="same", name="conv", **k),
        "relu": lambda **k: scratch.ReLU(name="relu"),
        "flatten": lambda **k: scratch.Flatten(name="flatten"),
        "dense": lambda **k: scratch.Dense(4, name="dense", **k),
        "dense, relu": lambda **k: scratch.Dense(4, name="dense", activation="relu"),
        "strided": lambda **k: scratch.Conv2D(3, (3, 2), strides=(1, 2), padding="same",
                                              name="conv"),
    }
    return [make[name](**more.get(name, {})) for name in names]


PLAIN = ("conv", "relu", "flatten", "dense")
LOGITS = scratch.SparseCategoricalCrossentropy(from_logits=True)


def simple(*names, loss=LOGITS, optimizer=None, dtype="float32", **more):
    return examples.network(None, loss, optimizer, dtype, layers=layers(*(names or PLAIN), **more))


@pytest.mark.parametrize("candidate, reference, tensor, said", [
    (simple("conv", "flatten", "dense"), simple(), "layers", "ReLU"),
    (simple("relu", "conv", "flatten", "dense"), simple(), "layers", "'ReLU', 'Conv2D'"),
    (simple("conv", "relu", "flatten", "dense, relu"), simple(), "layers", "Dense/relu"),
    (simple(dtype="float64"), simple(), "precision", "expected float32, received float64"),
    (simple(), simple(dtype="float64"), "precision", "expected float64, received float32"),
    (simple("strided", "relu", "flatten", "dense"), simple(), "settings", "'layer 1 strides'"),
    (simple(), examples.network(None, LOGITS, layers=layers(*PLAIN[:3]) + [scratch.Dense(
        5, name="dense")]), "settings", "'layer 4 units': 5"),
    (simple("wide", "relu", "flatten", "dense"), simple(), "settings", "'layer 1 kernel_size'"),
    (simple(conv=dict(use_bias=False)), simple(), "settings", "'layer 1 use_bias': False"),
    (simple(dense=dict(trainable=False)), simple(), "settings", "'layer 4 trainable': False"),
    (simple(loss="sparse_categorical_crossentropy"), simple(), "loss", "'from_logits'"),
    (simple(optimizer=scratch.SGD(0.2)), simple(), "optimizer", "'learning_rate': 0.2"),
    (simple(optimizer=scratch.SGD(0.1, momentum=0.5)), simple(), "optimizer", "'momentum': 0.5"),
    (simple(optimizer=scratch.SGD(0.1, 0.5, True)), simple(optimizer=scratch.SGD(0.1, 0.5)),
     "optimizer", "'nesterov': True"),
], ids=lambda value: value if isinstance(value, str) else "")
def test_networks_specified_differently_fail_at_the_first_gate(candidate, reference, tensor, said):
    report = compare.check(candidate, reference, *examples.batch(), steps=0)
    first = report.first_failure
    assert (first.gate, first.tensor) == ("network", tensor), report
    assert said in first.note, first.note
    assert tensor in report.summary() and "gate 'network'" in report.summary()
    if tensor in ("layers", "precision") or "strides" in said or "units" in said:
        assert {row.gate for row in report.rows} == {"network"}, "nothing else can be compared"


def test_the_same_network_under_other_names_is_the_same_network():
    model = examples.network("inside", layers=[
        scratch.Conv2D(3, (3, 2), padding="same", kernel_initializer="he_normal"), scratch.ReLU(),
        scratch.Flatten(), scratch.Dense(4, name="last", activation="softmax")])
    other = examples.network("inside", layers=[
        scratch.Conv2D(3, (3, 2), padding="same", name="a"), scratch.ReLU(name="b"),
        scratch.Flatten(name="c"), scratch.Dense(4, activation="softmax")])
    report = compare.check(model, twins.twins(other)[1], *examples.batch())
    assert report, report


def test_labels_of_another_kind_are_another_loss():
    x, y = examples.batch()
    candidate = simple(loss=scratch.CategoricalCrossentropy(from_logits=True))
    with pytest.raises(ValueError, match="one-hot"):
        compare.check(candidate, simple(), x, y)


def test_one_bit_of_one_weight_fails_at_the_gate_of_the_weights(pair):
    model = copy.deepcopy(pair[0])
    kernel = model.get_layer("second").params["kernel"]
    kernel[1, 2, 0, 4] = np.nextafter(kernel[1, 2, 0, 4], np.float32(np.inf))
    report = compare.check(model, pair[1], *examples.batch(), steps=0)
    first = report.first_failure
    assert (first.gate, first.name, first.index) == ("weights", "second kernel", (1, 2, 0, 4))
    assert first.over == 1 and not first.downstream and first.off == ""
    for row in report.rows:
        assert row.passed or row is first or row.downstream, "whatever else fails is explained"


def test_weights_of_another_shape_are_named(pair):
    model = simple(conv=dict(use_bias=False))
    report = compare.check(model, simple(), *examples.batch(), steps=0)
    missing = next(row for row in rows_of(report, "weights") if row.tensor == "bias"
                   and row.layer == "conv")
    assert not missing.passed and missing.note == "expected shape (3,), received nothing"
    assert ("backward", "conv", "bias_gradient") in failed(report)


class Promotes(scratch.Dense):
    """Computes in float64 and forgets to come back."""

    def affine(self, x):
        return super().affine(x).astype("float64")


def test_a_silent_promotion_is_named(pair):
    report = compare.check(examples.network("inside", dense=Promotes), pair[1], *examples.batch(),
                           steps=0)
    first = report.first_failure
    assert (first.gate, first.tensor) == ("network", "dtypes")
    assert "'dense/output': 'float64'" in first.note


def hot(**changed):
    """The network with a first kernel so large that its sums of products may overflow."""
    model = examples.network("inside", **changed)
    kernel = model.layers[0].params["kernel"]
    kernel[...] = np.abs(kernel) * np.float32(1e3)
    return model


def huge(sample: int):
    """A batch, one sample of which is plus infinity behind the first layer."""
    x, y = examples.batch()
    x[sample] = np.abs(x[sample]) * 1e38
    return x, y


@pytest.fixture(scope="module")
def hot_twin():
    return twins.twins(hot())[1]


def test_infinities_and_nan_pass_where_both_networks_have_the_same(hot_twin):
    report = compare.check(hot(), hot_twin, *huge(1), steps=0)
    assert not np.isfinite(compare.record(hot_twin, *huge(1)).parts[-2].output).all()
    assert all(row.passed for row in rows_of(report, "forward")), report
    assert any("NaN" in row.note or "infinite" in row.note for row in rows_of(report, "forward"))
    assert len(report.nonfinite) == 2
    assert report.nonfinite[0].startswith("candidate: conv output at [1, ")
    assert report.undecided and not report  # of which nothing is known, whatever else fails


@pytest.mark.parametrize("options", [{}, {"probes": False}])
def test_nan_on_both_sides_is_not_judged_and_never_holds(options):
    model, twin = examples.network(), examples.network()
    for each in (model, twin):
        each.get_layer("dense").params["kernel"][...] = np.nan
    report = compare.check(model, twin, *examples.batch(), steps=0, **options)
    assert not report and report.first_failure is None and report.exit_code == 2
    assert {"dense kernel", "dense output"} <= {row.name for row in report.rows if not row.judged}
    said = report.summary()
    assert said.startswith("No verdict: ") and "dense kernel" in said
    assert "not judged" in report.table() and report.as_dict()["passed"] is False
    assert report.as_dict()["rows"][report.rows.index(report.undecided)]["unjudged"] > 0
    with pytest.raises(AssertionError, match="No verdict"):
        compare.assert_parity(model, twin, *examples.batch(), steps=0, **options)
    assert "No verdict" in github_annotations.annotations(report, "about")[0]
    errors = [row for row in report.rows if row.decides and not row.judged]
    assert ElementTree.fromstring(junit(report).encode()).get("errors") == str(len(errors))
    assert "No verdict" in report_page(report, "about", {})


def test_a_failure_beside_nan_on_both_sides_is_a_failure():
    model, twin = examples.network(), examples.network()
    for each in (model, twin):
        each.get_layer("dense").params["kernel"][...] = np.nan
    model.get_layer("conv").params["bias"][0] += 1
    report = compare.check(model, twin, *examples.batch(), steps=0)
    assert report.exit_code == 1 and report.undecided
    assert report.summary().startswith("Parity does not hold")


class ZeroForNaN(scratch.Dense):
    """Hides NaN and infinities, as `nan_to_num` does."""

    def affine(self, x):
        return np.nan_to_num(super().affine(x), nan=0, posinf=0, neginf=0)


def test_nan_on_one_side_alone_is_a_failure_in_the_layer_where_it_arises(hot_twin):
    report = compare.check(hot(dense=ZeroForNaN), hot_twin, *huge(1), steps=0)
    first = report.first_failure
    assert (first.gate, first.name) == ("forward", "dense output") and first.index[0] == 1
    assert np.isinf(first.used) and "reference: " in first.note


class LastSampleOff(scratch.Dense):
    def affine(self, x):
        z = super().affine(x)
        z[-1, 0] *= np.float32(1 + 1e-3)
        return z


def test_an_infinite_sample_hides_no_mistake_in_another(hot_twin):
    report = compare.check(hot(dense=LastSampleOff), hot_twin, *huge(1), steps=0,
                           probes=False)
    first = report.first_failure
    assert (first.gate, first.name) == ("forward", "dense output")
    assert first.index == (4, 0) and first.over == 1 and first.off == "candidate"


def test_a_check_warns_of_nothing(hot_twin, recwarn):
    compare.check(hot(), hot_twin, *huge(0), steps=0)
    assert [str(w.message) for w in recwarn if issubclass(w.category, RuntimeWarning)] == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_recorded_trace_is_as_good_as_the_model(tmp_path, dtype):
    model, twin = twins.twins(examples.network(dtype=dtype))
    compare.record(twin, *examples.batch()).save(tmp_path / "golden.npz")
    golden = Trace.load(tmp_path / "golden.npz")
    report = compare.check(model, golden)
    assert report, report
    assert set(Gate) - {row.gate for row in report.rows} == {"lockstep"}
    live = compare.check(model, twin, *examples.batch(), steps=0)
    # what people call needs a model that can be called
    rows = [row for row in live.rows if not row.tensor.startswith(("predict", "evaluate", "fit"))]
    assert [(row.gate, row.name) for row in rows] \
        == [(row.gate, row.name) for row in report.rows]
    # the probes of the live check are run by Keras too, those of the trace by the candidate alone
    def measured(rows):
        return [(row.max_abs, row.used) for row in rows
                if row.gate not in ("few terms", "extremes") and row.layer != "later steps"]

    assert measured(rows) == measured(report.rows)


def test_a_trace_without_a_loss_brings_its_upstream_gradient(tmp_path):
    model, twin = twins.twins(examples.network(loss=None))
    compare.record(twin, examples.batch()[0], upstream=examples.upstream()).save(tmp_path / "t.npz")
    report = compare.check(model, Trace.load(tmp_path / "t.npz"))
    assert report, report
    assert rows_of(report, "backward") and not rows_of(report, "loss")


def test_a_candidate_without_a_loss_takes_the_traces():
    trace = compare.record(twins.twins(examples.network())[1], *examples.batch())
    model = examples.network(loss=None)
    report = compare.check(model, trace)
    assert report and rows_of(report, "update"), report
    assert model.loss is None


def two_traces(candidate, tmp_path):
    """The candidate's trace and Keras's, both written and read."""
    compare.record(candidate, *examples.batch()).save(tmp_path / "ours.npz")
    compare.record(twins.twins(examples.network("inside"))[1],
                   *examples.batch()).save(tmp_path / "theirs.npz")
    return Trace.load(tmp_path / "ours.npz"), Trace.load(tmp_path / "theirs.npz")


def test_two_recordings_of_the_same_network_pass(tmp_path):
    ours, theirs = two_traces(examples.network("inside"), tmp_path)
    for pair in ((ours, theirs), (theirs, ours), (ours, ours)):
        found = compare.diff(*pair)
        assert found, found
        assert {row.gate for row in found.rows} == {"network", "weights", "forward", "loss",
                                                    "backward", "update"}
    assert all(row.max_abs == 0 for row in compare.diff(theirs, theirs).rows)


class DoubledBias(scratch.Conv2D):
    def affine(self, x):
        return super().affine(x) + self.bias * np.float32(1e-3)


class GradientOff(scratch.Dense):
    def affine_backward(self, dz, wants_input_gradient):
        dx = super().affine_backward(dz, wants_input_gradient)
        self.grads["kernel"] = self.grads["kernel"] * np.float32(1 + 1e-3)
        return dx


@pytest.mark.parametrize("changed, gate, name", [
    (dict(second=DoubledBias), "forward", "second output"),
    (dict(dense=GradientOff), "backward", "dense kernel_gradient")])
def test_diff_places_a_mistake_and_says_whose_it_is(tmp_path, changed, gate, name):
    ours, theirs = two_traces(examples.network("inside", **changed), tmp_path)
    for pair, off in (((ours, theirs), "candidate"), ((theirs, ours), "reference")):
        report = compare.diff(*pair)
        first = report.first_failure
        assert (first.gate, first.name, first.off) == (gate, name, off), report
        others = [row for row in report.rows if not row.passed and row is not first]
        assert all(row.downstream or row.layer == first.layer for row in others), report


def test_diff_of_different_batches_says_so(tmp_path):
    model = examples.network("inside")
    a = compare.record(model, *examples.batch(seed=2))
    b = compare.record(model, *examples.batch(seed=3))
    report = compare.diff(a, b)
    assert (report.first_failure.gate, report.first_failure.tensor) == ("network", "batch")
    rest = [row for row in report.rows if row.gate != "network"]
    assert all(row.passed for row in rest), "each was checked on its own batch"


def test_the_first_failure_is_the_first_in_the_order_of_the_gates():
    model = examples.network("inside", second=DoubledBias, dense=GradientOff)
    report = compare.check(model, examples.network("inside"), *examples.batch())
    gates = [row.gate.order for row in report.rows]
    assert gates == sorted(gates)
    assert report.first_failure is next(row for row in report.rows if not row.passed)
    assert (report.first_failure.gate, report.first_failure.layer) == ("whole numbers", "second")
    assert {"second", "dense"} <= {row.layer for row in report.rows
                                   if not row.passed and row.gate == "whole numbers"}


def test_a_twin_is_the_same_network_in_keras_compiled_alike(keras):
    model = scratch.Sequential([scratch.Input((5, 4, 2)), scratch.Conv2D(3, (3, 2)),
                                scratch.Flatten(), scratch.Dense(4, activation="softmax")])
    twin = compare.twin(model)
    assert isinstance(twin, keras.Sequential) and not twin.compiled
    model.compile(scratch.SGD(0.03, momentum=0.5), "sparse_categorical_crossentropy")
    before = [weight.copy() for weight in model.get_weights()]
    twin = compare.twin(model)
    assert twin.compiled and float(twin.optimizer.momentum) == 0.5
    for own, kept, theirs in zip(model.get_weights(), before, twin.get_weights()):
        assert (own == kept).all() and (own == theirs).all()
    rng = np.random.default_rng(0)
    assert compare.check(model, twin, rng.standard_normal((6, 5, 4, 2)), rng.integers(0, 4, 6))


@pytest.mark.parametrize("thing", [None, {"layers": []}, [1]])
def test_a_twin_of_something_else_is_refused(thing):
    with pytest.raises(TypeError, match="Expected a scratch.Sequential or a scratch.Model"):
        compare.twin(thing)


def doubled(self, x, training=False):
    y = type(self).right(self, x, training)
    return y if training else 2 * y


def nothing(self, x, training=False):
    if not training:
        raise RuntimeError("only in training")
    return type(self).right(self, x, training)


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
