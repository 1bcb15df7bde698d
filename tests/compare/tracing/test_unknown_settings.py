"""What is unknown of the compile settings costs its own gate alone, and the report says so."""

import copy
import zipfile
from xml.etree import ElementTree

import numpy as np
import pytest

import compare
import scratch
from compare.checks.gate import Gate
from compare.checks.later_updates import LATER
from compare.inputs import twins
from compare.report.junit import junit
from compare.tracing.known_settings import understood

LAYER = (Gate.FORWARD, Gate.BACKWARD, Gate.INFERENCE, Gate.WHOLE_NUMBERS, Gate.FEW_TERMS)


def batch():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(4, 5)).astype("float32"), rng.normal(size=(4, 3)).astype("float32"))


def network(keras, optimizer="sgd", loss="mse", **how):
    model = keras.Sequential([
        keras.Input((5,)), keras.layers.Dense(4, activation="tanh", name="a"),
        keras.layers.BatchNormalization(name="norm"), keras.layers.Dense(3, name="b")])
    model.compile(optimizer, loss, **how)
    return model


def own_metric(keras):
    def my_metric(y_true, y_pred):
        return keras.ops.mean(y_pred)

    return {"metrics": ["mae", my_metric]}, ["metric my_metric"]


def weighted_metric(keras):
    class OfLater(keras.metrics.MeanSquaredError):
        pass

    return {"weighted_metrics": [OfLater()]}, ["metric OfLater"]


def own_optimizer(keras):
    class MySGD(keras.optimizers.SGD):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(2 * gradient, variable, learning_rate)

    return {"optimizer": MySGD(0.1)}, ["optimizer MySGD"]


def own_optimizer_that_scales_the_loss(keras):
    class MyScaled(keras.optimizers.SGD):
        pass

    return {"optimizer": MyScaled(0.1, loss_scale_factor=48.0)}, ["optimizer MyScaled"]


def own_optimizer_inside_of_one_that_scales_the_loss(keras):
    class MyInner(keras.optimizers.SGD):
        pass

    return ({"optimizer": keras.optimizers.LossScaleOptimizer(MyInner(0.1), 64.0)},
            ["optimizer LossScaleOptimizer"])


def rate_that_is_a_function(keras):
    return ({"optimizer": keras.optimizers.SGD(lambda: keras.ops.convert_to_tensor(0.05))},
            ["optimizer SGD with settings that are not supported"])


def own_loss(keras):
    class MyLoss(keras.losses.MeanSquaredError):
        pass

    return {"loss": MyLoss()}, ["loss MyLoss", "optimizer SGD (no loss, no step)"]


def own_function(keras):
    def my_error(y_true, y_pred):
        return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)

    return {"loss": my_error}, ["loss my_error", "optimizer SGD (no loss, no step)"]


METRICS = [own_metric, weighted_metric]
OPTIMIZERS = [own_optimizer, own_optimizer_that_scales_the_loss,
              own_optimizer_inside_of_one_that_scales_the_loss, rate_that_is_a_function]
LOSSES = [own_loss, own_function]


def gates(report):
    return {row.gate for row in report.rows}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("make", METRICS + OPTIMIZERS + LOSSES)
def test_the_layers_are_checked_and_the_rest_is_named(keras, make):
    how, named = make(keras)
    twin = network(keras, **how)
    model, _ = twins.twins(twin)
    report = compare.check(model, twin, *batch())
    assert report and report.exit_code == 0, report
    assert report.not_checked == named == report.as_dict()["not_checked"]
    assert gates(report) >= {*LAYER}
    assert report.summary().startswith("Parity holds")
    assert f"Not checked: {', '.join(named)}" in report.summary()


@pytest.mark.sampled(4)
@pytest.mark.parametrize("make", METRICS + OPTIMIZERS + LOSSES)
def test_a_wrong_layer_is_still_found(keras, make):
    class Off(scratch.Dense):
        def affine(self, x):
            return super().affine(x) * x.dtype.type(1.001)

    how, named = make(keras)
    twin = network(keras, **how)
    model = scratch.Sequential([
        scratch.Input((5,)), scratch.Dense(4, activation="tanh", name="a"),
        scratch.BatchNormalization(name="norm"), Off(3, name="b")])
    model.set_weights(twin.get_weights())
    report = compare.check(model, twin, *batch())
    assert report.exit_code == 1 and report.first_failure.layer == "b"
    assert report.not_checked == named
    assert str(report.summary()).startswith("Parity does not hold")
    assert f"Not checked: {', '.join(named)}" in report.summary()


@pytest.mark.sampled(2)
@pytest.mark.parametrize("make", OPTIMIZERS)
def test_an_unknown_optimizer_costs_its_steps_alone(keras, make):
    twin = network(keras, **make(keras)[0])
    report = compare.check(twins.twins(twin)[0], twin, *batch())
    steps = [row for row in report.rows if row.gate is Gate.UPDATE]
    assert {(row.layer, row.tensor) for row in steps} \
        == {("norm", "moving_mean"), ("norm", "moving_variance")}, "which no optimizer moves"
    assert LATER not in {row.layer for row in report.rows}
    assert not [row for row in report.rows if row.gate is Gate.NETWORK
                and row.tensor == "optimizer"]
    assert gates(report) >= {Gate.LOSS, Gate.LOCKSTEP}
    assert "SGD took its place in training" in report.summary()


