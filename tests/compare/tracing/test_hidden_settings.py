"""What an optimizer has beyond its config: carried over, seen in its config, or refused by name."""

import numpy as np
import pytest

import compare
import scratch
from compare.checks.gate import Gate
from compare.inputs import twins
from compare.tracing import configs
from compare.tracing.configs import UNDECAYED
from compare.tracing.hidden_settings import require_described
from compare.tracing.optimizer_steps import restart, undecayed
from compare.tracing.recorder import record
from compare.tracing.trace import Trace
from scratch.optimizers import CLASSES


def batch():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(4, 6)).astype("float32"), rng.normal(size=(4, 3)).astype("float32"))


def layers(library):
    return [library.Input((6,)), library.layers.Dense(5, name="d", bias_initializer="ones"),
            library.layers.Dense(3, name="e", bias_initializer="ones")]


def keras_model(keras, optimizer, **how):
    model = keras.Sequential(layers(keras))
    model.compile(optimizer, "mean_squared_error", **how)
    return model


def twin_of(model, optimizer):
    mine = scratch.model_from_config(model.get_config())
    mine.set_weights(model.get_weights())
    mine.compile(optimizer, "mean_squared_error")
    return mine


def adamw(library, excluded=True, decay=0.5):
    optimizer = library.optimizers.AdamW(0.1, weight_decay=decay)
    if excluded:
        optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


# excluded from weight decay

def test_both_sides_exclude_and_parity_holds(keras):
    model = keras_model(keras, adamw(keras))
    mine = twin_of(model, adamw(scratch))
    assert compare.check(mine, model, *batch())


@pytest.mark.parametrize("ours, theirs", [(True, False), (False, True)])
def test_one_side_alone_excludes_and_the_gate_network_says_so(keras, ours, theirs):
    model = keras_model(keras, adamw(keras, theirs))
    report = compare.check(twin_of(model, adamw(scratch, ours)), model, *batch())
    first = report.first_failure
    assert (first.gate, first.tensor) == (Gate.NETWORK, "optimizer")
    assert UNDECAYED in first.note and "[[1, 'bias'], [2, 'bias']]" in first.note
    assert {row.layer for row in report.rows if row.gate is Gate.UPDATE and not row.passed} \
        >= {"d", "e"}


