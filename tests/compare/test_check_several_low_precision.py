"""Several inputs and outputs in float16 and bfloat16: every output's loss is scaled, all is cast.
"""

import numpy as np
import pytest

import compare
import scratch
from compare.checks.gate import Gate
from compare.evaluation.faults.injection import patched
from scratch import optimizers
from scratch.several import each


def network(policy, optimizer, last=None, read_again=False):
    """Two inputs; two outputs with losses of different weights, one of which may be read again."""
    scratch.set_random_seed(5)
    layers = scratch.layers
    a, b = scratch.Input((6,), name="a"), scratch.Input((4,), name="b")
    joined = layers.Concatenate(dtype=policy)([
        layers.Dense(5, activation="relu", dtype=policy)(a),
        layers.Dense(3, activation="tanh", dtype=policy)(b)])
    values = layers.Dense(2, name="values", dtype=policy)(joined)
    read = values if read_again else joined
    classes = layers.Dense(3, activation="softmax", name="classes", dtype=last or policy)(read)
    model = scratch.Model([a, b], [classes, values], dtype=policy)
    model.compile(optimizer, ["categorical_crossentropy", "mse"], loss_weights=[1.0, 0.3])
    return model


def batch(seed=0, size=5):
    rng = np.random.default_rng(seed)
    x = [rng.standard_normal((size, n)).astype(np.float32) for n in (6, 4)]
    return x, [np.eye(3, dtype=np.float32)[rng.integers(0, 3, size)],
               rng.standard_normal((size, 2)).astype(np.float32)]


OPTIMIZERS = {
    "mixed_float16": lambda: "adam", "mixed_bfloat16": lambda: scratch.AdamW(0.01),
    "float16": lambda: scratch.SGD(0.1, loss_scale_factor=8.0), "bfloat16": lambda: "sgd",
    "float32": lambda: scratch.SGD(0.1, loss_scale_factor=48.0)}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("read_again", [False, True])
@pytest.mark.parametrize("policy", OPTIMIZERS)
def test_a_right_network_of_several_outputs_holds(policy, read_again):
    model = network(policy, OPTIMIZERS[policy](), read_again=read_again)
    report = compare.check(model, compare.twin(model), *batch())
    assert report, str(report)
    assert {row.gate for row in report.rows if not row.unjudged} >= {
        Gate.FORWARD, Gate.LOSS, Gate.BACKWARD, Gate.UPDATE, Gate.WHOLE_NETWORK, Gate.LOCKSTEP}


@pytest.mark.sampled(4)
@pytest.mark.parametrize("make", [
    lambda: scratch.Muon(0.01, use_ema=True), lambda: scratch.Lamb(0.01),
    lambda: scratch.AdamW(0.01, gradient_accumulation_steps=2),
    lambda: optimizers.ScheduleFreeAdamW(0.01), lambda: optimizers.Adafactor(0.01)])
def test_a_scaled_loss_goes_with_averages_accumulation_and_every_rule(make):
    model = network("mixed_float16", make(), last="float32")
    assert isinstance(model.optimizer, optimizers.LossScaleOptimizer)
    report = compare.check(model, compare.twin(model), *batch())
    assert report, str(report)


def test_each_output_s_gradient_is_scaled_on_both_sides():
    x, y = batch()
    scaled, plain = (network("float32", scratch.SGD(0.1, loss_scale_factor=factor))
                     for factor in (64.0, None))
    for of in (lambda model: compare.record(model, x, y),
               lambda model: compare.record(compare.twin(model), x, y)):
        for ours, theirs in zip(each(of(scaled).loss_gradient), each(of(plain).loss_gradient)):
            np.testing.assert_allclose(ours, 64 * theirs, rtol=1e-5)


def test_an_output_whose_gradient_is_not_scaled_is_found():
    model = network("float32", scratch.SGD(0.1, loss_scale_factor=64.0))
    twin = compare.twin(model)

    def first_alone(self, right, *args, **settings):
        value = right(*args, **settings)
        first, second = self._gradients.arrays
        self._gradients = type(self._gradients)([first, second / np.float32(64)])
        return value

    patched(model.loss, forward=first_alone)
    report = compare.check(model, twin, *batch())
    assert not report
    assert (report.first_failure.layer, report.first_failure.tensor) == ("values_loss", "gradient")


@pytest.mark.parametrize("settings", [dict(use_ema=True), dict(gradient_accumulation_steps=2)],
                         ids=str)
def test_weights_kept_in_float16_take_neither_averages_nor_accumulation(settings):
    with pytest.raises(scratch.UnsupportedError, match="keeps its weights in float16"):
        network("float16", scratch.SGD(0.1, **settings))


@pytest.mark.parametrize("settings", [dict(use_ema=True), dict(clipnorm=1.0),
                                      dict(gradient_accumulation_steps=2)], ids=str)
def test_what_belongs_to_the_rule_inside_is_refused_outside(settings):
    (key, value), = settings.items()
    with pytest.raises(ValueError, match=f"expected {key} to be set on inner_optimizer.*{value}"):
        optimizers.LossScaleOptimizer(scratch.SGD(0.1), **settings)