@pytest.mark.sampled(2)
@pytest.mark.parametrize("make", OPTIMIZERS)
def test_it_costs_no_more_where_the_candidate_has_one(keras, make):
    twin = network(keras, **make(keras)[0])
    model, _ = twins.twins(twin)
    model.compile(scratch.Adam(0.1), "mse")
    mine = model.optimizer
    assert compare.check(model, twin, *batch())
    assert model.optimizer is mine, "it is run with another one in a copy"


def test_the_loss_is_compared_where_only_the_optimizer_is_unknown(keras):
    twin = network(keras, **own_optimizer(keras)[0])
    model, _ = twins.twins(twin)
    model.compile("sgd", "mae")
    report = compare.check(model, twin, *batch())
    assert not report and report.first_failure.tensor == "loss"


def test_an_unknown_loss_costs_the_gates_of_losses(keras):
    twin = network(keras, **own_loss(keras)[0])
    report = compare.check(twins.twins(twin)[0], twin, *batch())
    assert not gates(report) & {Gate.LOSS, Gate.LOCKSTEP}
    assert LATER not in {row.layer for row in report.rows}


def test_what_is_known_is_compared_as_ever(keras):
    twin = network(keras, keras.optimizers.Adam(0.01), metrics=["mae"])
    model, _ = twins.twins(twin)
    report = compare.check(model, twin, *batch())
    assert report and report.not_checked == [] and "Not checked" not in report.summary()
    wrong = copy.deepcopy(model)
    wrong.optimizer.beta_1 = 0.8
    assert not compare.check(wrong, twin, *batch())


@pytest.mark.parametrize("make", METRICS + OPTIMIZERS[:2])
def test_a_trace_says_it_too(keras, make):
    how, named = make(keras)
    trace = compare.record(network(keras, **how), *batch())
    report = compare.check(twins.golden_candidate(trace, None), trace)
    assert report and report.not_checked == named


def test_junit_skips_what_is_not_checked(keras):
    twin = network(keras, **weighted_metric(keras)[0])
    report = compare.check(twins.twins(twin)[0], twin, *batch(), steps=0)
    root = ElementTree.fromstring(junit(report))
    suite = root.find("testsuite[@name='not checked']")
    assert [case.get("name") for case in suite] == ["metric OfLater"]
    assert suite.find("testcase/skipped") is not None and suite.get("skipped") == "1"
    assert int(root.get("tests")) == len(report.rows) + 1


# files

def saved(keras, path, later=(), **how):
    """A file of such a network; the classes in `later` get a name that no Keras has yet."""
    network(keras, **how).save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for name in later:
        members["config.json"] = members["config.json"].replace(
            f'"{name}"'.encode(), f'"{name}OfLater"'.encode())
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return str(path)


def test_a_file_is_read_as_far_as_it_is_known(keras, tmp_path):
    path = saved(keras, tmp_path / "m.keras", ("Lamb", "PearsonCorrelation"),
                 optimizer=keras.optimizers.Lamb(),
                 metrics=["mae", keras.metrics.PearsonCorrelation(name="r")])
    model, twin = twins.pair(path)
    assert [metric.name for metric in model.metrics] == ["mae"]
    report = compare.check(model, twin, *batch())
    assert report and report.not_checked == ["metric PearsonCorrelationOfLater",
                                             "optimizer LambOfLater"]
    again = compare.check(*twins.twins(model, "float64"), *map(np.float64, batch()))
    assert again and again.not_checked == report.not_checked


def test_a_file_with_an_unknown_loss_is_checked_without_labels(keras, tmp_path):
    model, twin = twins.pair(saved(keras, tmp_path / "m.keras", loss="ctc"))
    assert model.loss is None and not twin.compiled
    report = compare.check(model, twin, batch()[0], upstream=batch()[1])
    assert report and report.not_checked == ["loss ctc", "optimizer SGD (no loss, no step)"]


def test_loading_for_training_still_refuses(keras, tmp_path):
    path = saved(keras, tmp_path / "m.keras", ["Lamb"], optimizer=keras.optimizers.Lamb())
    with pytest.raises(scratch.UnsupportedError, match="LambOfLater.* is not supported"):
        scratch.load_model(path)
    assert scratch.load_model(path, compile=False).optimizer is None


def test_foreign_classes_in_a_file_are_still_refused(keras, tmp_path):
    @keras.saving.register_keras_serializable("mine")
    class MyMetric(keras.metrics.MeanMetricWrapper):
        def __init__(self, name="mine", dtype=None):
            super().__init__(lambda y, p: p, name, dtype)

        def get_config(self):
            return {"name": self.name}

    path = saved(keras, tmp_path / "m.keras", metrics=[MyMetric()])
    with pytest.raises(scratch.UnsupportedError, match="MyMetric"):
        twins.pair(path)


def test_names_out_of_a_config_are_of_bounded_length():
    config = {"loss": "mse", "optimizer": {"class_name": "X" * 10_000, "config": {}},
              "metrics": [{"class_name": ["odd"], "config": None}, 3, None]}
    known, left_out = understood(config)
    assert known["metrics"] == [None] and known["optimizer"]["class_name"] == "SGD"
    assert len(left_out) == 3 and max(map(len, left_out)) < 200
    assert understood({}) == ({}, [])


@pytest.mark.parametrize("compiled", [True, False])
def test_without_what_it_is_compiled_with(keras, tmp_path, compiled):
    path = saved(keras, tmp_path / "m.keras", optimizer="adam")
    model, twin = twins.pair(path, compiled=compiled)
    assert (model.loss is not None) is twin.compiled is compiled
    x, dy = batch()
    report = compare.check(model, twin, x, upstream=dy)
    assert report.not_checked == ([] if compiled else ["what the model is compiled with"])