def test_what_is_checked_is_one_real_step_of_the_users(keras):
    """The traced update is what train_on_batch makes of the weights."""
    model, (x, y) = keras_model(keras, adamw(keras)), batch()
    mine = twin_of(model, adamw(scratch))
    traces = record(mine, x, y), record(model, x, y)
    mine.train_on_batch(x, y)
    model.train_on_batch(x, y)
    for trace, side in zip(traces, (mine, model)):
        found = [part.updated[name] for part in trace.parts for name in part.weights]
        for one, other in zip(found, side.get_weights(), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_twin_excludes_the_same_weights(keras):
    model = keras_model(keras, adamw(keras))
    mine, same = twins.twins(model)
    assert same is model
    assert undecayed(mine) == {("d", "bias"), ("e", "bias")}
    back = compare.twin(mine)
    assert [not back.optimizer._use_weight_decay(v) for v in back.trainable_variables] \
        == [False, True, False, True]


def test_weights_may_be_excluded_one_by_one(keras):
    model = keras.Sequential(layers(keras))
    optimizer = adamw(keras, excluded=False)
    optimizer.exclude_from_weight_decay(var_list=[model.layers[1].kernel], var_names=["b.*s"])
    model.compile(optimizer, "mean_squared_error")
    mine, _ = twins.twins(model)
    assert undecayed(mine) == {("d", "bias"), ("e", "bias"), ("e", "kernel")}
    assert compare.check(mine, model, *batch())


@pytest.mark.parametrize("word, undecayed_ones", [
    ("e/", {("e", "bias"), ("e", "kernel")}), ("^b.*s$", set()), ("bias", {("d", "bias"),
                                                                           ("e", "bias")})])
def test_a_check_says_what_a_step_of_keras_excludes_and_does_not_change_it(
        keras, word, undecayed_ones):
    """Words are looked for in the layer's name, too."""
    def compiled():
        optimizer = keras.optimizers.SGD(0.1, weight_decay=0.5)
        optimizer.exclude_from_weight_decay(var_names=[word])
        return keras_model(keras, optimizer)

    model, alone, (x, y) = compiled(), compiled(), batch()
    alone.set_weights(model.get_weights())
    ours = scratch.SGD(0.1, weight_decay=0.5)
    ours.exclude_from_weight_decay(var_names=[word])
    mine = twin_of(model, ours)
    assert undecayed(mine) == undecayed(twins.twins(model)[0]) == undecayed_ones
    assert compare.check(mine, model, x, y)
    for one in (mine, model, alone):
        one.train_on_batch(x, y)
    for one in (mine, model):
        for weight, expected in zip(one.get_weights(), alone.get_weights(), strict=True):
            np.testing.assert_allclose(weight, expected, rtol=1e-5, atol=1e-6)


def test_without_decay_nothing_is_excluded(keras):
    optimizer = keras.optimizers.Adam(0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model = keras_model(keras, optimizer)
    assert UNDECAYED not in configs.settings_of(model)["optimizer"]
    assert compare.check(twin_of(model, scratch.Adam(0.1)), model, *batch())


def test_a_trace_keeps_it(keras, tmp_path):
    model, (x, y) = keras_model(keras, adamw(keras)), batch()
    record(model, x, y).save(tmp_path / "trace.npz")
    golden = Trace.load(tmp_path / "trace.npz")
    assert golden.compile_config["optimizer"][UNDECAYED] == [[1, "bias"], [2, "bias"]]
    assert compare.check(twins.golden_candidate(golden, None), golden)
    assert not compare.check(twin_of(model, adamw(scratch, excluded=False)), golden)


def test_a_scratch_optimizer_starts_anew_with_it(keras):
    model = twin_of(keras_model(keras, adamw(keras)), adamw(scratch))
    model.fit(*batch(), epochs=2, verbose=0)
    restart(model)
    assert model.optimizer.iterations == 0
    assert undecayed(model) == {("d", "bias"), ("e", "bias")}


# the other kinds

def test_a_setting_changed_later_is_in_the_config(keras):
    optimizer = keras.optimizers.SGD(0.05, momentum=0.9)
    optimizer.momentum = 0.8
    model = keras_model(keras, optimizer)
    report = compare.check(twin_of(model, scratch.SGD(0.05, momentum=0.9)), model, *batch())
    assert report.first_failure.note == "expected {'momentum': 0.8}, received {'momentum': 0.9}"
    mine = twin_of(model, scratch.SGD(0.05, momentum=0.9))
    mine.optimizer.momentum = 0.8
    assert compare.check(mine, model, *batch())


def test_a_method_replaced_on_the_object_is_refused(keras):
    for library in (keras, scratch):
        optimizer = library.optimizers.SGD(0.05)
        optimizer.update_step = lambda *given: None
        model = keras_model(keras, optimizer if library is keras else "sgd")
        mine = twin_of(model, optimizer if library is scratch else "sgd")
        with pytest.raises(ValueError, match="SGD with update_step replaced on the object itself"):
            compare.check(mine, model, *batch())


def test_an_argument_that_get_config_leaves_out_is_refused(keras):
    def twisted(base):
        class Twisted(base):
            def __init__(self, *given, twist=2, **named):
                super().__init__(*given, **named)
                self.twist = twist

        return Twisted

    model = keras_model(keras, "sgd")
    mine = twin_of(model, twisted(scratch.SGD)(0.01, twist=3))
    with pytest.raises(ValueError, match="Twisted with twist=3, where its config leads to 2"):
        compare.check(mine, model, *batch())
    mine.optimizer = twisted(scratch.SGD)(0.01, twist=2)
    assert compare.check(mine, model, *batch()), "the default is what a fresh one has, too"


def test_a_subclass_under_its_base_class_name_is_run_and_found(keras):
    class Doubling(keras.optimizers.SGD):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(2 * gradient, variable, learning_rate)

    Doubling.__name__ = "SGD"
    model = keras_model(keras, Doubling(0.05))
    report = compare.check(twin_of(model, scratch.SGD(0.05)), model, *batch())
    assert report.first_failure.gate is Gate.UPDATE
    assert {row.off for row in report.rows if not row.passed} == {"reference"}


# what steps change

STEPPED = [*(cls() for cls in CLASSES.values()), scratch.SGD(0.1, use_ema=True),
           scratch.Adam(0.1, gradient_accumulation_steps=2)]


@pytest.mark.parametrize("optimizer", STEPPED, ids=lambda each: type(each).__name__)
def test_an_optimizer_that_has_stepped_is_still_described_by_its_config(optimizer):
    model = scratch.Sequential(layers(scratch))
    model.compile(type(optimizer).from_config(optimizer.get_config()), "mse")
    for _ in range(3):
        model.train_on_batch(*batch())
    require_described(model)
